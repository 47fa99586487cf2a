"""How does a test speak graphql-transport-ws? By the `websockets` library, message by message."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from graphql_api.frames import FramesProtocol
from tests.api import Api, Person
from tests.waiting import until

PROTOCOL = "graphql-transport-ws"
SECONDS = 60


class Socket:
    """One connection, after `connection_ack`."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def send(self, **message: object) -> None:
        """Send one message."""
        await self.connection.send(json.dumps(message))

    async def receive(self) -> dict[str, Any]:
        """The next message."""
        async with asyncio.timeout(SECONDS):
            message: dict[str, Any] = json.loads(await self.connection.recv())
        return message

    async def subscribe(self, query: str, variables: object = None, *, operation: str = "1") -> None:
        """Begin an operation."""
        await self.send(id=operation, type="subscribe", payload={"query": query, "variables": variables})

    async def next_data(self) -> dict[str, Any]:
        """The data of the next `next`."""
        message = await self.receive()
        assert message["type"] == "next", message
        assert "errors" not in message["payload"], message
        data: dict[str, Any] = message["payload"]["data"]
        return data

    async def close_code(self) -> int | None:
        """The code the server closes with; messages before it are passed over."""
        async with asyncio.timeout(SECONDS):
            try:
                while True:
                    await self.connection.recv()
            except ConnectionClosed as closed:
                return closed.rcvd.code if closed.rcvd else None


@asynccontextmanager
async def listening(api: Api) -> AsyncIterator[str]:
    """The application on a free port; the address of its GraphQL, without the scheme."""
    config = uvicorn.Config(
        api.app,
        host="127.0.0.1",
        port=0,
        lifespan="off",
        log_config=None,
        ws=FramesProtocol,
        ws_ping_interval=None,
        ws_per_message_deflate=False,
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    try:
        yield f"127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/graphql"
    finally:
        server.should_exit = server.force_exit = True
        await task


@asynccontextmanager
async def connected(address: str, who: Person | str | None) -> AsyncIterator[Socket]:
    """A socket that is signed in."""
    async with connect(
        f"ws://{address}",
        subprotocols=[PROTOCOL],  # type: ignore[list-item]
        max_size=None,
        ping_interval=None,  # a test that does not read for a while is not dead
    ) as connection:
        socket = Socket(connection)
        await socket.send(type="connection_init", payload=Api.headers(who))
        assert (await socket.receive())["type"] == "connection_ack"
        yield socket
