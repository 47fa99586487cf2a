"""What is said over one socket? graphql-transport-ws, with the gaps of the stock handler closed.

Pings, operations and their ids are bounded; what is no request closes with 4400, a syntax error ends only its own
operation. Each operation gets a context of its own.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from graphql import GraphQLError, OperationType
from starlette.websockets import WebSocket, WebSocketDisconnect
from strawberry.http.exceptions import WebSocketDisconnected
from strawberry.schema.schema import StreamResult
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler, Operation
from strawberry.subscriptions.protocols.graphql_transport_ws.types import PingMessage, SubscribeMessage
from strawberry.types.execution import ExecutionResult
from strawberry.utils.aio import aclosing

from domain.identity.model import Viewer
from graphql_api.access.limiting import UNREADABLE_COST, cost_of
from graphql_api.context import Context
from graphql_api.frames import writer_of
from graphql_api.graphql_request import BadRequest, GraphQLRequest, NulRefused, as_graphql_request
from graphql_api.http import encode, too_slow, was_run, with_cost
from graphql_api.live.member import Payload
from graphql_api.masking import UNAVAILABLE, is_outage, present, present_all
from persistence.tasks import end_tasks

if TYPE_CHECKING:
    from graphql_api.limits import Documents
    from graphql_api.live.following import Live
    from graphql_api.websocket import SocketContext

# A socket of nobody may be quiet for so long between its operations. One of somebody ends with their session.
IDLE_SECONDS = 60.0
# Clients take it for final and do not reconnect with the same credentials.
SESSION_ENDED_CODE = 4401
TRY_AGAIN_LATER_CODE = 1013
NORMAL_CODE = 1000
MAX_OPERATIONS = 50
TOO_MANY = f"a socket may have {MAX_OPERATIONS} operations at once: complete one, or open another socket"
# Pings a client may send in a second, on average, before it is taken for a flood.
PINGS_PER_SECOND = 5.0
MAX_ID = 255
NO_ID = f"`id` must be a string of 1 to {MAX_ID} characters"


class Answers:
    """Sends the results of one operation. What could not run at all is an `error`, for its text or its variables."""

    __slots__ = ("_head", "_is_first", "_operation", "_send", "_write")

    def __init__(self, operation: Operation[Any, None]) -> None:
        self._operation = operation
        socket: WebSocket = operation.handler.websocket.ws  # type: ignore[attr-defined] # of the adapter
        self._send, self._write = socket.send, writer_of(socket.scope)
        self._head = b'{"id":%b,"type":"next","payload":' % encode(operation.id)  # type: ignore[arg-type]
        self._is_first = True

    def send_at_once(self, payloads: Sequence[Payload]) -> bool:
        """Send what is shared with others, to which only the operation's own id is added; False if that has to wait."""
        if self._write is None or not self._write(self._head, [payload.closed for payload in payloads]):
            return False
        self._is_first = False
        return True

    async def send(self, result: ExecutionResult | Payload) -> None:
        """Send one."""
        if isinstance(result, Payload):
            try:
                await self._send({"type": "websocket.send", "text": (self._head + result.closed).decode()})
            except WebSocketDisconnect as error:
                raise WebSocketDisconnected from error
        elif self._is_first and not was_run(result):
            await self._operation.send_initial_errors(result.errors or [])
        else:
            await self._operation.send_next(result)
        self._is_first = False


