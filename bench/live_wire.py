"""What do the load process and its starter tell each other, and what is a WebSocket frame?"""

import os
import resource

import msgspec

TEXT, CLOSE, PING, PONG = 0x81, 0x88, 0x89, 0x8A
SPARE_FILES = 200


class Subscriber(msgspec.Struct, frozen=True, kw_only=True):
    """One socket: who it is and what it asks for. `expects`: events of a replay, before anything new."""

    token: str
    query: str
    variables: dict[str, object] = {}
    operation: str = "1"
    expects: int = 0


class Publishing(msgspec.Struct, frozen=True, kw_only=True):
    """How one event is made: a post. `KEY` in the body is replaced by a new word each time."""

    path: str
    headers: dict[str, str]
    body: str


class LiveLoad(msgspec.Struct, frozen=True, kw_only=True):
    """What to do: subscribe; wait for replays; `events` one by one, `gap` apart; then as fast as all keep up."""

    port: int
    subscribers: list[Subscriber]
    publishing: Publishing
    prefix: str
    events: int = 30
    gap: float = 0.4
    seconds: float = 4.0
    window: int = 8
    patience: float = 60.0
    server_pid: int = 0
    # Of one listener, every event instead of the newest.
    keep_all: bool = False


class Timed(msgspec.Struct, frozen=True, kw_only=True):
    """One event on its way; seconds of the wall clock. `answer` is what the post was answered."""

    sent: float
    answered: float
    first: float
    last: float
    answer: str


class LiveResult(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen.

    From the last subscription on: `replay_seconds` until every replay had come, `first_shared_seconds` until a new
    event had reached all. `server_seconds`: its processor's time while events came as fast as all kept up.
    `resident`: the server's memory before anyone came, with all there, and at the end.
    """

    subscribe_seconds: float
    replay_seconds: float
    first_shared_seconds: float
    timed: list[Timed]
    sustained: float
    sustained_events: int
    server_seconds: float
    frames: int
    bytes: int
    resident: list[int]
    load_share: float
    samples: list[str]


def allow_files(number: int) -> None:
    """Let this process, and those it starts from now on, hold so many sockets."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = number + SPARE_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else max(hard, wanted if os.geteuid() == 0 else hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, most), most))


def masked(opcode: int, payload: bytes) -> bytes:
    """A frame as a client sends it; masked with zeros, which leaves the payload as it is."""
    length = len(payload)
    if length < 126:
        head = bytes((opcode, 0x80 | length))
    elif length < 1 << 16:
        head = bytes((opcode, 0x80 | 126)) + length.to_bytes(2, "big")
    else:
        head = bytes((opcode, 0x80 | 127)) + length.to_bytes(8, "big")
    return head + bytes(4) + payload


def frame_end(data: bytes, at: int) -> tuple[int, int] | None:
    """Where the payload of the server's frame at `at` begins and ends; None when it has not come whole."""
    if len(data) - at < 2:
        return None
    length, start = data[at + 1], at + 2
    if length >= 126:
        wide = 2 if length == 126 else 8
        if len(data) < start + wide:
            return None
        length = int.from_bytes(data[start : start + wide], "big")
        start += wide
    return None if len(data) < start + length else (start, start + length)
