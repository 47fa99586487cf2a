"""Is a wait given up in time, and only that one?"""

import asyncio

import pytest

from graphql_api.webhooks.patience import Patience


async def test_what_takes_too_long_is_given_up() -> None:
    patience = Patience(0.02)

    async def wait(seconds: float) -> str:
        async with patience:
            await asyncio.sleep(seconds)
        return "done"

    results = await asyncio.gather(wait(5), wait(0), wait(5), return_exceptions=True)
    assert [type(result) for result in results] == [TimeoutError, str, TimeoutError]
    assert await wait(0) == "done"  # and again, after the timer has run out


async def test_a_task_that_was_given_up_lives_on() -> None:
    patience = Patience(0.02)
    with pytest.raises(TimeoutError):
        async with patience:
            await asyncio.sleep(5)
    await asyncio.sleep(0)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_a_cancellation_stays_one() -> None:
    patience = Patience(5)
    task = asyncio.create_task(_wait(patience))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert patience._until == {}  # noqa: SLF001 - nothing is left behind


async def test_an_error_passes_through() -> None:
    with pytest.raises(ValueError, match="mine"):
        async with Patience(5):
            raise ValueError("mine")


async def _wait(patience: Patience) -> None:
    async with patience:
        await asyncio.sleep(5)
