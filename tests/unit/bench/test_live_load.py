"""Does the crowd of `bench live` see what a server sends, frame by frame, and time what it claims to?"""

import base64
import hashlib
import json
import os
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from io import BufferedReader

import pytest

from bench.live_crowd import LEAST_EVENT_BYTES
from bench.live_load import Measuring
from bench.live_report import render
from bench.live_results import LiveReport, LiveTurn, MemoryTurn
from bench.live_wire import TEXT, LiveLoad, LiveResult, Publishing, Subscriber, frame_end, masked
from bench.payloads import KEY

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def framed(payload: bytes) -> bytes:
    """A frame as a server sends it: without a mask."""
    whole = masked(TEXT, payload)
    at = len(whole) - len(payload) - 4
    return whole[:1] + bytes((whole[1] & 0x7F,)) + whole[2:at] + payload


class Server:
    """Answers posts after a while, and sends each body to every socket that has subscribed, in two pieces."""

    def __init__(self) -> None:
        self.subscribed: list[tuple[socket.socket, str]] = []
        self.tokens: list[str] = []
        self.posts = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._connections: list[socket.socket] = []
        self._sending = threading.Lock()
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        # Who hangs up, or is hung up on, ends its thread: ValueError is what a closed stream says to its reader.
        with suppress(OSError, ValueError), connection, connection.makefile("rb") as stream:
            self._answer(connection, stream)

    def _answer(self, connection: socket.socket, stream: BufferedReader) -> None:
        while line := stream.readline():
            headers = {}
            while header := stream.readline().strip():
                name, _, value = header.partition(b": ")
                headers[name.lower()] = value
            if line.startswith(b"GET"):
                self._converse(connection, stream.read, headers[b"sec-websocket-key"])
                stream.read()
                return
            body = stream.read(int(headers[b"content-length"]))
            with self._sending:
                self.posts += 1
                for subscriber, _ in self.subscribed:
                    message = framed(b'{"type":"next"}'.ljust(LEAST_EVENT_BYTES) + body)
                    subscriber.sendall(message[:50])
                    time.sleep(0.001)
                    subscriber.sendall(message[50:])
            connection.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}")

    def _converse(self, connection: socket.socket, read: Callable[[int], bytes], key: bytes) -> None:
        accept = base64.b64encode(hashlib.sha1(key + GUID, usedforsecurity=False).digest())
        head = b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        connection.sendall(head)
        hello = json.loads(self._message(read))
        self.tokens.append(hello["payload"]["authorization"])
        connection.sendall(framed(b'{"type":"connection_ack"}') + bytes((0x89, 2)) + b"hi")
        answers = {self._message(read), self._message(read)}
        assert b"hi" in answers
        (asked,) = answers - {b"hi"}
        with self._sending:
            self.subscribed.append((connection, json.loads(asked)["id"]))

    @staticmethod
    def _message(read: Callable[[int], bytes]) -> bytes:
        head = read(2)
        if len(head) < 2:
            raise ConnectionResetError
        length = head[1] & 0x7F
        if length == 126:
            length = int.from_bytes(read(2), "big")
        read(4)
        return read(length)

    def close(self) -> None:
        for one in (self._listener, *self._connections):
            one.close()


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.mark.parametrize("length", [0, 125, 126, 65_535, 65_536])
def test_a_frame_is_found_when_it_has_come_whole(length: int) -> None:
    data = b"rest" + framed(os.urandom(length))
    assert frame_end(data, 4) == (len(data) - length, len(data))
    assert frame_end(data[:-1], 4) is None
    assert frame_end(data, len(data)) is None


def test_a_turn_counts_every_event_at_every_socket(server: Server) -> None:
    crowd = [Subscriber(token=f"t{n}", query="subscription { x }", operation=f"o{n}") for n in range(20)]
    found = run(server, subscribers=crowd, events=5, gap=0.02, seconds=0.3)
    assert sorted(server.tokens) == sorted(f"Bearer t{n}" for n in range(20))
    assert sorted(operation for _, operation in server.subscribed) == sorted(f"o{n}" for n in range(20))
    assert len(found.timed) == 5
    for timed in found.timed:
        # Twenty sockets, one after the other, a millisecond each; the answer is after the last.
        assert timed.sent < timed.first < timed.last
        assert 0.019 < timed.last - timed.first < 2
        assert timed.answer == "{}"
    assert found.sustained_events > 1
    assert found.sustained == pytest.approx(found.sustained_events / 0.3, rel=0.6)
    # What a warm-up sent went to those who had subscribed by then; all the rest went to all.
    rest = 20 * (5 + found.sustained_events)
    assert rest + 20 <= found.frames <= 20 * server.posts
    # Of the socket that was furthest behind when the time was up.
    number = re.search(r'"p(\d{7})"$', found.samples[0])
    assert number
    assert 5 < int(number[1]) <= server.posts


def test_a_socket_that_is_closed_ends_the_turn(server: Server) -> None:
    crowd = [Subscriber(token="t", query="subscription { x }")]

    def hang_up() -> None:
        while not server.subscribed:
            time.sleep(0.01)
        server.subscribed[0][0].shutdown(socket.SHUT_RDWR)

    threading.Thread(target=hang_up, daemon=True).start()
    with pytest.raises((ConnectionResetError, TimeoutError, RuntimeError)):
        run(server, subscribers=crowd, events=1000, gap=0.01, seconds=0.0)


def run(server: Server, **more: object) -> LiveResult:
    values = {
        "port": server.port,
        "publishing": Publishing(path="/", headers={}, body=f'"{KEY}"'),
        "prefix": "p",
        "window": 4,
        "patience": 5.0,
        **more,
    }
    return Measuring(LiveLoad(**values)).run()  # type: ignore[arg-type]


def test_the_report_compares_with_the_peers_of_the_same_run() -> None:
    def turn(server: str, last: float, sustained: float) -> LiveTurn:
        stages = {"hand-over to last": [last] * 3, "hand-over to first": [1.0], "first to last": [last - 1]}
        return LiveTurn(
            server=server,
            groups=1,
            subscribers=10,
            stages=stages,
            sustained=sustained,
            bytes_each=300,
            load_share=0.1,
            cost=0.0 if server == "stock" else last,
        )

    memory = MemoryTurn(subscribers=10, resident=[100_000, 700_000, 500_000], subscribe_seconds=1, last_ms=[5.0])
    turns = [turn("tocsin", 18, 90), turn("bare", 15, 140), turn("stock", 120, 8)]
    text = render(LiveReport(began=datetime.now(tz=UTC), machine=[], subscribers=10, turns=turns, memory=[memory]))
    assert "| last client within 1.5 times the bare broadcast, 1 group (p50) | 1.20 | yes |" in text
    assert "| at least 10 times the events/s of stock, 1 group | 11.2 | yes |" in text
    assert "| under 50 kB a subscriber, 10 of them | 60.0 | **no** |" in text
    # What a message takes of the server's processor; a dash for a run that did not look.
    assert "| tocsin | 1 | 90.0 | 18.0 |" in text
    assert "| stock |  | 8.00 | - |" in text
