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
from functools import partial
from typing import Any, NamedTuple

import orjson
import structlog
from graphql import GraphQLError, OperationDefinitionNode, OperationType
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from strawberry import Schema
from strawberry.types.execution import ExecutionResult, PreExecutionError
from strawberry.utils.aio import aclosing

from domain.ids import new_id
from graphql_api.access.limiting import UNREADABLE_COST, cost_of, headers_of
from graphql_api.alerts.direct_answers import DirectAnswers
from graphql_api.alerts.raw_rows import OPTIONS
from graphql_api.context import Context
from graphql_api.documents.trusted import TrustedDocuments
from graphql_api.event_stream import COMPLETE, HEARTBEAT_SECONDS, event, with_heartbeat
from graphql_api.fitted import fitted
from graphql_api.graphql_request import BadRequest, GraphQLRequest
from graphql_api.http_request import JSON_TYPE, read_request
from graphql_api.limits import Documents
from graphql_api.live.following import Live
from graphql_api.live.member import Payload
from graphql_api.live.sharing import Permissions
from graphql_api.masking import RETRY_SECONDS, UNAVAILABLE, present_all
from graphql_api.observability.metrics import operation_label
from graphql_api.shared_answers import SharedAnswers, question_of

GRAPHQL_JSON = "application/graphql-response+json"
EVENT_STREAM = "text/event-stream"
# Errors that say nothing of who asked: the database is away, or slow.
FOR_ALL = frozenset({"OVERLOADED", "TIMEOUT"})


class _Answer(NamedTuple):
    """What an operation came to; its bytes where they were made for several."""

    result: ExecutionResult
    body: bytes | None = None


class Endpoint:
    """Answers GraphQL requests over HTTP."""

    def __init__(self, schema: Schema, documents: Documents, trusted: TrustedDocuments, live: Live) -> None:
        self._schema = schema
        self._documents = documents
        self._trusted = trusted
        self._live = live
        self._direct = DirectAnswers(schema, documents)
        self._shared: SharedAnswers[_Answer] = SharedAnswers()

    async def answer(self, request: Request, context: Context) -> Response:
        """The answer to one HTTP request."""
        accept = request.headers.get("accept", "").lower()
        try:
            asked = await read_request(request, max_bytes=context.settings.graphql_max_body_bytes)
            response = await self._run(asked, request.method, accept, context)
        except BadRequest as error:
            body = {"errors": [{"message": error.message, "extensions": {"code": "BAD_REQUEST"}}]}
            return _response(body, accept, status=error.status, headers=error.headers)
        response.headers.update(headers_of(context.rates))
        return response

    async def _run(self, asked: GraphQLRequest, method: str, accept: str, context: Context) -> Response:
        try:
            asked = await self._trusted.resolved(asked, context.viewer)
            operation = self._documents.operation(asked.query, asked.operation_name)
        except GraphQLError as error:
            refused = await context.spend(UNREADABLE_COST)
            if refused is not None:
                return _too_much(refused, accept)
            body = {"errors": [shown.formatted for shown in present_all([error], context)]}
            if method == "POST" and EVENT_STREAM in accept:
                return _events(_only(body))
            return _response(body, accept, status=_status(ran=False, accept=accept))
        if method == "GET" and operation.operation is not OperationType.QUERY:
            raise BadRequest(405, "GET is for queries; send the operation by POST", headers={"allow": "POST"})
        if operation.operation is OperationType.SUBSCRIPTION and EVENT_STREAM not in accept:
            raise BadRequest(406, f"a subscription needs `Accept: {EVENT_STREAM}` or a WebSocket")
        schema = self._schema._schema  # noqa: SLF001 - no public way
        refused = await context.spend(cost_of(asked.query, operation, self._documents, schema))
        if refused is not None:
            return _too_much(refused, accept)
        if method == "POST" and EVENT_STREAM in accept:
            return self._stream(asked, context, is_subscription=operation.operation is OperationType.SUBSCRIPTION)
        started = time.perf_counter()
        result, encoded_ = await self._answer(asked, operation, context)
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
        return _response(as_body(result) if encoded_ is None else encoded_, accept, status=status)

    async def _answer(self, asked: GraphQLRequest, operation: OperationDefinitionNode, context: Context) -> _Answer:
        """By a run of its own, or together with those who ask the same just now."""

        async def alone() -> _Answer:
            return _Answer(await self._execute(asked, context))

        schema = self._schema._schema  # noqa: SLF001 - no public way
        question = question_of(asked, operation, context.viewer, documents=self._documents, schema=schema)
        if question is None:
            return await alone()
        together = partial(self._answer_several, asked, question.permissions, context)
        seconds = context.settings.graphql_timeout.total_seconds()
        try:
            async with asyncio.timeout(seconds):
                result, body = await self._shared.ask(question, alone, together)
        except TimeoutError:
            stopped = ExecutionResult(data=None, errors=present_all([too_slow(seconds)], context))
            return _Answer(with_cost(stopped, context))
        if not context.wants_cost or result.extensions:
            return _Answer(result, body)
        return _Answer(with_cost(ExecutionResult(data=result.data, errors=result.errors), context))

    async def _answer_several(
        self, asked: GraphQLRequest, permissions: Permissions, context: Context
    ) -> _Answer | None:
        """One run as nobody in particular; None where each has to hear their own error."""
        anybody = Context(state=context.state, viewer=permissions.anybody(), request_id=str(new_id()))
        structlog.contextvars.bind_contextvars(request_id=anybody.request_id)
        result = await self._execute(asked, anybody)
        codes = {(error.extensions or {}).get("code") for error in result.errors or ()}
        return _Answer(result, encode(as_body(result))) if codes <= FOR_ALL else None

    async def close(self) -> None:
        """End what is still being answered."""
        await self._shared.close()

    async def _execute(self, asked: GraphQLRequest, context: Context) -> ExecutionResult:
        seconds = context.settings.graphql_timeout.total_seconds()
        try:
            async with asyncio.timeout(seconds):
                result = await self._direct.result(asked, context)
                if result is None:
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
        return with_cost(result, context)

    def _stream(self, asked: GraphQLRequest, context: Context, *, is_subscription: bool) -> Response:
        """Server-sent events, one connection an operation (the "distinct connections" mode of graphql-sse)."""
        # Its headers have left before the operation runs: it can give no cookie.
        context.over_http = False

        async def results() -> AsyncIterator[bytes]:
            if not is_subscription:
                yield event(encode(as_body(await self._execute(asked, context))))
                yield COMPLETE
                return
            with context.state.metrics.subscriptions.track_inprogress():
                async with aclosing(self._live.results(asked, context)) as results:
                    async for result in results:
                        yield event(result.body if isinstance(result, Payload) else encoded(result))
            yield COMPLETE

        response = _events(results())
        if context.wants_cost:
            # A subscription's results are the same bytes for all who share them.
            response.headers["x-tocsin-cost"] = str(context.cost)
        return response


