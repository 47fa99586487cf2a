"""How do operations travel over a WebSocket? What opens one, what a message may be, and for whom it speaks.

`connection_init` carries `{"authorization": "Bearer …"}`, or nothing where a page of ours is signed in by cookies; a
page of another site is refused by its `Origin`. What is said then is socket_handler.py's.
"""

from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson
from starlette.requests import Request
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState
from strawberry import Schema
from strawberry.asgi import ASGIWebSocketAdapter, GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.http.exceptions import NonJsonMessageReceived, NonTextMessageReceived
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types.unset import UNSET

from domain.identity.model import Viewer
from graphql_api.context import Context
from graphql_api.http import encode
from graphql_api.identity.authentication import Caller, authenticate, authenticate_cookies, caller_again
from graphql_api.identity.cookies import SessionCookies, socket_cookies
from graphql_api.limits import Documents
from graphql_api.live.following import Live
from graphql_api.middleware import request_id_of
from graphql_api.socket_handler import MAX_OPERATIONS, SocketHandler
from graphql_api.state import AppState

INIT_SECONDS = 10
# What the reason of a close may hold, in bytes (RFC 6455).
MAX_REASON = 123


@dataclass(kw_only=True)
class SocketContext:
    """What is known of a socket: `viewer` is whom the token of `connection_init` belonged to."""

    state: AppState
    request_id: str
    ip: str | None
    user_agent: str | None
    connection_params: dict[str, object] | None = None
    viewer: Viewer | None = None
    # What the browser sent with the handshake, where a page of ours opened the socket.
    cookies: SessionCookies | None = None

    async def for_operation(self) -> Context:
        """A context of its own for one operation, with the viewer read anew.

        By the session or the key, not by the token: a socket lives as long as its session, longer than an access token.
        """
        caller = Caller() if self.viewer is None else await caller_again(self.state, self.viewer, address=self.ip)
        return Context(
            state=self.state,
            viewer=caller.viewer,
            credential_problem=caller.problem,
            request_id=self.request_id,
            ip=self.ip,
            user_agent=self.user_agent,
            over_http=False,
            wants_cost=(self.connection_params or {}).get("x-tocsin-cost") == "1",
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
                del text
                yield message
                # Whoever needs something of it has it. Who asked still holds the rest, until the next message comes.
                message.clear()

    async def close(self, code: int, reason: str) -> None:
        """Close with a reason that fits: some repeat what a client sent, and one that is too long breaks the frame."""
        await super().close(code, reason.encode()[:MAX_REASON].decode(errors="ignore"))


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
            cookies=socket_cookies(request, request.app.state.tocsin.settings),
        )

    async def on_ws_connect(self, context: Any) -> Any:  # noqa: ANN401
        """Check the credentials once, so that a client with a dead token learns it at once (4403)."""
        # As HTTP has it, however it is spelt: a token that is passed over would leave its sender a stranger, unawares.
        named = {name.lower(): value for name, value in (context.connection_params or {}).items()}
        given = named.get("authorization")
        if given is not None and not isinstance(given, str):
            raise ConnectionRejectionError
        if given:
            context.viewer = (await authenticate(context.state, given, address=context.ip)).viewer
            if context.viewer is None:
                raise ConnectionRejectionError
        elif context.cookies is not None and (context.cookies.access or context.cookies.refresh):
            # No script holds a token it could send. That the session is to be refreshed first is told in the same way.
            context.viewer = (await authenticate_cookies(context.state, context.cookies)).viewer
            if context.viewer is None:
                raise ConnectionRejectionError
        return UNSET

    def encode_json(self, data: object) -> str:
        """Text frames, as the protocol has it."""
        return encode(data).decode()  # type: ignore[arg-type]
