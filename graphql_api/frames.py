"""How does one result get onto a thousand sockets? As frames that are written at once, past ASGI, where that can be.

ASGI's way to a socket is a mapping handed through five coroutines, and at its end a frame is made that is the same for
all but for an id: half of what a send costs. The server's side of a socket offers a shorter one in the scope. Whoever
does not find it there (under another server), or is told that a frame cannot be written now, sends as ASGI has it.
"""

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


class FramesProtocol(WebSocketsSansIOProtocol):
    """uvicorn's side of a socket; it can be written to directly."""

    def handle_connect(self, event: Request) -> None:
        """Offer it to the application, which has not begun to run."""
        super().handle_connect(event)
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