def too_slow(seconds: float) -> GraphQLError:
    """The answer of an operation that was stopped."""
    message = f"the operation took longer than {seconds:g} seconds and was stopped"
    return GraphQLError(message, extensions={"code": "TIMEOUT"})


def with_cost(result: ExecutionResult, context: Context) -> ExecutionResult:
    """The result with what its operation costs, for who asked."""
    if context.wants_cost and was_run(result):
        cost = {"operation": context.cost, "budget": context.settings.graphql_max_cost}
        result.extensions = {**(result.extensions or {}), "cost": cost}
    return result


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
        return orjson.dumps(body, option=OPTIONS)
    except TypeError:
        return json.dumps(body, separators=(",", ":")).encode()


def encoded(result: ExecutionResult) -> bytes:
    """A result as JSON in the response format."""
    return fitted(encode(as_body(result)))


def _response(
    body: dict[str, Any] | bytes, accept: str, *, status: int, headers: Mapping[str, str] | None = None
) -> Response:
    media = GRAPHQL_JSON if GRAPHQL_JSON in accept else JSON_TYPE
    return Response(
        body if isinstance(body, bytes) else encode(body),
        status_code=status,
        media_type=f"{media}; charset=utf-8",
        headers={"cache-control": "no-store", "vary": "accept", **(headers or {})},
    )


def _events(results: AsyncIterator[bytes]) -> Response:
    return StreamingResponse(
        with_heartbeat(results, HEARTBEAT_SECONDS),
        media_type=EVENT_STREAM,
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )


async def _only(body: dict[str, Any]) -> AsyncIterator[bytes]:
    """A stream of one result: its reader expects events, also when there is nothing to run."""
    yield event(encode(body))
    yield COMPLETE


def _too_much(refused: GraphQLError, accept: str) -> Response:
    """The answer to who asks for too much; `Retry-After` says when to come again."""
    return _response({"errors": [refused.formatted]}, accept, status=429)


def unavailable(request: Request) -> Response:
    """The answer when the database cannot even say who asks."""
    body = {"errors": [{"message": UNAVAILABLE, "extensions": {"code": "OVERLOADED"}}]}
    return _response(body, request.headers.get("accept", ""), status=503, headers={"retry-after": str(RETRY_SECONDS)})


def cross_site(request: Request) -> Response:
    """The answer to a page of another site that would act in a signed-in browser's name."""
    message = "a request with X-Tocsin-Session must come from a page of this server (Origin)"
    body = {"errors": [{"message": message, "extensions": {"code": "FORBIDDEN"}}]}
    return _response(body, request.headers.get("accept", ""), status=403)


def _status(*, ran: bool, accept: str) -> int:
    return 200 if ran or GRAPHQL_JSON not in accept else 400
