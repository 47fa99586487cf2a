"""How are a thousand sockets listened to without their being the limit? By one epoll loop that counts frames.

It speaks graphql-transport-ws over plain sockets. A frame that came is counted and timed and not decoded: its bytes
are looked at after the turn is over. Events are made by the same loop, so that one clock times both ends.

Run as a process of its own: a `LiveLoad` as JSON on standard input, a `LiveResult` as JSON on standard output.
"""

import base64
import gc
import os
import resource
import select
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec

from bench.live_posting import Posters, Progress
from bench.live_wire import (
    CLOSE,
    PING,
    PONG,
    TEXT,
    LiveLoad,
    LiveResult,
    Subscriber,
    Timed,
    allow_files,
    frame_end,
    masked,
)
from bench.machine import process_seconds, resident_bytes

ROOT = Path(__file__).resolve().parent.parent
RECEIVE_BYTES = 1 << 18
CONNECTING_AT_ONCE = 50
# Acknowledgements, `complete` and the like are shorter than any event.
LEAST_EVENT_BYTES = 150
# Nothing for so long: the stream is quiet, and counting can begin at nought.
QUIET_SECONDS = 0.5
FIRST_WAIT_SECONDS = 0.25
Condition = Callable[[], bool]


def listen(load: LiveLoad) -> LiveResult:
    """Listen from a process of its own and wait for its result."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.live_load"],
        input=msgspec.json.encode(load),
        stdout=subprocess.PIPE,
        check=True,
        cwd=ROOT,
    )
    return msgspec.json.decode(done.stdout, type=LiveResult)


@dataclass(slots=True)
class Listener:
    """One socket, what has come of a frame, how many events it has had, and the newest."""

    socket: socket.socket
    subscriber: Subscriber
    rest: bytes = b""
    is_upgraded: bool = False
    is_subscribed: bool = False
    events: int = 0
    newest: bytes = b""


def _has_arrived(progress: Progress, number: int) -> bool:
    return len(progress.last) >= number and len(progress.answered) >= number


class Crowd:
    """The epoll loop."""

    def __init__(self, load: LiveLoad) -> None:
        self._load = load
        self._poll = select.epoll()
        self._listeners: dict[int, Listener] = {}
        self._posters = Posters(load, self._poll)
        self._progress = Progress()
        self._subscribed = self._replayed = self._frames = self._bytes = 0
        self._heard_at = 0.0
        self._kept: list[str] = []

    def run(self) -> LiveResult:
        """The whole turn."""
        try:
            return self._run()
        finally:
            self.close()

    def close(self) -> None:
        """Let go of every socket."""
        for listener in self._listeners.values():
            listener.socket.close()
        self._posters.close()
        self._poll.close()

    def _run(self) -> LiveResult:
        load, wall = self._load, time.time() - time.perf_counter()
        began, resident = time.perf_counter(), [self._resident()]
        self._subscribe_all()
        subscribed = time.perf_counter()
        self._until(lambda: self._replayed == len(self._listeners), "not every replay came to its end")
        replayed = time.perf_counter()
        self._posters.open()
        resident.append(self._resident())
        shared = self._warm_up()
        before, timing = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
        slow = self._begin()
        for number in range(load.events):
            due = timing + number * load.gap
            self._posters.post(slow)
            self._until(partial(_has_arrived, slow, number + 1), "an event did not reach all")
            self._idle_until(due + load.gap)
        fast_began, worked = time.perf_counter(), self._worked()
        fast = self._begin()
        self._as_fast_as_all_keep_up(fast, fast_began + load.seconds)
        worked = self._worked() - worked
        elapsed = (fast.last[-1] if fast.last else time.perf_counter()) - fast_began
        resident.append(self._resident())
        after = resource.getrusage(resource.RUSAGE_SELF)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return LiveResult(
            subscribe_seconds=subscribed - began,
            replay_seconds=replayed - subscribed,
            first_shared_seconds=shared - subscribed,
            timed=[
                Timed(
                    sent=wall + slow.sent[number],
                    answered=wall + slow.answered[number],
                    first=wall + slow.first[number],
                    last=wall + slow.last[number],
                    answer=slow.answers[number],
                )
                for number in range(load.events)
            ],
            sustained=len(fast.last) / elapsed if load.seconds and fast.last else 0.0,
            sustained_events=len(fast.last),
            server_seconds=worked,
            frames=self._frames,
            bytes=self._bytes,
            resident=resident,
            load_share=used / (time.perf_counter() - timing),
            samples=self._kept or sorted({listener.newest.decode() for listener in self._listeners.values()})[:3],
        )

    # -- the parts of a turn ---------------------------------------------------------------------------------------

    def _subscribe_all(self) -> None:
        waiting = deque(self._load.subscribers)
        while waiting or self._subscribed < len(self._listeners):
            while waiting and len(self._listeners) - self._subscribed < CONNECTING_AT_ONCE:
                self._connect(waiting.popleft())
            self._turn(self._load.patience, "a socket was not accepted")

    def _resident(self) -> int:
        return resident_bytes(self._load.server_pid) if self._load.server_pid else 0

    def _worked(self) -> float:
        return process_seconds(self._load.server_pid) if self._load.server_pid else 0.0

    def _warm_up(self) -> float:
        """Events until each listener has had one that is new, then quiet; when the first had reached all."""
        progress = self._begin()
        began, wait = time.perf_counter(), FIRST_WAIT_SECONDS
        while not progress.last:
            if time.perf_counter() > began + self._load.patience:
                raise TimeoutError(f"{progress.seen} of {len(self._listeners)} had the first event")
            if self._posters.idle:
                self._posters.post(progress)
            # A slow server is not given ever more to do.
            self._idle_until(time.perf_counter() + wait, enough=lambda: bool(progress.last))
            wait *= 2
        # A server that is slow is also quiet for longer between two events of its backlog: one that came after would be
        # counted as one nobody made.
        quiet = max(QUIET_SECONDS, progress.last[0] - progress.sent[0])
        self._heard_at = time.perf_counter()
        while len(self._posters.idle) < len(self._posters) or time.perf_counter() - self._heard_at < quiet:
            self._idle_until(time.perf_counter() + QUIET_SECONDS / 5)
        return progress.last[0]

    def _as_fast_as_all_keep_up(self, progress: Progress, deadline: float) -> None:
        while True:
            under_way = len(progress.sent) - len(progress.last)
            if time.perf_counter() < deadline:
                while self._posters.idle and under_way < self._load.window:
                    self._posters.post(progress)
                    under_way += 1
            elif under_way == 0 and len(self._posters.idle) == len(self._posters):
                return
            self._turn(self._load.patience, "not all kept up")

    def _begin(self) -> Progress:
        """Count from nought."""
        for listener in self._listeners.values():
            listener.events = 0
        self._progress = Progress()
        return self._progress

    # -- sockets ---------------------------------------------------------------------------------------------------

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
            seen = self._progress.seen[-3:]
            raise TimeoutError(f"{what}: {len(self._listeners)} sockets, {self._subscribed} subscribed, seen {seen}")
        for number, _ in ready:
            listener = self._listeners.get(number)
            if listener is not None:
                self._hear(listener)
            else:
                self._posters.read(number)

    def _until(self, condition: Condition, what: str) -> None:
        deadline = time.perf_counter() + self._load.patience
        while not condition():
            self._turn(0.5, what)
            if time.perf_counter() > deadline:
                had = sum(listener.events for listener in self._listeners.values())
                raise TimeoutError(f"{what} within {self._load.patience:.0f} s: {had} frames, {self._replayed} replays")

    def _idle_until(self, moment: float, enough: Condition = lambda: False) -> None:
        while (left := moment - time.perf_counter()) > 0 and not enough():
            self._turn(min(left, 0.5), "")

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

    def _count(self, listener: Listener, data: bytes, start: int, end: int) -> None:
        now = self._heard_at = time.perf_counter()
        self._frames += 1
        self._bytes += end - start
        listener.newest = data[start:end]
        if self._load.keep_all:
            self._kept.append(listener.newest.decode())
        number = listener.events
        listener.events = number + 1
        if not self._posters:
            self._replayed += listener.events == listener.subscriber.expects
            return
        progress = self._progress
        if number >= len(progress.seen):
            raise RuntimeError(f"an event nobody made: {listener.newest[:400]!r}")
        progress.seen[number] += 1
        if progress.seen[number] == 1:
            progress.first.append(now)
        if progress.seen[number] == len(self._listeners):
            progress.last.append(now)

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
            listener.is_subscribed = True
            self._subscribed += 1
            self._replayed += wanted.expects == 0
        else:
            raise RuntimeError(f"not an event: {opcode:#x} {payload[:400]!r}")


def main() -> None:
    """Read a load, listen, print the result."""
    load = msgspec.json.decode(sys.stdin.buffer.read(), type=LiveLoad)
    allow_files(len(load.subscribers))
    gc.disable()
    sys.stdout.buffer.write(msgspec.json.encode(Crowd(load).run()))


if __name__ == "__main__":
    main()
