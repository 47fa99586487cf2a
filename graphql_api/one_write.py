"""How does an answer leave? Head and body by one write, where the server would write the one and then the other.

Two writes are two system calls, and wake a client twice: once to find that the body has yet to come.
"""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_HAS_LENGTH = b"\r\ncontent-length: "
# To a client that asked whether to send its body: no answer yet.
_GO_ON = b"HTTP/1.1 100 "


class OneWriteProtocol(HttpToolsProtocol):
    """uvicorn's side of a connection."""

    def on_headers_complete(self) -> None:
        """Give the answer of the request that has just begun a way out of its own."""
        before = self.cycle
        super().on_headers_complete()
        if self.cycle is not before and self.scope["method"] != "HEAD":
            self.cycle.transport = cast("asyncio.Transport", _Answer(self.transport))


class _Answer:
    """What one answer is written to: a head that says how long its body is waits for it."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._head: bytes | None = None
        self._has_begun = False

    def write(self, data: bytes) -> None:
        """Write, or wait for the rest."""
        if self._head is not None:
            head, self._head = self._head, None
            self._transport.writelines((head, data))
        elif self._has_begun or data.startswith(_GO_ON):
            self._transport.write(data)
        elif _HAS_LENGTH in data:
            self._has_begun, self._head = True, data
        else:
            self._has_begun = True
            self._transport.write(data)

    def close(self) -> None:
        """Write what waits: the application may have failed before there was a body."""
        if self._head is not None:
            self._transport.write(self._head)
            self._head = None
        self._transport.close()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - the transport's own
        return getattr(self._transport, name)
