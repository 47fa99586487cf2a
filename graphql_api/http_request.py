"""How is a GraphQL request read from an HTTP request? From the query of a GET, or the JSON of a POST, within bounds."""

import asyncio
from typing import Any

from starlette.requests import Request

from graphql_api.graphql_request import BadRequest, GraphQLRequest, as_graphql_request, decode

JSON_TYPE = "application/json"
# Whoever sends a body byte by byte keeps a connection and what was read of it for no longer.
BODY_SECONDS = 30.0


async def read_request(request: Request, *, max_bytes: int) -> GraphQLRequest:
    """The GraphQL request an HTTP request carries."""
    if request.method == "GET":
        parameters: dict[str, Any] = dict(request.query_params)
        for name in ("variables", "extensions"):
            if parameters.get(name):
                parameters[name] = decode(parameters[name].encode("utf-8", "surrogatepass"), name)
        return as_graphql_request(parameters)
    if request.method != "POST":
        raise BadRequest(405, "GraphQL takes POST, and GET for queries", headers={"allow": "GET, POST"})
    _check_content_type(request.headers.get("content-type", ""))
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise BadRequest(415, "the body must not be compressed")
    return as_graphql_request(decode(await read_body(request, max_bytes=max_bytes), "the body"))


def _check_content_type(value: str) -> None:
    media, *parameters = (part.strip().lower() for part in value.split(";"))
    if media != JSON_TYPE:
        raise BadRequest(415, "the content type must be application/json")
    for parameter in parameters:
        name, _, charset = parameter.partition("=")
        if name == "charset" and charset.strip('"') not in {"utf-8", "utf8"}:
            raise BadRequest(415, "the charset must be utf-8")


async def read_body(request: Request, *, max_bytes: int) -> bytes:
    """The body, never more than `max_bytes` of it."""
    too_large = BadRequest(413, f"the request is larger than {max_bytes} bytes")
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > max_bytes:
        raise too_large
    chunks = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                chunks += chunk
                if len(chunks) > max_bytes:
                    raise too_large
    except TimeoutError:
        message = f"the body did not come to its end within {BODY_SECONDS:g} seconds"
        raise BadRequest(408, message, headers={"connection": "close"}) from None
    return bytes(chunks)
