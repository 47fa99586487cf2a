"""Do followers give way to a storm of signals, and to nothing else, and not for ever?"""

import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain.alerts.cursor import Cursor
from domain.alerts.events import LogPosition
from graphql_api.live.pace import BUSY, GIVES_WAY, PATIENCE_SECONDS, STORM, WINDOW_SECONDS, Pace, processor_wanted

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


class Process:
    """Signals that were taken, two clocks, and the time it wanted a processor. While it sleeps it goes on as before."""

    def __init__(self) -> None:
        self.taken = 0
        self.seconds = self.wanted = self.slept = 0.0
        self.rate = self.busy = 0.0
        self.pace = Pace(
            lambda: self.taken,
            self,
            monotonic=lambda: self.seconds,
            wanted=lambda: self.wanted,
            sleep=self.sleep,
        )

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.seconds)

    async def sleep(self, seconds: float) -> None:
        self.slept += seconds
        self.go_on(rate=self.rate, seconds=seconds, busy=self.busy)

    def go_on(self, *, rate: float, seconds: float = 2 * WINDOW_SECONDS, busy: float = 2 * BUSY) -> None:
        self.rate, self.busy = rate, busy
        self.seconds += seconds
        self.wanted += busy * seconds
        self.taken += round(rate * seconds)

    async def rest(self, *, worked: float = 0.01, behind: float = 0.0) -> float:
        """How long a run rests that is so far behind."""
        slept = self.slept
        at = Cursor(epoch=UUID(int=1), position=LogPosition(1, 1), recorded_at=self.now() - timedelta(seconds=behind))
        await self.pace.give_way(worked, at)
        return self.slept - slept


@pytest.fixture
async def process() -> Process:
    process = Process()
    await process.rest()  # it begins to count
    return process


async def test_on_a_busy_day_nobody_gives_way(process: Process) -> None:
    process.go_on(rate=STORM)
    assert await process.rest() == 0


async def test_where_there_is_time_for_both_nobody_gives_way(process: Process) -> None:
    process.go_on(rate=10 * STORM, busy=BUSY)
    assert await process.rest() == 0


async def test_in_a_storm_followers_take_a_twentieth_of_the_time(process: Process) -> None:
    process.go_on(rate=10 * STORM)
    assert await process.rest(worked=0.01) == pytest.approx(0.01 * GIVES_WAY)
    assert await process.rest(worked=0.1) == pytest.approx(0.1 * GIVES_WAY)


async def test_whoever_is_too_far_behind_gives_way_no_more(process: Process) -> None:
    process.go_on(rate=10 * STORM)
    assert await process.rest(behind=PATIENCE_SECONDS) == 0
    # It gets there while it rests.
    assert await process.rest(worked=1.0, behind=PATIENCE_SECONDS - 1) == pytest.approx(1, abs=1.1 * WINDOW_SECONDS)


async def test_after_the_storm_all_is_as_before(process: Process) -> None:
    process.go_on(rate=10 * STORM)
    assert await process.rest() > 0
    process.go_on(rate=1, seconds=10 * WINDOW_SECONDS)
    assert await process.rest() == 0


async def test_a_rest_ends_with_the_storm(process: Process) -> None:
    process.go_on(rate=10 * STORM)
    process.rate = 0.0
    assert await process.rest(worked=10.0) <= 2 * WINDOW_SECONDS


def test_a_process_that_works_wants_a_processor() -> None:
    began, worked = processor_wanted(), time.process_time()
    while time.process_time() - worked < 0.05:
        pass
    assert processor_wanted() - began > 0.04
