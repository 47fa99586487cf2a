"""How does a GraphQL request travel over HTTP? POST with JSON, GET for a query; one answer or a stream.

Written out here because the stock view lets too much through (a body 100,000 levels deep, malformed UTF-8, lone
surrogates: 500) and never answers `application/graphql-response+json`. Follows the GraphQL-over-HTTP draft: a request
that is malformed is 4xx; a well-formed one is 200 whatever its fields say, save that under
`application/graphql-response+json` a document that cannot run is 400.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import GraphQLError, OperationType
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from strawberry import Schema
from strawberry.types.execution import ExecutionResult, PreExecutionError
from strawberry.utils.aio import aclosing

from graphql_api.context import Context
from graphql_api.event_stream import COMPLETE, HEARTBEAT_SECONDS, event, with_heartbeat
from graphql_api.limits import Documents
from graphql_api.masking import RETRY_SECONDS, UNAVAILABLE, present_all
from graphql_api.observability.metrics import operation_label

JSON_TYPE = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"
EVENT_STREAM = "text/event-stream"


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """What the client asks."""

    query: str
    variables: dict[str, Any] | None = None
    operation_name: str | None = None


class BadRequest(Exception):
    """The HTTP request carries no GraphQL request; `status` and `message` are the answer."""

    def __init__(self, status: int, message: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = dict(headers or {})


class NulRefused(BadRequest):
    """A variable holds U+0000. Over a socket it ends the operation alone, as a value that no field can take."""


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
    async for chunk in request.stream():
        chunks += chunk
        if len(chunks) > max_bytes:
            raise too_large
    return bytes(chunks)


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
    if not isinstance(query, str) or not query:
        raise BadRequest(400, "`query` must be the text of a GraphQL document")
    if variables is not None and not isinstance(variables, dict):
        raise BadRequest(400, "`variables` must be an object or null")
    if name is not None and not isinstance(name, str):
        raise BadRequest(400, "`operationName` must be a string or null")
    if extensions is not None and not isinstance(extensions, dict):
        raise BadRequest(400, "`extensions` must be an object or null")
    if (holder := _find_nul(variables)) is not None:
        raise NulRefused(400, f"variable `{holder}` holds the character U+0000, which cannot be stored")
    return GraphQLRequest(query=query, variables=variables, operation_name=name or None)


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


class Endpoint:
    """Answers GraphQL requests over HTTP."""

    def __init__(self, schema: Schema, documents: Documents) -> None:
        self._schema = schema
        self._documents = documents

    async def answer(self, request: Request, context: Context) -> Response:
        """The answer to one HTTP request."""
        accept = request.headers.get("accept", "")
        try:
            asked = await read_request(request, max_bytes=context.settings.graphql_max_body_bytes)
            return await self._run(asked, request.method, accept, context)
        except BadRequest as error:
            body = {"errors": [{"message": error.message, "extensions": {"code": "BAD_REQUEST"}}]}
            return _response(body, accept, status=error.status, headers=error.headers)

    async def _run(self, asked: GraphQLRequest, method: str, accept: str, context: Context) -> Response:
        try:
            operation = self._documents.operation(asked.query, asked.operation_name)
        except GraphQLError as error:
            body = {"errors": [shown.formatted for shown in present_all([error], context)]}
            return _response(body, accept, status=_status(ran=False, accept=accept))
        if method == "GET" and operation.operation is not OperationType.QUERY:
            raise BadRequest(405, "GET is for queries; send the operation by POST", headers={"allow": "POST"})
        if method == "POST" and EVENT_STREAM in accept:
            return self._stream(asked, context, is_subscription=operation.operation is OperationType.SUBSCRIPTION)
        if operation.operation is OperationType.SUBSCRIPTION:
            raise BadRequest(406, f"a subscription needs `Accept: {EVENT_STREAM}` or a WebSocket")
        started = time.perf_counter()
        result = await self._execute(asked, context)
        ran = was_run(result)
        # Only a document that passed validation names root fields of ours.
        context.operation = operation_label(operation) if ran else "invalid"
        context.state.metrics.count_operation(
            operation.operation.value,
            context.operation,
            seconds=time.perf_counter() - started,
            codes=[str((error.extensions or {}).get("code")) for error in result.errors or ()],
        )
        status = _status(ran=ran, accept=accept)
        return _response(as_body(result), accept, status=status)

    async def _execute(self, asked: GraphQLRequest, context: Context) -> ExecutionResult:
        seconds = context.settings.graphql_timeout.total_seconds()
        try:
            async with asyncio.timeout(seconds):
                result = await self._schema.execute(
                    asked.query,
                    variable_values=asked.variables,
                    context_value=context,
                    operation_name=asked.operation_name,
                )
        except TimeoutError:
            result = ExecutionResult(data=None, errors=[too_slow(seconds)])
        if result.errors:
            result.errors = present_all(result.errors, context)
        return result

    def _stream(self, asked: GraphQLRequest, context: Context, *, is_subscription: bool) -> Response:
        """Server-sent events, one connection an operation (the "distinct connections" mode of graphql-sse)."""

        async def results() -> AsyncIterator[bytes]:
            if not is_subscription:
                yield event(encode(as_body(await self._execute(asked, context))))
                yield COMPLETE
                return
            source = await self._schema.stream(
                asked.query,
                variable_values=asked.variables,
                context_value=context,
                operation_name=asked.operation_name,
            )
            with context.state.metrics.subscriptions.track_inprogress():
                async with aclosing(source):
                    async for result in source:
                        if isinstance(result, ExecutionResult):  # nothing else: incremental delivery is off
                            yield event(encode(as_body(result)))
            yield COMPLETE

        return StreamingResponse(
            with_heartbeat(results(), HEARTBEAT_SECONDS),
            media_type=EVENT_STREAM,
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        )


def too_slow(seconds: float) -> GraphQLError:
    """The answer of an operation that was stopped."""
    message = f"the operation took longer than {seconds:g} seconds and was stopped"
    return GraphQLError(message, extensions={"code": "TIMEOUT"})


def was_run(result: ExecutionResult) -> bool:
    """Whether any field was resolved: not when the document or the variables were refused."""
    if isinstance(result, PreExecutionError):
        return False
    codes = [(error.extensions or {}).get("code") if error.path is None else None for error in result.errors or ()]
    return result.data is not None or not codes or any(code != "BAD_REQUEST" for code in codes)


def as_body(result: ExecutionResult) -> dict[str, Any]:
    """A result in the response format: no `data` when nothing ran."""
    body: dict[str, Any] = {"data": result.data} if was_run(result) else {}
    if result.errors:
        body["errors"] = [error.formatted for error in result.errors]
    if result.extensions:
        body["extensions"] = result.extensions
    return body


def encode(body: dict[str, Any]) -> bytes:
    """JSON. What a source sent may hold integers beyond 64 bits, which the fast encoder refuses."""
    try:
        return orjson.dumps(body)
    except TypeError:
        return json.dumps(body, separators=(",", ":")).encode()


def _response(body: dict[str, Any], accept: str, *, status: int, headers: Mapping[str, str] | None = None) -> Response:
    media = GRAPHQL_JSON if GRAPHQL_JSON in accept else JSON_TYPE
    return Response(
        encode(body),
        status_code=status,
        media_type=f"{media}; charset=utf-8",
        headers={"cache-control": "no-store", "vary": "accept", **(headers or {})},
    )


def unavailable(request: Request) -> Response:
    """The answer when the database cannot even say who asks."""
    body = {"errors": [{"message": UNAVAILABLE, "extensions": {"code": "OVERLOADED"}}]}
    return _response(body, request.headers.get("accept", ""), status=503, headers={"retry-after": str(RETRY_SECONDS)})


def _status(*, ran: bool, accept: str) -> int:
    return 200 if ran or GRAPHQL_JSON not in accept else 400
