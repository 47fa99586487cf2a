"""How are a thousand sockets listened to without their being the limit? By one epoll loop that cuts out the frames.

It speaks graphql-transport-ws over plain sockets; what an event comes to is for who made the crowd.
"""

import base64
import os
import select
import socket
from abc import ABC, abstractmethod
from collections import deque
from dataclasses import dataclass

import msgspec

from bench.live_wire import CLOSE, PING, PONG, TEXT, LiveLoad, Subscriber, frame_end, masked

RECEIVE_BYTES = 1 << 18
CONNECTING_AT_ONCE = 50
# Acknowledgements, `complete` and the like are shorter than any event.
LEAST_EVENT_BYTES = 150


@dataclass(slots=True)
class Listener:
    """One socket, what has come of a frame, how many events it has had, and the newest."""

    socket: socket.socket
    subscriber: Subscriber
    rest: bytes = b""
    is_upgraded: bool = False
    events: int = 0
    newest: bytes = b""


class Crowd(ABC):
    """The listeners of a load, and the loop that hears them."""

    def __init__(self, load: LiveLoad) -> None:
        self._load = load
        self._poll = select.epoll()
        self._listeners: dict[int, Listener] = {}
        self._subscribed = self._frames = self._bytes = 0

    def close(self) -> None:
        """Let go of every socket."""
        for listener in self._listeners.values():
            listener.socket.close()
        self._poll.close()

    @abstractmethod
    def _count(self, listener: Listener, data: bytes, start: int, end: int) -> None:
        """An event has come: the bytes from start to end."""

    def _came(self, number: int) -> None:
        """Something has come at a file that is no listener's."""
        raise RuntimeError(f"nobody listens at {number}")

    def _told(self) -> str:
        """How far it is, for whoever waits in vain."""
        return f"{len(self._listeners)} sockets, {self._subscribed} subscribed"

    def _subscribe_all(self) -> None:
        waiting = deque(self._load.subscribers)
        while waiting or self._subscribed < len(self._listeners):
            while waiting and len(self._listeners) - self._subscribed < CONNECTING_AT_ONCE:
                self._connect(waiting.popleft())
            self._turn(self._load.patience, "a socket was not accepted")

    def _connect(self, subscriber: Subscriber) -> None:
        opened = socket.create_connection(("127.0.0.1", self._load.port), timeout=self._load.patience)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        key = base64.b64encode(os.urandom(16)).decode()
        lines = ["GET /graphql HTTP/1.1", f"Host: 127.0.0.1:{self._load.port}", "Upgrade: websocket"]
        lines += ["Connection: Upgrade", f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13"]
        lines += ["Sec-WebSocket-Protocol: graphql-transport-ws", "", ""]
        opened.sendall("\r\n".join(lines).encode())
        self._listeners[opened.fileno()] = Listener(opened, subscriber)
        self._poll.register(opened.fileno(), select.EPOLLIN)

    def _turn(self, timeout: float, what: str) -> None:
        """Handle what has come; TimeoutError when nothing does."""
        ready = self._poll.poll(timeout)
        if not ready and timeout >= self._load.patience:
            raise TimeoutError(f"{what}: {self._told()}")
        for number, _ in ready:
            listener = self._listeners.get(number)
            if listener is not None:
                self._hear(listener)
            else:
                self._came(number)

    def _hear(self, listener: Listener) -> None:
        data = listener.socket.recv(RECEIVE_BYTES)
        if not data:
            raise ConnectionResetError(f"a socket was closed after {listener.events} events")
        if listener.rest:
            data = listener.rest + data
        at = 0 if listener.is_upgraded else self._upgrade(listener, data)
        if not listener.is_upgraded:
            listener.rest = data
            return
        while (found := frame_end(data, at)) is not None:
            start, end = found
            if data[at] == TEXT and end - start >= LEAST_EVENT_BYTES:
                self._count(listener, data, start, end)
            else:
                self._answer(listener, data[at], data[start:end])
            at = end
        listener.rest = data[at:]

    def _upgrade(self, listener: Listener, data: bytes) -> int:
        end = data.find(b"\r\n\r\n")
        if end < 0:
            return 0
        if not data.startswith(b"HTTP/1.1 101"):
            raise RuntimeError(f"no socket: {data[:300]!r}")
        listener.is_upgraded = True
        hello = {"type": "connection_init", "payload": {"authorization": f"Bearer {listener.subscriber.token}"}}
        listener.socket.sendall(masked(TEXT, msgspec.json.encode(hello)))
        return end + 4

    def _answer(self, listener: Listener, opcode: int, payload: bytes) -> None:
        """What is no event: the word that we are let in, a ping, or trouble."""
        if opcode == PING:
            listener.socket.sendall(masked(PONG, payload))
        elif opcode == CLOSE:
            code, reason = int.from_bytes(payload[:2], "big"), payload[2:].decode()
            raise ConnectionResetError(f"closed with {code} ({reason}) after {listener.events} events")
        elif b'"connection_ack"' in payload:
            wanted = listener.subscriber
            asked = {"query": wanted.query, "variables": wanted.variables}
            message = {"id": wanted.operation, "type": "subscribe", "payload": asked}
            listener.socket.sendall(masked(TEXT, msgspec.json.encode(message)))
            self._subscribed += 1
        else:
            raise RuntimeError(f"not an event: {opcode:#x} {payload[:400]!r}")