class SocketHandler(BaseGraphQLTransportWSHandler[Any, None]):
    """One socket's conversation."""

    context: "SocketContext"
    _ping_budget = PINGS_PER_SECOND * 10
    _last_ping = 0.0
    # Whether an operation began since the socket was last looked at; opening it counts as well.
    _begun = True
    _ending: asyncio.Task[None] | None = None
    # How the watching of its session is given up.
    _unwatch: Callable[[], None] | None = None

    async def handle_connection_init(self, message: Any) -> None:  # noqa: ANN401 - what a client sent
        """A null payload is the same as none."""
        if message.get("payload") is None:
            message = {**message, "payload": {}}
        try:
            await super().handle_connection_init(message)
        except Exception as error:
            if not is_outage(error):
                raise
            # Whether the token counts cannot be said now: not 4403, which clients take for final.
            await self.websocket.close(code=TRY_AGAIN_LATER_CODE, reason=UNAVAILABLE)
        if self._ending is None and self.connection_acknowledged:
            viewer = self.context.viewer
            # It has done its work, and would keep its frames as long as the socket lives.
            self.connection_init_timeout_task = None
            if viewer is None:
                self._ending = asyncio.create_task(self._end_when_idle(), name="socket's end")
            elif self._unwatch is None:
                self._watch(viewer)

    async def _end_when_idle(self) -> None:
        """Close a socket that nobody signed in on and that asks nothing. Normally: clients open another when needed."""
        while self.operations or self._begun:
            self._begun = False
            await asyncio.sleep(IDLE_SECONDS)
        await self.websocket.close(code=NORMAL_CODE, reason="idle")

    def _watch(self, viewer: Viewer) -> None:
        """Close the socket within seconds of its session's end. No task waits for that: sockets are many."""
        sessions = self.context.state.sessions
        if sessions is None:
            return
        watched = sessions.watch(viewer)

        def look() -> None:
            if watched.ended.is_set() and self._ending is None:
                self._ending = asyncio.create_task(self._end_with_session(), name="socket's end")

        def unwatch() -> None:
            watched.listeners.discard(look)
            sessions.unwatch(watched)

        watched.listeners.add(look)
        self._unwatch = unwatch

    async def _end_with_session(self) -> None:
        with suppress(WebSocketDisconnect):  # it went by itself
            await self.websocket.close(code=SESSION_ENDED_CODE, reason="the session or key has ended: sign in again")

    async def shutdown(self) -> None:
        """End with everything that ran for the socket."""
        if self._unwatch is not None:
            self._unwatch()
        if self._ending is not None:
            await end_tasks([self._ending])
        await super().shutdown()

    async def handle_ping(self, message: PingMessage) -> None:
        """Answer, unless pings come in a flood: each costs a write."""
        now = asyncio.get_running_loop().time()
        self._ping_budget = min(PINGS_PER_SECOND * 10, self._ping_budget + (now - self._last_ping) * PINGS_PER_SECOND)
        self._last_ping = now
        self._ping_budget -= 1
        if self._ping_budget < 0:
            await self.websocket.close(code=4400, reason="too many pings")
            return
        await super().handle_ping(message)

    async def handle_message(self, message: Any) -> None:  # noqa: ANN401 - what a client sent
        """Refuse what the protocol has no form for."""
        kind, payload = message.get("type"), message.get("payload")
        if kind in ("ping", "pong") and not isinstance(payload, dict | None):
            await self.handle_invalid_message(f"the payload of a {kind} must be an object")
            return
        if kind == "complete" and not _is_id(message.get("id")):
            await self.handle_invalid_message(NO_ID)
            return
        await super().handle_message(message)

    async def handle_subscribe(self, message: SubscribeMessage) -> None:
        """Refuse what is not a request before an operation is made of it."""
        if not self.connection_acknowledged:
            await self.websocket.close(code=4401, reason="Unauthorized")
            return
        operation_id = message["id"] if _is_id(message.get("id")) else ""
        if not operation_id:
            await self.handle_invalid_message(NO_ID)
            return
        try:
            asked = as_graphql_request(message.get("payload"))
        except NulRefused as error:
            await self._refuse(operation_id, GraphQLError(error.message, extensions={"code": "BAD_REQUEST"}))
            return
        except BadRequest as error:
            await self.handle_invalid_message(error.message)
            return
        if len(self.operations) >= MAX_OPERATIONS and operation_id not in self.operations:
            await self._refuse(operation_id, GraphQLError(TOO_MANY, extensions={"code": "LIMIT_EXCEEDED"}))
            return
        try:
            asked = await self.context.state.trusted.resolved(asked, self.context.viewer)
        except GraphQLError as error:
            await self._refuse(operation_id, present(error, self.context.request_id))
            return
        self._begun = True
        payload: Any = {**message["payload"], "query": asked.query, "operationName": asked.operation_name}
        await super().handle_subscribe({**message, "payload": payload})

    async def _refuse(self, operation_id: str, error: GraphQLError) -> None:
        """End an operation that was not begun."""
        await self.send_message({"id": operation_id, "type": "error", "payload": [error.formatted]})

    async def run_operation(self, operation: Operation[Any, None]) -> None:
        """Run one operation in a context of its own."""
        metrics = self.context.state.metrics
        try:
            context = await self.context.for_operation()
            documents: Documents = self.view.documents  # type: ignore[attr-defined]
            try:
                node = documents.operation(operation.query, operation.operation_name)
            except GraphQLError as error:
                refused = await context.spend(UNREADABLE_COST)
                await operation.send_initial_errors([refused] if refused else present_all([error], context))
                return
            schema = self.schema._schema  # type: ignore[attr-defined]  # noqa: SLF001 - no public way
            refused = await context.spend(cost_of(operation.query, node, documents, schema))
            if refused is not None:
                await operation.send_initial_errors([refused])
                return
            is_subscription = node.operation is OperationType.SUBSCRIPTION
            if is_subscription:
                with metrics.subscriptions.track_inprogress():
                    await self._follow(operation, context)
            else:
                source = await self.schema.stream(
                    operation.query,
                    variable_values=operation.variables,
                    context_value=context,
                    operation_name=operation.operation_name,
                )
                async with aclosing(source):
                    await self._answer(operation, source, context)
            await operation.send_operation_message({"id": operation.id, "type": "complete"})
        except WebSocketDisconnected:
            raise
        except Exception as error:  # noqa: BLE001 - the last line of defence: it ends this operation and no other
            shown = present(GraphQLError(str(error), original_error=error), self.context.request_id)
            with suppress(WebSocketDisconnected):
                await operation.send_initial_errors([shown])
        finally:
            # Its id may be another operation's by now.
            if self.operations.get(operation.id) is operation:
                del self.operations[operation.id]

    async def _follow(self, operation: Operation[Any, None], context: Context) -> None:
        """Send a subscription's results."""
        live: Live = self.view.live  # type: ignore[attr-defined]
        asked = GraphQLRequest(
            query=operation.query, variables=operation.variables, operation_name=operation.operation_name
        )
        answers = Answers(operation)
        await live.follow(asked, context, answers.send, at_once=answers.send_at_once)

    async def _answer(self, operation: Operation[Any, None], source: StreamResult, context: Context) -> None:
        """Send the one result of a query or mutation, or say that it took too long."""
        seconds = context.settings.graphql_timeout.total_seconds()
        answers = Answers(operation)
        try:
            async with asyncio.timeout(seconds):
                async for result in source:
                    if isinstance(result, ExecutionResult):  # always: incremental delivery is off
                        await answers.send(with_cost(result, context))
        except TimeoutError:
            await operation.send_initial_errors([too_slow(seconds)])


def _is_id(given: object) -> bool:
    return isinstance(given, str) and 0 < len(given) <= MAX_ID
