"""How does a storm become a few lists? What comes within a short time of the first item goes together."""

import asyncio
from collections.abc import AsyncGenerator
from typing import TypeVar

from persistence.tasks import end_tasks

T = TypeVar("T")


class Cut:
    """Within a stream: what came before must not be in one list with what comes after."""


async def windows(stream: AsyncGenerator[T | Cut, None], *, seconds: float, most: int) -> AsyncGenerator[list[T], None]:
    """The stream's items in order, in lists: never empty, never longer than `most`, never held back for longer.

    A window begins with its first item: who is quiet for long hears of the next event as soon as anybody may.
    """
    loop = asyncio.get_running_loop()
    coming: asyncio.Task[T | Cut] | None = None
    items: list[T] = []
    try:
        while True:
            items, ends_at = [], 0.0
            while len(items) < most:
                coming = coming or asyncio.create_task(_next_of(stream))
                await asyncio.wait({coming}, timeout=max(0.0, ends_at - loop.time()) if items else None)
                if not coming.done():
                    break
                arrived, coming = coming, None
                # A window that its stream cut short by an error is not given: the reader goes on from the last one.
                item = arrived.result()
                if not isinstance(item, Cut):
                    items.append(item)
                    ends_at = ends_at or loop.time() + seconds
                elif items:
                    break
            yield items
    except StopAsyncIteration:
        if items:
            yield items
    finally:
        if coming is not None:
            await end_tasks([coming])


async def _next_of(stream: AsyncGenerator[T, None]) -> T:
    return await anext(stream)
