"""How does a test wait for what another task will do? By looking often, and not for ever."""

import asyncio
from collections.abc import Awaitable, Callable

LOOK_SECONDS = 0.02


async def until(condition: Callable[[], bool], *, seconds: float = 60) -> None:
    """Return when the condition holds; TimeoutError after `seconds`."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  # what is waited for has no event to offer
            await asyncio.sleep(LOOK_SECONDS)


async def until_true(condition: Callable[[], Awaitable[bool]], *, seconds: float = 60) -> None:
    """The same for a condition that must be asked for."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110  # as above
            await asyncio.sleep(LOOK_SECONDS)
