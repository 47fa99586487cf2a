"""How does one result get onto a thousand sockets? As frames that are written at once, past ASGI, where that can be.

ASGI's way to a socket is a mapping handed through five coroutines, and at its end a frame is made that is the same for
all but for an id: half of what a send costs. The server's side of a socket offers a shorter one in the scope. Whoever
does not find it there (under another server), or is told that a frame cannot be written now, sends as ASGI has it.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeAlias, cast

from starlette.types import Scope
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request
from websockets.protocol import State

# Under this name the scope of a socket has what writes texts that begin alike; its answer is whether it wrote them all.
EXTENSION = "tocsin.frames"
Write: TypeAlias = Callable[[bytes, Sequence[bytes]], bool]
_WHOLE_TEXT = 0x81
# The longest texts whose length stands in the second byte of a frame, and in two bytes after it (RFC 6455, 5.2).
_SHORT, _LONG = 125, 0xFFFF


def writer_of(scope: Scope) -> Write | None:
    """What writes to this socket, if its server offers that."""
    return cast("Write | None", scope.get("extensions", {}).get(EXTENSION))


class _Arrived:
    """What came from a client, for the one that asks; a queue of asyncio's is three kilobytes of room for more."""

    __slots__ = ("_messages", "_waiting")

    def __init__(self) -> None:
        self._messages: list[Any] = []
        self._waiting: asyncio.Future[None] | None = None

    def empty(self) -> bool:
        """Whether all was taken."""
        return not self._messages

    def put_nowait(self, message: object) -> None:
        """One more. The server reads on when all was taken, so they are few."""
        self._messages.append(message)
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    async def get(self) -> Any:  # noqa: ANN401 - a message
        """The next, when it is there."""
        while not self._messages:
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting
        self._waiting = None
        return self._messages.pop(0)


class FramesProtocol(WebSocketsSansIOProtocol):
    """uvicorn's side of a socket; it can be written to directly."""

    def __init__(self, *given: Any, **named: Any) -> None:  # noqa: ANN401 - as uvicorn has it
        super().__init__(*given, **named)
        self.queue = cast("Any", _Arrived())

    def handle_connect(self, event: Request) -> None:
        """Offer it to the application, which has not begun to run."""
        super().handle_connect(event)
        # The application has what it says from the scope, and it would be kept as long as the socket lives.
        del self.request
        if self.response.status_code == 101:  # noqa: PLR2004 - Switching Protocols
            self._extensions[EXTENSION] = self.write_texts

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of itself, so that the memory is free at once and not when the collector comes by."""
        if self.handshake_initiated:
            self._extensions.pop(EXTENSION, None)
        super().connection_lost(exc)

    @property
    def _extensions(self) -> dict[str, Any]:
        return cast("dict[str, Any]", getattr(self, "scope", {}).get("extensions", {}))

    def write_texts(self, begin: bytes, ends: Sequence[bytes]) -> bool:
        """Write texts, a frame each; False when that has to wait, or is no longer possible, or must be compressed."""
        conn = self.conn
        if self.disconnected or conn.state is not State.OPEN or conn.extensions or not self.writable.is_set():
            return False
        frames: list[bytes] = []
        for end in ends:
            frames += (_head(len(begin) + len(end)), begin, end)
        self.transport.write(b"".join(frames))
        return True


@lru_cache(maxsize=256)
def _head(length: int) -> bytes:
    """What stands before a text of this length; a server masks nothing."""
    if length <= _SHORT:
        return bytes((_WHOLE_TEXT, length))
    if length <= _LONG:
        return bytes((_WHOLE_TEXT, 126)) + length.to_bytes(2, "big")
    return bytes((_WHOLE_TEXT, 127)) + length.to_bytes(8, "big")
