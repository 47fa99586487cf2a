"""How fast can the same bytes be sent to all? A bare Starlette application: a loop over sockets, and nothing else.

`POST /broadcast` sends its body, as it is, to every socket that has subscribed; it is answered at once. The bench
starts it with `uvicorn bench.plain_live:app`.
"""

import asyncio
import json

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

sockets: set[WebSocket] = set()
running: set[asyncio.Task[None]] = set()


async def follow(socket: WebSocket) -> None:
    """Let in whoever comes."""
    await socket.accept(subprotocol="graphql-transport-ws")
    try:
        while True:
            message = json.loads(await socket.receive_text())
            if message["type"] == "connection_init":
                await socket.send_text('{"type":"connection_ack"}')
            elif message["type"] == "subscribe":
                sockets.add(socket)
    except WebSocketDisconnect:
        sockets.discard(socket)


async def _send_to_all(text: str) -> None:
    for socket in list(sockets):
        await socket.send_text(text)


async def broadcast(request: Request) -> Response:
    """Take one event."""
    task = asyncio.create_task(_send_to_all((await request.body()).decode()))
    running.add(task)
    task.add_done_callback(running.discard)
    return Response(status_code=202)


async def health(_request: Request) -> Response:
    """Whether it is up."""
    return Response()


app = Starlette(
    routes=[
        WebSocketRoute("/graphql", follow),
        Route("/broadcast", broadcast, methods=["POST"]),
        Route("/health", health),
    ]
)
