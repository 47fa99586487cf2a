"""How is a load made without using up the machine? By one epoll loop over plain sockets that reads status and length.

It costs what `wrk` costs (25 to 30 µs a request, nearly all of it the kernel's socket calls) and counts exactly, which
`wrk` does not: that one leaves requests open when its time is up.

Closed (`rate` None): every connection sends its next request as soon as it has an answer. Open: requests are due at a
fixed rate whether answers come or not, and latency counts from the time a request was due, so a server that stalls is
charged for every request that had to wait. At the end nothing more is sent and every answer is awaited.

Run as a process of its own: a `Load` as JSON on standard input, a `Result` as JSON on standard output.
"""

import gc
import math
import resource
import select
import socket
import subprocess
import sys
import time
from array import array
from collections import Counter, deque
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bench.payloads import KEY

ROOT = Path(__file__).resolve().parent.parent
ANSWER_SECONDS = 60.0
RECEIVE_BYTES = 1 << 18
HEAD_BYTES = 1024
KEY_DIGITS = 9


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What to send. `cycle` 0 makes every alert new; N walks through N keys again and again; `prefix` leads each.

    `bodies` names a file with a request's body a line, each of `per_request` alerts: then these are sent, each once.
    """

    port: int
    path: str
    headers: dict[str, str]
    opening: str
    item: str
    closing: str
    prefix: str
    per_request: int = 1
    connections: int = 32
    seconds: float = 10.0
    cycle: int = 0
    rate: float | None = None
    limit: int = sys.maxsize
    bodies: str | None = None


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What came back. `accepted` counts alerts of requests that were answered 2xx; latencies are milliseconds."""

    requests: int
    accepted: int
    statuses: dict[str, int]
    seconds: float
    latencies: dict[str, float]
    cpu_seconds: float

    @property
    def rate(self) -> float:
        """Alerts a second that were answered 2xx."""
        return self.accepted / self.seconds if self.seconds else 0.0


def run(load: Load) -> Result:
    """Apply the load from a process of its own and wait for its result."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.load"],
        input=msgspec.json.encode(load),
        stdout=subprocess.PIPE,
        check=True,
        cwd=ROOT,
    )
    return msgspec.json.decode(done.stdout, type=Result)


@dataclass(slots=True)
class Connection:
    """One socket, when its request was due, what has arrived of its answer, whether the server has done with it."""

    socket: socket.socket
    due: float = 0.0
    received: bytes = b""
    is_spent: bool = False


class Requests:
    """Makes the bytes of one request after the other. All have one length, so the head is made once."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._sent = 0
        self._prefix = load.prefix.encode()
        self._item = load.item.encode()
        self._opening, self._closing = load.opening.encode(), load.closing.encode()
        lines = [f"POST {load.path} HTTP/1.1", f"Host: 127.0.0.1:{load.port}"]
        lines += [f"{name}: {value}" for name, value in load.headers.items()]
        lines += ["Content-Type: application/json", f"Content-Length: {len(self._body())}", "", ""]
        self._head = "\r\n".join(lines).encode()
        self._sent = 0

    @property
    def exhausted(self) -> bool:
        """Whether as many alerts as wanted were made."""
        return self._sent >= self._load.limit

    def next(self) -> bytes:
        """The next request, whole."""
        return self._head + self._body()

    def _body(self) -> bytes:
        return self._opening + b",".join([self._next_item() for _ in range(self._load.per_request)]) + self._closing

    def _next_item(self) -> bytes:
        number = self._sent % self._load.cycle if self._load.cycle else self._sent
        self._sent += 1
        return self._item.replace(KEY.encode(), self._prefix + b"%0*d" % (KEY_DIGITS, number))


class ReadyRequests:
    """Sends what a file says."""

    def __init__(self, load: Load) -> None:
        self._bodies = Path(load.bodies or "").read_bytes().splitlines()
        self._place = 0
        lines = [f"POST {load.path} HTTP/1.1", f"Host: 127.0.0.1:{load.port}"]
        lines += [f"{name}: {value}" for name, value in load.headers.items()]
        self._head = "\r\n".join([*lines, "Content-Type: application/json", "Content-Length: "]).encode()

    @property
    def exhausted(self) -> bool:
        """Whether all of it was sent."""
        return self._place >= len(self._bodies)

    def next(self) -> bytes:
        """The next request, whole."""
        body = self._bodies[self._place]
        self._place += 1
        return b"%b%d\r\n\r\n%b" % (self._head, len(body), body)


