"""How long did a provider take to answer? For the record of each attempt, beside what it said."""

import time
from collections.abc import Awaitable
from typing import TypeVar

Said = TypeVar("Said")


async def timed(asked: Awaitable[Said]) -> tuple[Said, int]:
    """What it comes to, and after how many milliseconds."""
    started = time.monotonic()
    said = await asked
    return said, round((time.monotonic() - started) * 1000)
