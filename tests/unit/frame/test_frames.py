"""Is a text that is written past ASGI the same to a client as one that is sent, and refused where it would not be?"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import ClientConnection, connect

from graphql_api.frames import FramesProtocol, Write, writer_of
from tests.waiting import until

# On both sides of where a frame's length takes more bytes.
LENGTHS = [0, 1, 125, 126, 127, 65_535, 65_536, 1_000_000]
KILOBYTE = b"x" * 1000


class Served:
    """An application that accepts a socket and keeps it open; a test sends, and sees what it offers."""

    def __init__(self) -> None:
        self.sockets: list[WebSocket] = []
        self.heard: list[str] = []
        self.has_ended = False

    async def follow(self, socket: WebSocket) -> None:
        early = writer_of(socket.scope)
        assert early is None or not early(b"too", [b" early"])
        await socket.accept()
        gives_up = asyncio.create_task(socket.receive_text())
        await asyncio.sleep(0)
        gives_up.cancel()
        await asyncio.wait({gives_up})
        self.sockets.append(socket)
        try:
            while True:
                self.heard.append(await socket.receive_text())
        except WebSocketDisconnect:
            self.has_ended = True

    @property
    def socket(self) -> WebSocket:
        return self.sockets[0]

    @property
    def write(self) -> Write:
        write = writer_of(self.socket.scope)
        assert write is not None
        return write


@asynccontextmanager
async def one_socket(
    *, ws: type[asyncio.Protocol] | str = FramesProtocol, compresses: bool = False
) -> AsyncIterator[tuple[Served, ClientConnection]]:
    """Both ends of a socket of a real server."""
    served = Served()
    app = Starlette(routes=[WebSocketRoute("/", served.follow)])
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, lifespan="off", log_config=None, ws=ws, ws_per_message_deflate=compresses
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    try:
        address = f"ws://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/"
        async with connect(address, max_size=None, ping_interval=None) as client:
            await until(lambda: bool(served.sockets))
            yield served, client
    finally:
        server.should_exit = server.force_exit = True
        await task


async def test_what_is_written_and_what_is_sent_come_alike_and_in_order() -> None:
    async with one_socket() as (served, client):
        for length in LENGTHS:
            begin, end = b"x" * (length % 2), "é".encode() * (length // 2)
            await until(lambda begin=begin, end=end: served.write(begin, [end]))  # type: ignore[misc]
            await served.socket.send_text((begin + end).decode())
            assert await client.recv() == await client.recv() == (begin + end).decode()
            assert len(begin + end) == length


async def test_one_who_does_not_read_is_written_no_more_until_they_do() -> None:
    async with one_socket() as (served, client):
        written = 0
        while served.write(b"%d " % written, [KILOBYTE]):
            written += 1
            await asyncio.sleep(0)
        assert written
        texts = [await client.recv() for _ in range(written)]
        assert texts == [f"{number} {KILOBYTE.decode()}" for number in range(written)]
        await until(lambda: served.write(b"and", [b" on", b" again"]))
        assert [await client.recv(), await client.recv()] == ["and on", "and again"]


@pytest.mark.parametrize("by", ["client", "server"])
async def test_nothing_is_written_to_a_socket_that_was_closed(by: str) -> None:
    async with one_socket() as (served, client):
        write = served.write
        await (client.close() if by == "client" else served.socket.close())
        await until(lambda: served.has_ended)
        assert not write(b"too", [b" late"])


async def test_nothing_is_written_to_a_socket_that_broke_and_it_lets_go_of_its_server() -> None:
    async with one_socket() as (served, client):
        write = served.write
        client.transport.abort()
        await until(lambda: served.has_ended)
        assert not write(b"too", [b" late"])
        await until(lambda: writer_of(served.socket.scope) is None)


async def test_what_must_be_compressed_is_left_to_who_does_that() -> None:
    async with one_socket(compresses=True) as (served, client):
        assert not served.write(b"as it", [b" is"])
        await served.socket.send_text("compressed")
        assert await client.recv() == "compressed"


async def test_another_server_offers_nothing() -> None:
    async with one_socket(ws="websockets-sansio") as (served, _client):
        assert writer_of(served.socket.scope) is None


async def test_what_a_client_says_is_heard_in_order_also_after_one_who_asked_and_gave_up() -> None:
    async with one_socket() as (served, client):
        texts = [str(number) for number in range(50)]
        for text in texts:
            await client.send(text)
        await until(lambda: len(served.heard) == len(texts))
        assert served.heard == texts
