"""How does a stream end with its session? Each wait for the next item is also a wait for the session's end."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import TypeVar

from graphql_api.live.sessions import Watched
from persistence.tasks import end_tasks

T = TypeVar("T")


class SessionEnded(Exception):
    """The session was revoked or ran out while something was followed under it."""


class Ending:
    """The end of a session, as something to wait for beside other things."""

    def __init__(self, ended: asyncio.Task[None]) -> None:
        self._ended = ended

    async def or_else(self, work: Awaitable[T]) -> T:
        """The result of `work`, or SessionEnded if that comes first."""
        task = asyncio.ensure_future(work)
        try:
            await asyncio.wait({task, self._ended}, return_when=asyncio.FIRST_COMPLETED)
            if self._ended.done():
                raise SessionEnded
            return task.result()
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task})

    async def each_of(self, stream: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
        """The items of the stream; SessionEnded when the session ends before the stream."""
        while True:
            try:
                item = await self.or_else(anext(stream))
            except StopAsyncIteration:
                return
            yield item


@asynccontextmanager
async def ending_of(watched: Watched) -> AsyncIterator[Ending]:
    """The end of the watched session."""

    async def wait() -> None:
        await watched.ended.wait()

    task = asyncio.create_task(wait())
    try:
        yield Ending(task)
    finally:
        await end_tasks([task])
