"""A server that speaks as the API does while its database is away: each stream is refused a few times, then told of."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from tests.services.ports import free_port

LINE = {
    "id": "1",
    "title": "it is back",
    "severity": "HIGH",
    "status": "ACTIVE",
    "serviceName": None,
    "version": 1,
}
EVENT = {
    "__typename": "AlertEvent",
    "id": "e",
    "cursor": "after e",
    "kind": "OPENED",
    "occurredAt": "2026-11-27T00:00:00Z",
    "alert": LINE,
}
TOKENS = {"accessToken": "a", "refreshToken": "r", "expiresAt": "2999-01-01T00:00:00Z"}
PAGE = {"nodes": [], "pageInfo": {"hasNextPage": False, "endCursor": None}}
ANSWERS = {
    "mutation SignIn": {"login": {"__typename": "LoginSuccess", **TOKENS}},
    "query OpenAlerts": {"eventCursor": "from the list", "alerts": PAGE},
}


class Faltering:
    """What it was asked, and how often it still refuses."""

    def __init__(self, *, code: str, times: int) -> None:
        self.errors = [{"message": "no", "extensions": {"code": code}}]
        self.times = times
        self.after: list[str] = []

    async def answer(self, request: Request) -> Response:
        """Queries and mutations are answered at once."""
        asked = (await request.json())["query"]
        found = next((answer for name, answer in ANSWERS.items() if asked.lstrip().startswith(name)), None)
        return HTMLResponse("<h1>Bad Gateway</h1>", 502) if found is None else JSONResponse({"data": found})

    async def stream(self, socket: WebSocket) -> None:
        """A subscription: refused, and its socket left to the client; or one event, and then nothing."""
        await socket.accept("graphql-transport-ws")
        await socket.receive_json()
        await socket.send_json({"type": "connection_ack"})
        asked = await socket.receive_json()
        self.after.append(asked["payload"]["variables"]["after"])
        if self.times > 0:
            self.times -= 1
            await socket.send_json({"id": asked["id"], "type": "error", "payload": self.errors})
        else:
            told: dict[str, Any] = {"data": {"alertEvents": EVENT}}
            await socket.send_json({"id": asked["id"], "type": "next", "payload": told})
        async for _ in socket.iter_text():
            await asyncio.sleep(0)

    @contextmanager
    def served(self) -> Iterator[str]:
        """Its address, while it runs."""
        routes = [Route("/graphql", self.answer, methods=["POST"]), WebSocketRoute("/graphql", self.stream)]
        port = free_port()
        server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), port=port, log_config=None))
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = server.force_exit = True
            thread.join()
