"""What happens to every HTTP request outside the ingest routes? An id, security headers, and one log line.

Pure ASGI: a middleware that runs the application in a task of its own leaks a database connection when a client goes
away. The id comes in as `X-Request-Id` when it is harmless, and goes out under the same name.
"""

import re
import time

import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from domain.ids import new_id
from graphql_api.observability.metrics import Metrics

log = structlog.get_logger("access")

# Keys of ours in the ASGI scope. `scope["state"]` would not do: some servers share it between requests.
REQUEST_ID = "tocsin.request_id"
OPERATION = "tocsin.operation"

_REQUEST_ID_HEADER = b"x-request-id"
_HARMLESS_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}", re.ASCII)
# The quiet ones are polled every few seconds by machines: a line each would bury the rest.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_QUIET = frozenset({"/livez", "/readyz", "/metrics"})
# Answers are data. GraphiQL and its files state a policy of their own (graphql_api/graphiql.py).
_HEADERS = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
# A year. Sent where people reach the server by https alone: browsers then never ask by http again.
_STRICT_TRANSPORT = {"strict-transport-security": "max-age=31536000"}


def request_id_of(scope: Scope) -> str:
    """The id of this request, made on first asking."""
    if REQUEST_ID not in scope:
        given = Headers(scope=scope).get("x-request-id", "")
        scope[REQUEST_ID] = given if _HARMLESS_ID.fullmatch(given) else str(new_id())
    request_id: str = scope[REQUEST_ID]
    return request_id


class Surroundings:
    """Wraps the application."""

    def __init__(self, app: ASGIApp, metrics: Metrics, *, is_https: bool = False) -> None:
        self._app = app
        self._metrics = metrics
        headers = {**_HEADERS, **(_STRICT_TRANSPORT if is_https else {})}
        # As they travel: an answer has seven of them.
        self._headers = [(name.encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or one socket."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        request_id = request_id_of(scope)
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            if scope["type"] == "websocket":
                await self._app(scope, receive, send)
            else:
                await self._http(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                raw = [pair for pair in message.get("headers", ()) if pair[0] != _REQUEST_ID_HEADER]
                given = {name for name, _ in raw}
                raw.append((_REQUEST_ID_HEADER, request_id_of(scope).encode()))
                raw += [pair for pair in self._headers if pair[0] not in given]
                message["headers"] = raw
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        finally:
            seconds = time.perf_counter() - started
            # A method is text the client chose: unknown ones share a label.
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self._metrics.http_requests.labels(method, str(status or "aborted")).inc()
            if scope["path"] not in _QUIET:
                # The path without its query: a key may be in there.
                log.info(
                    "request",
                    method=scope["method"],
                    path=scope["path"],
                    status=status or None,
                    milliseconds=round(seconds * 1000, 1),
                    client=scope["client"][0] if scope.get("client") else None,
                    operation=scope.get(OPERATION),
                )