class Generator:
    """The epoll loop."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._requests = Requests(load) if load.bodies is None else ReadyRequests(load)
        self._poll = select.epoll()
        self._connections: dict[int, Connection] = {}
        self._idle: deque[Connection] = deque()
        self._statuses: Counter[bytes] = Counter()
        self._latencies = array("d")
        self._in_flight = 0

    def run(self) -> Result:
        """Send until the time or the number is up, then wait for every answer."""
        self._idle.extend(self._open_connection() for _ in range(self._load.connections))
        before = resource.getrusage(resource.RUSAGE_SELF)
        began = time.perf_counter()
        gc.disable()
        try:
            if self._load.rate is None:
                self._closed(began + self._load.seconds)
            else:
                self._open(began, self._load.rate)
        finally:
            gc.enable()
        elapsed = time.perf_counter() - began
        after = resource.getrusage(resource.RUSAGE_SELF)
        for connection in self._connections.values():
            connection.socket.close()
        self._poll.close()
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return self._result(elapsed, cpu)

    def _open_connection(self) -> Connection:
        opened = socket.create_connection(("127.0.0.1", self._load.port), timeout=ANSWER_SECONDS)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(opened)
        self._connections[opened.fileno()] = connection
        self._poll.register(opened.fileno(), select.EPOLLIN)
        return connection

    def _closed(self, deadline: float) -> None:
        while self._idle and not self._requests.exhausted:
            self._send(self._idle.popleft(), time.perf_counter())
        while self._in_flight:
            for connection in self._answered(ANSWER_SECONDS):
                now = time.perf_counter()
                if now < deadline and not self._requests.exhausted:
                    self._send(connection, now)

    def _open(self, began: float, rate: float) -> None:
        sent, total = 0, int(rate * self._load.seconds)
        while sent < total or self._in_flight:
            now = time.perf_counter()
            due = min(total, int((now - began) * rate) + 1)
            while sent < due and self._idle:
                self._send(self._idle.popleft(), began + sent / rate)
                sent += 1
            waits = sent >= total or not self._idle
            timeout = ANSWER_SECONDS if waits else max(0.0, began + sent / rate - time.perf_counter())
            self._idle.extend(self._answered(timeout))

    def _send(self, connection: Connection, due: float) -> None:
        if connection.is_spent:
            connection = self._open_connection()
        connection.due = due
        connection.received = b""
        # Blocking on purpose: a body of 100 alerts may not fit the socket's buffer at once.
        connection.socket.sendall(self._requests.next())
        self._in_flight += 1

    def _discard(self, spent: Connection) -> None:
        """Close our side at once: gunicorn's plain workers end each connection, and take nothing new until we do."""
        spent.is_spent = True
        number = spent.socket.fileno()
        self._poll.unregister(number)
        del self._connections[number]
        spent.socket.close()

    def _answered(self, timeout: float) -> list[Connection]:
        """The connections whose answer is complete."""
        ready = self._poll.poll(timeout)
        if not ready and timeout >= ANSWER_SECONDS:
            raise TimeoutError(f"no answer within {ANSWER_SECONDS:.0f} s, {self._in_flight} requests open")
        complete = []
        for number, _ in ready:
            connection = self._connections[number]
            data = connection.socket.recv(RECEIVE_BYTES)
            if not data:
                raise ConnectionResetError(f"the server closed a connection, {self._in_flight} requests open")
            connection.received = connection.received + data if connection.received else data
            if is_complete(connection.received):
                if b"\r\nconnection: close\r\n" in connection.received[:HEAD_BYTES].lower():
                    self._discard(connection)
                self._in_flight -= 1
                self._latencies.append(time.perf_counter() - connection.due)
                self._statuses[connection.received[9:12]] += 1
                complete.append(connection)
        return complete

    def _result(self, elapsed: float, cpu: float) -> Result:
        good = sum(number for status, number in self._statuses.items() if status.startswith(b"2"))
        return Result(
            requests=len(self._latencies),
            accepted=good * self._load.per_request,
            statuses={status.decode(): number for status, number in self._statuses.items()},
            seconds=elapsed,
            latencies=percentiles(self._latencies),
            cpu_seconds=cpu,
        )


def is_complete(answer: bytes) -> bool:
    """Whether head and body have arrived. Every server here says its Content-Length."""
    end = answer.find(b"\r\n\r\n")
    if end < 0:
        return False
    head = answer[:end].lower()
    at = head.find(b"content-length:")
    if at < 0:
        if head.find(b"chunked") >= 0:
            raise ValueError("an answer in chunks: its end would have to be searched for")
        return True
    return len(answer) >= end + 4 + int(head[at + 15 :].split(b"\r\n", 1)[0])


def percentiles(seconds: "array[float]") -> dict[str, float]:
    """Milliseconds at the usual places, by the nearest rank."""
    ordered = sorted(seconds)
    if not ordered:
        return {}
    places = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
    return {name: 1000 * ordered[math.ceil(place * len(ordered)) - 1] for name, place in places.items()}


def main() -> None:
    """Read a load, apply it, print the result."""
    load = msgspec.json.decode(sys.stdin.buffer.read(), type=Load)
    sys.stdout.buffer.write(msgspec.json.encode(Generator(load).run()))


if __name__ == "__main__":
    main()
