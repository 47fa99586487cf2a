"""How do operations travel over a WebSocket? graphql-transport-ws, with the gaps of the stock handler closed.

`connection_init` carries `{"authorization": "Bearer …"}`. Each operation gets a context of its own, for the person the
session belongs to *now*. A message that is no JSON object, or a request that is malformed, closes with 4400; a syntax
error ends only its own operation.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson
from graphql import GraphQLError, OperationType
from starlette.requests import Request
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState
from strawberry import Schema
from strawberry.asgi import ASGIWebSocketAdapter, GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.http.exceptions import NonJsonMessageReceived, NonTextMessageReceived, WebSocketDisconnected
from strawberry.schema.schema import StreamResult
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler, Operation
from strawberry.subscriptions.protocols.graphql_transport_ws.types import PingMessage, SubscribeMessage
from strawberry.types.execution import ExecutionResult
from strawberry.types.unset import UNSET
from strawberry.utils.aio import aclosing

from domain.identity.model import Viewer
from graphql_api.context import Context
from graphql_api.graphql_request import BadRequest, GraphQLRequest, NulRefused, as_graphql_request
from graphql_api.http import encode, too_slow, was_run
from graphql_api.identity.authentication import Caller, authenticate, caller_of_session
from graphql_api.limits import Documents
from graphql_api.live.groups import Live, Payload
from graphql_api.masking import UNAVAILABLE, is_outage, present, present_all
from graphql_api.middleware import request_id_of
from graphql_api.state import AppState
from persistence.tasks import end_tasks

INIT_SECONDS = 10
# A socket of nobody may be quiet for so long between its operations. One of somebody ends with their session.
IDLE_SECONDS = 60.0
# Clients take it for final and do not reconnect with the same credentials.
SESSION_ENDED_CODE = 4401
TRY_AGAIN_LATER_CODE = 1013
NORMAL_CODE = 1000
MAX_OPERATIONS = 50
TOO_MANY = f"a socket may have {MAX_OPERATIONS} operations at once"
# Pings a client may send in a second, on average, before it is taken for a flood.
PINGS_PER_SECOND = 5.0
MAX_ID = 255
# What the reason of a close may hold, in bytes (RFC 6455).
MAX_REASON = 123
NO_ID = f"`id` must be a string of 1 to {MAX_ID} characters"


@dataclass(kw_only=True)
class SocketContext:
    """What is known of a socket: `viewer` is whom the token of `connection_init` belonged to."""

    state: AppState
    request_id: str
    ip: str | None
    user_agent: str | None
    connection_params: dict[str, object] | None = None
    viewer: Viewer | None = None

    async def for_operation(self) -> Context:
        """A context of its own for one operation, with the viewer read anew.

        By the session, not by the token: a socket lives as long as its session, longer than an access token.
        """
        caller = Caller() if self.viewer is None else await caller_of_session(self.state, self.viewer.session_id)
        return Context(
            state=self.state,
            viewer=caller.viewer,
            credential_problem=caller.problem,
            request_id=self.request_id,
            ip=self.ip,
            user_agent=self.user_agent,
        )


class SocketAdapter(ASGIWebSocketAdapter):
    """Reads messages: JSON objects of bounded size."""

    async def iter_json(self, *, ignore_parsing_errors: bool = False) -> AsyncGenerator[object, None]:  # noqa: ARG002
        """The messages, each a JSON object."""
        socket: WebSocket = self.ws
        most = socket.app.state.tocsin.settings.graphql_max_body_bytes
        with suppress(WebSocketDisconnect):
            while socket.application_state != WebSocketState.DISCONNECTED:
                try:
                    text = await socket.receive_text()
                except KeyError as error:
                    raise NonTextMessageReceived from error
                try:
                    if len(text) > most:
                        raise NonJsonMessageReceived
                    message = orjson.loads(text)
                except orjson.JSONDecodeError as error:
                    raise NonJsonMessageReceived from error
                if not isinstance(message, dict):
                    raise NonJsonMessageReceived
                yield message

    async def close(self, code: int, reason: str) -> None:
        """Close with a reason that fits: some repeat what a client sent, and one that is too long breaks the frame."""
        await super().close(code, reason.encode()[:MAX_REASON].decode(errors="ignore"))


class SocketHandler(BaseGraphQLTransportWSHandler[Any, None]):
    """One socket's conversation."""

    context: SocketContext
    _ping_budget = PINGS_PER_SECOND * 10
    _last_ping = 0.0
    # Whether an operation began since the socket was last looked at; opening it counts as well.
    _begun = True
    _ending: asyncio.Task[None] | None = None
    _watching = False

    def __init__(self, *given: Any, **named: Any) -> None:  # noqa: ANN401 - as the stock handler has it
        super().__init__(*given, **named)
        self._stack = ExitStack()

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
            elif not self._watching:
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
        watched = self._stack.enter_context(sessions.watching(viewer))

        def look() -> None:
            if watched.ended.is_set() and self._ending is None:
                self._ending = asyncio.create_task(self._end_with_session(), name="socket's end")

        watched.listeners.add(look)
        self._stack.callback(watched.listeners.discard, look)
        self._watching = True

    async def _end_with_session(self) -> None:
        with suppress(WebSocketDisconnect):  # it went by itself
            await self.websocket.close(code=SESSION_ENDED_CODE, reason="the session has ended: sign in again")

    async def shutdown(self) -> None:
        """End with everything that ran for the socket."""
        self._stack.close()
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
        await super().handle_subscribe({**message, "payload": {**message["payload"], "query": asked.query}})

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
                await operation.send_initial_errors(present_all([error], context))
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
        """Send a subscription's results; to those it shares with others only its own id is added."""
        live: Live = self.view.live  # type: ignore[attr-defined]
        asked = GraphQLRequest(
            query=operation.query, variables=operation.variables, operation_name=operation.operation_name
        )
        head = f'{{"id":{encode(operation.id).decode()},"type":"next","payload":'  # type: ignore[arg-type]
        send = self.websocket.ws.send  # type: ignore[attr-defined] # of the adapter above
        is_first = True
        async with aclosing(live.results(asked, context)) as results:
            async for result in results:
                if isinstance(result, Payload):
                    try:
                        await send({"type": "websocket.send", "text": f"{head}{result.text}}}"})
                    except WebSocketDisconnect as error:
                        raise WebSocketDisconnected from error
                elif is_first and not was_run(result):
                    await operation.send_initial_errors(result.errors or [])
                    return
                else:
                    await operation.send_next(result)
                is_first = False

    async def _send_result_stream(self, operation: Operation[Any, None], result_source: StreamResult) -> None:
        """Send each result. What could not run at all is an `error`, whether for its text or for its variables."""
        is_first = True
        async for result in result_source:
            if not isinstance(result, ExecutionResult):  # never: incremental delivery is off
                continue
            if is_first and not was_run(result):
                await operation.send_initial_errors(result.errors or [])
                return
            is_first = False
            await operation.send_next(result)

    async def _answer(self, operation: Operation[Any, None], source: StreamResult, context: Context) -> None:
        """Send the one result of a query or mutation, or say that it took too long."""
        seconds = context.settings.graphql_timeout.total_seconds()
        try:
            async with asyncio.timeout(seconds):
                await self._send_result_stream(operation, source)
        except TimeoutError:
            await operation.send_initial_errors([too_slow(seconds)])


