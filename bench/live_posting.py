"""How are the events of a live turn made? By posts over a few kept connections, within the listeners' epoll loop."""

import select
import socket
import time
from collections import deque
from dataclasses import dataclass, field

from bench.live_wire import LiveLoad
from bench.load import is_complete
from bench.payloads import KEY

RECEIVE_BYTES = 1 << 16


@dataclass(slots=True)
class Progress:
    """The events of one part of the turn: when each was sent, answered, first and last seen."""

    sent: list[float] = field(default_factory=list)
    answered: dict[int, float] = field(default_factory=dict)
    answers: dict[int, str] = field(default_factory=dict)
    seen: list[int] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    last: list[float] = field(default_factory=list)


@dataclass(slots=True)
class Poster:
    """One HTTP connection, what is under way on it, and for which part of the turn."""

    socket: socket.socket
    progress: Progress | None = None
    event: int = -1
    request: bytes = b""
    received: bytes = b""


class Posters:
    """As many connections as posts may be under way."""

    def __init__(self, load: LiveLoad, poll: select.epoll) -> None:
        self._load = load
        self._poll = poll
        self._number = 0
        self._all: dict[int, Poster] = {}
        self.idle: deque[Poster] = deque()

    def __len__(self) -> int:
        return len(self._all)

    def open(self) -> None:
        """Connect them."""
        for _ in range(self._load.window):
            self.idle.append(self._connected(Poster(self._socket())))

    def close(self) -> None:
        """Let go of them."""
        for poster in self._all.values():
            poster.socket.close()

    def post(self, progress: Progress) -> None:
        """Make one event, on a connection that is idle."""
        poster = self.idle.popleft()
        self._number += 1
        publishing = self._load.publishing
        body = publishing.body.replace(KEY, f"{self._load.prefix}{self._number:07}").encode()
        lines = [f"POST {publishing.path} HTTP/1.1", f"Host: 127.0.0.1:{self._load.port}"]
        lines += [f"{name}: {value}" for name, value in publishing.headers.items()]
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}", "", ""]
        poster.progress, poster.event, poster.received = progress, len(progress.sent), b""
        poster.request = "\r\n".join(lines).encode() + body
        progress.sent.append(time.perf_counter())
        progress.seen.append(0)
        self._send(poster)

    def read(self, number: int) -> None:
        """Take what has come on a connection."""
        poster = self._all[number]
        try:
            data = poster.socket.recv(RECEIVE_BYTES)
        except ConnectionResetError:
            data = b""
        if not data:
            self._renew(poster)
            return
        poster.received += data
        if not is_complete(poster.received):
            return
        if poster.received[9:10] != b"2":
            raise RuntimeError(f"an event was refused: {poster.received[:400]!r}")
        # The warm-up's answers may come when the next part has begun: each part waits for its own.
        if poster.progress is not None:
            poster.progress.answered[poster.event] = time.perf_counter()
            poster.progress.answers[poster.event] = poster.received.partition(b"\r\n\r\n")[2].decode()
        poster.request = b""
        self.idle.append(poster)

    def _send(self, poster: Poster) -> None:
        try:
            poster.socket.sendall(poster.request)
        except (BrokenPipeError, ConnectionResetError):
            self._renew(poster)

    def _renew(self, poster: Poster) -> None:
        """The server ends a connection that was idle for some seconds, maybe just when a post was on its way to it.

        Such a post was not read, so it is sent again, as every HTTP client does. One whose answer had begun was.
        """
        if poster.received and poster.request:
            raise ConnectionResetError("the server closed the connection in the middle of an answer")
        self._poll.unregister(poster.socket.fileno())
        del self._all[poster.socket.fileno()]
        poster.socket.close()
        poster.socket = self._socket()
        self._connected(poster)
        if poster.request:
            poster.socket.sendall(poster.request)

    def _socket(self) -> socket.socket:
        opened = socket.create_connection(("127.0.0.1", self._load.port), timeout=self._load.patience)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return opened

    def _connected(self, poster: Poster) -> Poster:
        self._all[poster.socket.fileno()] = poster
        self._poll.register(poster.socket.fileno(), select.EPOLLIN)
        return poster
