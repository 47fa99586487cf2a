"""Is it known for how long something was being written, and that a transaction takes long?"""

import asyncio

import pytest

from persistence import running_transactions
from persistence.running_transactions import RunningTransactions
from tests.waiting import until


class Loop:
    """The loop's time, moved by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 10.0
        monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: self.now)


async def test_time_in_which_several_run_counts_once() -> None:
    with pytest.MonkeyPatch.context() as patch:
        loop = Loop(patch)
        running = RunningTransactions(lambda: None)
        assert running.seconds == 0
        with running.one():
            loop.now += 1
            with running.one():
                assert running.number == 2
                loop.now += 2
            assert running.seconds == 3
        loop.now += 4
        assert running.seconds == 3
        with running.one():
            loop.now += 5
            assert running.seconds == 8
        assert running.number == 0


async def test_one_that_takes_long_is_told_and_its_end_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running_transactions, "HELD_UP_SECONDS", 0.01)
    told: list[bool] = []
    running = RunningTransactions(lambda: told.append(running.is_held_up))
    with running.one():
        await until(lambda: told == [True])
    assert told == [True, False]


async def test_one_that_takes_long_is_known_when_another_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running_transactions, "HELD_UP_SECONDS", 0.01)
    running = RunningTransactions(lambda: None)
    with running.one():
        await until(lambda: running.is_held_up)
        with running.one():
            pass
        assert running.is_held_up
    assert not running.is_held_up


async def test_one_that_fails_has_ended_too() -> None:
    told: list[int] = []
    running = RunningTransactions(lambda: told.append(running.number))
    with pytest.raises(ValueError, match="a fault"), running.one():
        raise ValueError("a fault")
    assert told == [0]
