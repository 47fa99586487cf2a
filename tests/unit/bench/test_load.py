"""Does the load generator count and time what it claims to?"""

import json
import socket
import threading
from array import array
from collections.abc import Iterator

import pytest

from bench.load import Generator, Load, Requests, Result, is_complete, percentiles

ANSWER = b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}"
LAST_ANSWER = b"HTTP/1.1 503 Busy\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"


class Server:
    """Answers posts one after the other, each third one with a 503 and the end of the connection; keeps the bodies."""

    def __init__(self) -> None:
        self.bodies: list[object] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream:
            while line := stream.readline():
                length = 0
                while line.strip():
                    name, _, value = line.partition(b":")
                    length = int(value) if name.lower() == b"content-length" else length
                    line = stream.readline()
                self.bodies.append(json.loads(stream.read(length)))
                is_last = len(self.bodies) % 3 == 0
                connection.sendall(LAST_ANSWER if is_last else ANSWER)
                if is_last:
                    return

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


def load(port: int = 1, **values: object) -> Load:
    whole: dict[str, object] = {
        "port": port,
        "path": "/alerts",
        "headers": {"Authorization": "Bearer k"},
        "opening": "[",
        "item": '{"key":"@KEY@"}',
        "closing": "]",
        "prefix": "t",
        "connections": 1,
        **values,
    }
    return Load(**whole)  # type: ignore[arg-type]  # checked by msgspec where it is decoded


def sent(result: Result) -> int:
    return sum(result.statuses.values())


def test_a_request_has_the_length_it_says_and_every_key_once() -> None:
    requests = Requests(load(per_request=3))
    heads, bodies = zip(*(requests.next().split(b"\r\n\r\n") for _ in range(2)), strict=True)
    assert f"Content-Length: {len(bodies[0])}".encode() in heads[0]
    assert [item["key"] for body in bodies for item in json.loads(body)] == [f"t{number:09}" for number in range(6)]


def test_known_keys_come_again_and_again() -> None:
    requests = Requests(load(cycle=2))
    keys = [json.loads(requests.next().split(b"\r\n\r\n")[1])[0]["key"] for _ in range(4)]
    assert keys == ["t000000000", "t000000001"] * 2


def test_what_was_answered_2xx_is_counted_and_every_request_is_awaited(server: Server) -> None:
    result = Generator(load(server.port, per_request=2, limit=14, seconds=30.0)).run()

    assert result.statuses == {"202": 5, "503": 2}
    assert (result.requests, result.accepted) == (7, 10)
    assert len(server.bodies) == 7


def test_a_fixed_rate_is_kept_though_connections_end(server: Server) -> None:
    result = Generator(load(server.port, seconds=0.5, rate=100.0, connections=4)).run()

    assert sent(result) == result.requests == 50
    assert 0.4 < result.seconds < 2


@pytest.mark.parametrize(
    ("answer", "complete"),
    [
        (ANSWER, True),
        (ANSWER[:-1], False),
        (ANSWER[:20], False),
        (b"HTTP/1.1 204 No Content\r\n\r\n", True),
    ],
)
def test_an_answer_is_complete_when_its_body_is(answer: bytes, complete: bool) -> None:
    assert is_complete(answer) is complete


def test_an_answer_in_chunks_is_not_guessed_at() -> None:
    with pytest.raises(ValueError, match="chunks"):
        is_complete(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")


def test_percentiles_are_milliseconds_that_were_measured() -> None:
    found = percentiles(array("d", [number / 1000 for number in range(1, 101)]))
    assert found == pytest.approx({"p50": 50.0, "p95": 95.0, "p99": 99.0, "max": 100.0})
    assert percentiles(array("d")) == {}
