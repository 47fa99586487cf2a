"""Does a served API shrug off what takes others down? Each attack is refused, and afterwards all is as before (T4)."""

import asyncio
import contextlib
import json
import os
import socket
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.e2e.served_api import ServedApi, served_api
from tests.services.ports import free_port
from tests.sockets import PROTOCOL

# One set of processes for the file.
pytestmark = pytest.mark.xdist_group("hostile-graphql")

Attack = Callable[[ClientConnection], Awaitable[None]]

MEGABYTE = 1024 * 1024


def with_variable(value: bytes) -> bytes:
    return b'{"query": "{ me { id } }", "variables": {"a": ' + value + b"}}"


def with_query(text: str) -> bytes:
    return json.dumps({"query": text}).encode()


BODIES = {
    "JSON 100,000 levels deep": with_variable(b"[" * 100_000 + b"]" * 100_000),
    "malformed UTF-8": with_variable(b'"\xff\xfe"'),
    "a lone surrogate": with_variable(b'"\\ud800"'),
    "20,000 aliases": with_query("{" + "".join(f" a{n}: me {{ id }}" for n in range(20_000)) + "}"),
    "fields 10,000 levels deep": with_query("{ me " + "{ team " * 10_000 + "}" * 10_001),
    "lists 10,000 levels deep": with_query("{ alert(id: " + "[" * 10_000 + "]" * 10_000 + ") { id } }"),
    "50 MB": b'{"query": "' + b"x" * (50 * MEGABYTE) + b'"}',
}


@pytest.fixture(scope="module")
def serving(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedApi]:
    folder = tmp_path_factory.mktemp("served")
    with served_api(module_database_url, folder=folder, port=free_port()) as running:
        yield running


def memory(serving: ServedApi) -> float:
    """What the process holds, in megabytes."""
    pages = Path(f"/proc/{serving.pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE") / MEGABYTE


def answers_at_once(serving: ServedApi) -> None:
    """An innocent request is answered, long before its client would give up."""
    answer = httpx2.post(f"{serving.url}/graphql", json={"query": "{ __typename }"}, timeout=5)
    assert answer.json() == {"data": {"__typename": "Query"}}


def test_hostile_bodies_are_refused_one_by_one_and_leave_nothing(serving: ServedApi) -> None:
    answers_at_once(serving)
    before = memory(serving)
    for _ in range(3):
        for name, body in BODIES.items():
            assert post_raw(serving, body) in {200, 400, 413}, name
            answers_at_once(serving)
    assert memory(serving) - before < 30
    assert "internal_error" not in serving.log.read_text()


def post_raw(serving: ServedApi, body: bytes) -> int:
    """The status of a post; the server may answer, and close, before it has read all of it."""
    place = urlsplit(serving.url)
    assert place.hostname is not None
    head = f"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection((place.hostname, place.port or 80), timeout=10) as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall(head.encode() + body)
        return int(connection.recv(4096).split(b" ", 2)[1])


async def test_hostile_sockets_cost_nobody_else_anything(serving: ServedApi) -> None:
    await asyncio.to_thread(answers_at_once, serving)
    before = await asyncio.to_thread(memory, serving)
    closed = await asyncio.gather(*(attack(serving, kind) for kind in (flood, large, broken) for _ in range(20)))
    assert set(closed) <= {4400, 1009}
    await asyncio.to_thread(answers_at_once, serving)
    assert await asyncio.to_thread(memory, serving) - before < 30
    assert "internal_error" not in await asyncio.to_thread(serving.log.read_text)


async def attack(serving: ServedApi, kind: Attack) -> int:
    """The code the socket was closed with."""
    address = f"{serving.url}/graphql".replace("http:", "ws:")
    async with connect(address, subprotocols=[Subprotocol(PROTOCOL)], max_size=None) as opened:
        await opened.send('{"type":"connection_init"}')
        await opened.recv()
        sending = asyncio.ensure_future(kind(opened))
        try:
            async with asyncio.timeout(60):
                while True:
                    await opened.recv()
        except ConnectionClosed as ended:
            return ended.rcvd.code if ended.rcvd else 1006
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)


async def flood(opened: ClientConnection) -> None:
    """Pings by the thousand a second."""
    while True:
        for _ in range(20):
            await opened.send('{"type":"ping"}')
        # A send need not wait for anything, and the other attackers live in this loop as well.
        await asyncio.sleep(0.01)


async def large(opened: ClientConnection) -> None:
    """A document of two megabytes."""
    query = "{" + " me { id }" * 200_000 + "}"
    await opened.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": query}}))


async def broken(opened: ClientConnection) -> None:
    """No JSON object."""
    await opened.send("[" * 100_000)
