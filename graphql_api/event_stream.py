"""How do results travel as server-sent events? One event a result, a comment line when it is quiet, and an end."""

import asyncio
from collections.abc import AsyncIterator

# A comment line now and then keeps proxies from closing a quiet stream.
HEARTBEAT_SECONDS = 12.0
COMPLETE = b"event: complete\ndata: \n\n"


def event(body: bytes) -> bytes:
    """One result as an event."""
    return b"event: next\ndata: " + body + b"\n\n"


async def with_heartbeat(source: AsyncIterator[bytes], seconds: float) -> AsyncIterator[bytes]:
    """The source, with a comment line whenever it is quiet for so long. One item is read ahead at most."""
    yield b":\n\n"
    pending: asyncio.Future[bytes] | None = None
    try:
        while True:
            pending = pending or asyncio.ensure_future(anext(source))
            done, _ = await asyncio.wait({pending}, timeout=seconds)
            if not done:
                yield b":\n\n"
                continue
            try:
                item = pending.result()
            except StopAsyncIteration:
                return
            finally:
                pending = None
            yield item
    finally:
        if pending is not None:
            pending.cancel()
            await asyncio.wait({pending})
        await source.aclose()  # type: ignore[attr-defined] # it is a generator
