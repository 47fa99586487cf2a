"""How does work that is not urgent give way to work that is? It rests, and looks meanwhile whether it still has to."""

import asyncio
from collections.abc import Awaitable, Callable

# How often who rests looks.
LOOK_SECONDS = 0.2


async def rest(
    seconds: float, *, while_needed: Callable[[], bool], sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> None:
    """Rest so long, or until it is no longer needed: that is asked before each step of `LOOK_SECONDS`."""
    while seconds > 0 and while_needed():
        await sleep(min(seconds, LOOK_SECONDS))
        seconds -= LOOK_SECONDS
