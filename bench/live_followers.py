"""Who follows while something else is measured? A crowd that takes what it is sent, and follows on after a reset.

Run as a process of its own: a `Following` as a line of JSON on standard input, a line on standard output when all have
subscribed; then a `Seen` as a line of JSON for each empty line of input, until its end.
"""

import gc
import os
import select
import sys

import msgspec

from bench.live_crowd import Crowd, Listener
from bench.live_wire import TEXT, LiveLoad, Publishing, Subscriber, allow_files, masked

RESET = b'"StreamReset"'


class Following(msgspec.Struct, frozen=True, kw_only=True):
    """Who follows, and where."""

    port: int
    subscribers: list[Subscriber]


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What came: messages, bytes, and how often a stream ended for being too slow."""

    frames: int
    bytes: int
    resets: int


class Followers(Crowd):
    """A crowd that makes no events and expects none in particular."""

    def __init__(self, following: Following) -> None:
        nothing = Publishing(path="", headers={}, body="")
        super().__init__(
            LiveLoad(port=following.port, subscribers=following.subscribers, publishing=nothing, prefix="")
        )
        self._resets = 0

    def follow(self) -> None:
        """Until standard input ends."""
        self._subscribe_all()
        _say(b"all have subscribed")
        asking = sys.stdin.fileno()
        self._poll.register(asking, select.EPOLLIN)
        while True:
            for number, _ in self._poll.poll():
                if number != asking:
                    self._hear(self._listeners[number])
                elif os.read(asking, 1):
                    _say(msgspec.json.encode(Seen(frames=self._frames, bytes=self._bytes, resets=self._resets)))
                else:
                    return

    def _count(self, listener: Listener, data: bytes, start: int, end: int) -> None:
        self._frames += 1
        self._bytes += end - start
        # A reset is a short message: no event is searched for the word.
        if end - start < 600 and data.find(RESET, start, end) >= 0:
            self._resets += 1
            told = msgspec.json.decode(data[start:end])["payload"]["data"]
            after = next(iter(told.values()))["resumeAfter"]
            wanted = listener.subscriber
            asked = {"query": wanted.query, "variables": {**wanted.variables, "after": after}}
            message = {"id": f"{wanted.operation}-{self._resets}", "type": "subscribe", "payload": asked}
            listener.socket.sendall(masked(TEXT, msgspec.json.encode(message)))

    def _answer(self, listener: Listener, opcode: int, payload: bytes) -> None:
        if opcode == TEXT and b'"next"' in payload:
            self._count(listener, payload, 0, len(payload))
        elif b'"complete"' not in payload:
            super()._answer(listener, opcode, payload)


def _say(line: bytes) -> None:
    sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()


def main() -> None:
    """Read who follows, follow, tell what came."""
    following = msgspec.json.decode(sys.stdin.buffer.readline(), type=Following)
    allow_files(len(following.subscribers))
    gc.disable()
    Followers(following).follow()


if __name__ == "__main__":
    main()
