"""What is a GraphQL request? The members that every transport takes, checked; by text, or by the hash of a text.

`documentId: "sha256:…"` is the persisted-documents appendix of GraphQL over HTTP (a draft);
`extensions.persistedQuery.sha256Hash` is how Apollo's clients say the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from domain.documents.model import is_hash

_PREFIX = "sha256:"
_BAD_ID = f"`documentId` must be `{_PREFIX}` and 64 lower-case hexadecimal digits"
_BAD_HASH = (
    "`extensions.persistedQuery` must be of version 1 and have a `sha256Hash` of 64 lower-case hexadecimal digits"
)


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """What the client asks. `query` may be empty where `document_hash` is given."""

    query: str
    variables: dict[str, Any] | None = None
    operation_name: str | None = None
    document_hash: str | None = None


class BadRequest(Exception):
    """The HTTP request carries no GraphQL request; `status` and `message` are the answer."""

    def __init__(self, status: int, message: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = dict(headers or {})


class NulRefused(BadRequest):
    """A variable holds U+0000. Over a socket it ends the operation alone, as a value that no field can take."""


def decode(raw: bytes, what: str) -> object:
    """JSON, strictly: valid UTF-8, no lone surrogates, no absurd nesting."""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        # The message names a line and column, never the content.
        raise BadRequest(400, f"{what} is not valid JSON: {error}") from None


def as_graphql_request(value: object) -> GraphQLRequest:
    """Check the members of a GraphQL request."""
    if isinstance(value, list):
        raise BadRequest(400, "batches are not supported: send one request at a time")
    if not isinstance(value, dict):
        raise BadRequest(400, "the request must be a JSON object")
    query, variables = value.get("query"), value.get("variables")
    name, extensions = value.get("operationName"), value.get("extensions")
    if extensions is not None and not isinstance(extensions, dict):
        raise BadRequest(400, "`extensions` must be an object or null")
    hash_ = _hash_of(value.get("documentId"), extensions)
    if hash_ is not None and query is None:
        query = ""
    elif not isinstance(query, str) or not query:
        raise BadRequest(400, "`query` must be the text of a GraphQL document")
    if variables is not None and not isinstance(variables, dict):
        raise BadRequest(400, "`variables` must be an object or null")
    if name is not None and not isinstance(name, str):
        raise BadRequest(400, "`operationName` must be a string or null")
    if (holder := _find_nul(variables)) is not None:
        raise NulRefused(400, f"variable `{holder}` holds the character U+0000, which cannot be stored")
    return GraphQLRequest(query=query, variables=variables, operation_name=name or None, document_hash=hash_)


def _hash_of(document_id: object, extensions: dict[str, Any] | None) -> str | None:
    """The hash a request names, in either form."""
    hash_: str | None = None
    if document_id is not None:
        hash_ = document_id.removeprefix(_PREFIX) if isinstance(document_id, str) else ""
        if hash_ == document_id or not is_hash(hash_):
            raise BadRequest(400, _BAD_ID)
    persisted = (extensions or {}).get("persistedQuery")
    if persisted is None:
        return hash_
    found = persisted.get("sha256Hash") if isinstance(persisted, dict) and persisted.get("version", 1) == 1 else None
    if not isinstance(found, str) or not is_hash(found):
        raise BadRequest(400, _BAD_HASH)
    if hash_ not in {None, found}:
        raise BadRequest(400, "`documentId` and `extensions.persistedQuery` name different documents")
    return found


def _find_nul(variables: dict[str, Any] | None) -> str | None:
    """The first variable that holds a NUL: neither text nor jsonb of PostgreSQL can."""
    for name, value in (variables or {}).items():
        waiting = [name, value]
        while waiting:
            item = waiting.pop()
            if isinstance(item, str):
                if "\x00" in item:
                    return name.replace("\x00", "\ufffd")
            elif isinstance(item, dict):
                waiting += item.keys()
                waiting += item.values()
            elif isinstance(item, list):
                waiting += item
    return None
