"""Which key came with a post, and whose is it?

The key stands in `Authorization: Bearer …`, as the password of `Authorization: Basic …`, in `X-Api-Key`, or, for tools
that can only be given an address, in `?key=…`. The query's key is taken out of the request as soon as it is read, so
that no log of the address shows it.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_plus

from domain.integrations.model import Integration, IntegrationSource
from graphql_api.webhooks.refusal import CODES, Refusal, unavailable
from persistence.integration_directory import DirectoryUnavailable, IntegrationDirectory

MAX_KEY = 256
OUTAGE_RETRY_AFTER_SECONDS = 5
REDACTED = b"redacted"

_QUERY_KEY = re.compile(rb"(?:^|(?<=[&;]))(key=)([^&;]*)")
_CHALLENGE = {"www-authenticate": 'Bearer realm="tocsin", Basic realm="tocsin"'}


def take_key(scope: Mapping[str, Any], headers: Mapping[str, str]) -> str | None:
    """The key that came with the request, if one did; a key in the query is redacted there."""
    query = _take_query_key(scope)
    authorization = headers.get("authorization")
    if authorization is not None:
        scheme, _, value = authorization.partition(" ")
        scheme, value = scheme.lower(), value.strip()
        if scheme == "bearer":
            return value or None
        if scheme == "basic":
            return _password(value)
    return headers.get("x-api-key") or query


def _take_query_key(scope: Any) -> str | None:  # noqa: ANN401 - an ASGI scope is a mutable mapping of anything
    query: bytes = scope["query_string"]
    if b"key=" not in query:
        return None
    found = _QUERY_KEY.search(query)
    if found is None:
        return None
    # In place: the server writes its access log from this very mapping, after the answer.
    scope["query_string"] = _QUERY_KEY.sub(rb"\1" + REDACTED, query)
    return unquote_plus(found[2].decode("latin-1")) or None


def _password(encoded: str) -> str | None:
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    # Some tools have one field only and put it first.
    return password or user or None


async def authenticate(directory: IntegrationDirectory, key: str | None) -> Integration:
    """The integration of a live key. Refusal 401 for any other, 503 when that cannot be said now."""
    if key is None:
        raise Refusal(401, CODES[401], "an integration's key is needed (Authorization: Bearer …)", headers=_CHALLENGE)
    found = directory.known(key) if len(key) <= MAX_KEY else None
    if found is None and len(key) <= MAX_KEY:
        try:
            found = await directory.find(key)
        except DirectoryUnavailable:
            message = "the store cannot be reached; nothing was kept, send the post again"
            raise unavailable(message, retry_after_seconds=OUTAGE_RETRY_AFTER_SECONDS) from None
    if found is None:
        raise Refusal(401, CODES[401], "the key is unknown, expired or revoked", headers=_CHALLENGE)
    return found


def require_source(integration: Integration, source: IntegrationSource) -> None:
    """Refusal 403 unless the integration is of this source: another parser would make nonsense of the post."""
    if integration.source is not source:
        message = f"this key belongs to an integration of source {integration.source}, not {source}"
        raise Refusal(403, CODES[403], message)
