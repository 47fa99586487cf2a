"""How is a post's body read? Never more of it than allowed, whole, decompressed, of a type a parser can read."""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, TypeAlias

from graphql_api.webhooks.patience import Patience
from graphql_api.webhooks.refusal import CODES, Refusal

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Scope: TypeAlias = MutableMapping[str, Any]

# A body must be complete within this time: one that trickles in holds a connection and its memory.
BODY_SECONDS = 30.0
# How much of a body that is too large is read and thrown away, so that its sender gets to read the answer.
DRAIN_BYTES = 16 * 1024 * 1024
DRAIN_SECONDS = 5.0
JSON_TYPES = frozenset({"application/json", "text/json"})
_GZIP_WINDOW = 16 + zlib.MAX_WBITS


class ClientGone(Exception):
    """The client went away before its body was complete: there is nobody to answer."""


def headers_of(scope: Scope) -> dict[str, str]:
    """The request's headers by lower-case name; the last of several counts."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def check_content_type(headers: Mapping[str, str], *, also: frozenset[str] = frozenset()) -> None:
    """Refusal 415 unless the body says it is JSON, says nothing, or says one of `also`."""
    value = headers.get("content-type")
    if value is None or value in JSON_TYPES:
        return
    media = value.partition(";")[0].strip().lower()
    if media in JSON_TYPES or media in also or not media:
        return
    if media.startswith("application/") and media.endswith("+json"):
        return
    raise Refusal(415, CODES[415], f"the content type must be application/json, not {media[:100]}", ("content-type",))


async def read_body(receive: Receive, headers: Mapping[str, str], *, limit: int, patience: Patience) -> bytes:
    """The body, decompressed. Refusal 413 beyond `limit` bytes (in either form), 408 when it does not end."""
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"identity", "gzip", "x-gzip", ""}:
        message = f"the content encoding must be gzip or none, not {encoding[:100]}"
        raise Refusal(415, CODES[415], message, ("content-encoding",))
    declared = headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        await _drain(receive)
        raise _too_large(limit)
    try:
        async with patience:
            body = await _read(receive, limit)
    except TimeoutError:
        message = "the body was not complete in time"
        raise Refusal(408, CODES[408], message, headers={"connection": "close"}) from None
    return body if encoding in {"identity", ""} else _decompress(body, limit)


async def _read(receive: Receive, limit: int) -> bytes:
    message = await receive()
    if message["type"] != "http.request":
        raise ClientGone
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        if len(body) > limit:
            raise _too_large(limit)
        return body
    chunks = bytearray(body)
    while message.get("more_body", False):
        if len(chunks) > limit:
            await _drain(receive)
            raise _too_large(limit)
        message = await receive()
        if message["type"] != "http.request":
            raise ClientGone
        chunks += message.get("body", b"")
    if len(chunks) > limit:
        raise _too_large(limit)
    return bytes(chunks)


async def _drain(receive: Receive) -> None:
    """Throw away what is still coming, within bounds: a sender that is cut off while it sends never reads the 413."""
    seen = 0
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            while seen < DRAIN_BYTES:
                message = await receive()
                if message["type"] != "http.request" or not message.get("more_body", False):
                    return
                seen += len(message.get("body", b""))
    except TimeoutError:
        return


def _too_large(limit: int) -> Refusal:
    message = f"the body is larger than {limit} bytes; send fewer alerts at a time"
    return Refusal(413, CODES[413], message, headers={"connection": "close"})


def _decompress(body: bytes, limit: int) -> bytes:
    """Undo gzip, never beyond `limit`: a kilobyte can be made to hold a gigabyte."""
    parts = bytearray()
    while body:
        decoder = zlib.decompressobj(_GZIP_WINDOW)
        try:
            parts += decoder.decompress(body, limit + 1 - len(parts))
        except zlib.error as error:
            raise Refusal(400, CODES[400], f"the body is not valid gzip: {error}") from None
        if len(parts) > limit:
            raise _too_large(limit)
        if not decoder.eof:
            raise Refusal(400, CODES[400], "the body is not valid gzip: it is cut off")
        body = decoder.unused_data
    return bytes(parts)
