"""Does an answer leave by one write where its length is known, and as ever where it is not?"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import uvicorn
from starlette.types import Message, Receive, Scope, Send

from graphql_api.one_write import OneWriteProtocol
from tests.waiting import until

BODY = b"HTTP/1.1 200 \r\ncontent-length: 7\r\n\r\nx"
Take = Callable[[Receive, Send], Awaitable[None]]


class Written:
    """What was written to the connections of a server, a list a write."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []


class _Noted:
    """A transport that notes what is written."""

    def __init__(self, transport: Any, written: Written) -> None:  # noqa: ANN401 - the server's own
        self._transport, self._written = transport, written

    def write(self, data: bytes) -> None:
        self._written.writes.append(bytes(data))
        self._transport.write(data)

    def writelines(self, data: tuple[bytes, ...]) -> None:
        self._written.writes.append(b"".join(data))
        self._transport.writelines(data)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - as above
        return getattr(self._transport, name)


@asynccontextmanager
async def served(take: Take) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter, Written]]:
    """A connection to a real server, and what the server writes to it."""
    written = Written()

    class Protocol(OneWriteProtocol):
        def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - as above
            super().connection_made(transport)
            self.transport = _Noted(transport, written)  # type: ignore[assignment] # it is used as one

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        await take(receive, send)

    config = uvicorn.Config(app, host="127.0.0.1", port=0, lifespan="off", log_config=None, http=Protocol)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    try:
        await until(lambda: server.started)
        port = server.servers[0].sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        yield reader, writer, written
        writer.close()
    finally:
        server.should_exit = True
        await serving


def _start(*headers: tuple[bytes, bytes], status: int = 200) -> Message:
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


def _body(body: bytes, *, more: bool = False) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more}


def _request(method: str = "GET", body: bytes = b"", more: str = "") -> bytes:
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    return f"{method} / HTTP/1.1\r\nHost: a\r\n{length}{more}\r\n".encode() + body


def _with_length(body: bytes) -> Message:
    return _start((b"Content-Length", str(len(body)).encode()))


async def _answer_of(reader: asyncio.StreamReader, *, length: int) -> tuple[bytes, bytes]:
    async with asyncio.timeout(60):
        head = await reader.readuntil(b"\r\n\r\n")
        return head, await reader.readexactly(length)


@pytest.mark.parametrize("body", [b"", b"{}", BODY, b"x" * 1_000_000], ids=["none", "short", "like a head", "long"])
async def test_head_and_body_are_one_write(body: bytes) -> None:
    async def take(_: Receive, send: Send) -> None:
        await send(_with_length(body))
        await send(_body(body))

    async with served(take) as (reader, writer, written):
        for number in (1, 2):  # the connection goes on
            writer.write(_request())
            head, found = await _answer_of(reader, length=len(body))
            assert found == body
            assert len(written.writes) == number
            assert written.writes[-1] == head + body


async def test_a_body_in_pieces_is_written_as_it_comes() -> None:
    go_on = asyncio.Event()

    async def take(_: Receive, send: Send) -> None:
        await send(_with_length(b"onetwo"))
        await send(_body(b"one", more=True))
        await go_on.wait()
        await send(_body(b"two"))

    async with served(take) as (reader, writer, written):
        writer.write(_request())
        assert (await _answer_of(reader, length=3))[1] == b"one"
        go_on.set()
        assert await reader.readexactly(3) == b"two"
        assert [write[-3:] for write in written.writes] == [b"one", b"two"]


async def test_a_stream_without_length_says_at_once_that_it_has_begun() -> None:
    go_on = asyncio.Event()

    async def take(_: Receive, send: Send) -> None:
        await send(_start((b"content-type", b"text/event-stream")))
        await go_on.wait()
        await send(_body(BODY, more=True))
        await send(_body(b""))

    async with served(take) as (reader, writer, _):
        writer.write(_request())
        assert b"chunked" in (await _answer_of(reader, length=0))[0]
        go_on.set()
        async with asyncio.timeout(60):
            assert BODY in await reader.readuntil(b"0\r\n\r\n")


async def test_the_answer_to_head_has_no_body_to_wait_for() -> None:
    async def take(_: Receive, send: Send) -> None:
        await send(_with_length(BODY))
        await send(_body(BODY))

    async with served(take) as (reader, writer, _):
        for _ in range(2):
            writer.write(_request("HEAD"))
            head, _nothing = await _answer_of(reader, length=0)
            assert b"content-length: %d" % len(BODY) in head


async def test_an_answer_that_was_begun_and_given_up_ends_the_connection() -> None:
    async def take(_: Receive, send: Send) -> None:
        await send(_with_length(b"body"))
        raise RuntimeError

    async with served(take) as (reader, writer, _):
        writer.write(_request())
        async with asyncio.timeout(60):
            assert (await reader.read()).startswith(b"HTTP/1.1 200")


async def test_who_asks_whether_to_send_a_body_hears_so_first() -> None:
    async def take(receive: Receive, send: Send) -> None:
        message = await receive()
        await send(_with_length(message["body"]))
        await send(_body(message["body"]))

    async with served(take) as (reader, writer, _):
        writer.write(_request("POST", more="Expect: 100-continue\r\nContent-Length: 4\r\n"))
        assert (await _answer_of(reader, length=0))[0].startswith(b"HTTP/1.1 100 ")
        writer.write(b"body")
        assert (await _answer_of(reader, length=4))[1] == b"body"


async def test_requests_sent_together_are_answered_in_their_order() -> None:
    answered = 0

    async def take(receive: Receive, send: Send) -> None:
        nonlocal answered
        answered += 1
        body = b"%d" % answered
        while (await receive())["more_body"]:
            pass
        await asyncio.sleep(0)
        await send(_with_length(body))
        await send(_body(body))

    async with served(take) as (reader, writer, written):
        writer.write(_request() * 3)
        assert [(await _answer_of(reader, length=1))[1] for _ in range(3)] == [b"1", b"2", b"3"]
        assert len(written.writes) == 3


async def test_who_hangs_up_meanwhile_disturbs_nobody() -> None:
    has_failed = False

    async def take(receive: Receive, send: Send) -> None:
        nonlocal has_failed
        while (await receive())["type"] != "http.disconnect":
            pass
        try:
            await send(_with_length(b"body"))
            await send(_body(b"body"))
        except Exception:
            has_failed = True
            raise

    async with served(take) as (_, writer, written):
        writer.write(_request())
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        await asyncio.sleep(0.1)
        assert not has_failed
        assert not written.writes
