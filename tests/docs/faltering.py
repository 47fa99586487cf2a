"""A server that speaks as the API does while its database is away: lists and streams are refused a few times."""

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


def away() -> Response:
    """What a proxy says of a server that does not answer it."""
    return HTMLResponse("<h1>Bad Gateway</h1>", 502)


class Faltering:
    """What it was asked, and how often it still refuses."""

    def __init__(self, *, code: str, times: int, lists: int = 0) -> None:
        self.lists = lists
        self.errors = [{"message": "no", "extensions": {"code": code}}]
        self.times = times
        self.after: list[str] = []

    async def answer(self, request: Request) -> Response:
        """Queries and mutations are answered at once."""
        asked = (await request.json())["query"]
        if self.lists > 0 and asked.lstrip().startswith("query"):
            self.lists -= 1
            # In turn what a proxy says of a server that is away, and what the server says itself.
            return JSONResponse({"errors": self.errors}) if self.lists % 2 == 0 else away()
        found = next((answer for name, answer in ANSWERS.items() if asked.lstrip().startswith(name)), None)
        return away() if found is None else JSONResponse({"data": found})

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