def _is_id(given: object) -> bool:
    return isinstance(given, str) and 0 < len(given) <= MAX_ID


class SocketEndpoint(GraphQL[Any, None]):
    """The WebSocket side of `/graphql`."""

    websocket_adapter_class = SocketAdapter
    graphql_transport_ws_handler_class = SocketHandler

    def __init__(self, schema: Schema, documents: Documents, live: Live, *, allowed_origins: list[str]) -> None:
        super().__init__(
            schema,
            graphql_ide=None,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
            connection_init_wait_timeout=timedelta(seconds=INIT_SECONDS),
            max_subscriptions_per_connection=MAX_OPERATIONS,
            allowed_origins=allowed_origins,
        )
        self.documents, self.live = documents, live

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket."""
        state: AppState = scope["app"].state.tocsin
        with state.metrics.sockets.track_inprogress():
            await super().__call__(scope, receive, send)

    async def get_context(self, request: Request | WebSocket, response: object) -> Any:  # noqa: ANN401, ARG002
        """What is known of the socket before anything was said."""
        return SocketContext(
            state=request.app.state.tocsin,
            request_id=request_id_of(request.scope),
            ip=request.client.host if request.client else None,
            user_agent=request.headers.get("user-agent"),
        )

    async def on_ws_connect(self, context: Any) -> Any:  # noqa: ANN401
        """Check the credentials once, so that a client with a dead token learns it at once (4403)."""
        given = (context.connection_params or {}).get("authorization")
        if given is not None and not isinstance(given, str):
            raise ConnectionRejectionError
        if given:
            context.viewer = (await authenticate(context.state, given)).viewer
            if context.viewer is None:
                raise ConnectionRejectionError
        return UNSET

    def encode_json(self, data: object) -> str:
        """Text frames, as the protocol has it."""
        return encode(data).decode()  # type: ignore[arg-type]
