"""Do fields that wait for the same row depend on each other? One that is given up must not take it from the others."""

import asyncio
from typing import Any

import pytest

from graphql_api.context import Context


async def test_who_gives_up_takes_nothing_from_who_waits_for_the_same() -> None:
    """OWASP API4:2023: a refused field beside it ended a whole request without an answer."""
    asked: list[list[int]] = []

    async def load(_context: Context, keys: list[int]) -> list[str]:
        asked.append(keys)
        await asyncio.sleep(0.05)
        return [str(key) for key in keys]

    nothing: Any = None
    loader = Context(state=nothing).loader(load)

    async def field(key: int) -> str:
        return await loader.load(key)

    first, second = asyncio.create_task(field(1)), asyncio.create_task(field(1))
    await asyncio.sleep(0.01)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert await second == "1"
    assert await loader.load(1) == "1"
    assert asked == [[1]], "once for all of them"
