"""Do followers give way while a process takes in all it can, all of them together, and at no other time?"""

import asyncio
import time
from pathlib import Path

import pytest

from graphql_api.live import pace as pacing
from graphql_api.live.pace import (
    BUSY,
    GIVES_WAY,
    MOST_SECONDS,
    STORM,
    WINDOW_SECONDS,
    WRITING,
    Pace,
    processor_wanted,
)
from tests.waiting import until


class Process:
    """Signals that were taken, and how long it took in, wanted a processor and slept. While it sleeps it goes on."""

    def __init__(self) -> None:
        self.taken = 0
        self.seconds = self.writing = self.wanted = self.slept = 0.0
        self.rate = self.writes = self.busy = 0.0
        self.pace = Pace(
            lambda: (self.taken, self.writing),
            monotonic=lambda: self.seconds,
            wanted=lambda: self.wanted,
            sleep=self.sleep,
        )

    async def sleep(self, seconds: float) -> None:
        self.slept += seconds
        self.go_on(rate=self.rate, seconds=seconds, writes=self.writes, busy=self.busy)

    def go_on(
        self, *, rate: float, seconds: float = 2 * WINDOW_SECONDS, writes: float = 1.0, busy: float = 1.0
    ) -> None:
        self.rate, self.writes, self.busy = rate, writes, busy
        self.seconds += seconds
        self.writing += writes * seconds
        self.wanted += busy * seconds
        self.taken += round(rate * seconds)

    async def rest(self, *, worked: float = 0.01) -> float:
        """How long a run rests that worked so long."""
        slept = self.slept
        await self.pace.give_way(worked)
        return self.slept - slept


@pytest.fixture
async def process() -> Process:
    process = Process()
    await process.rest()  # it begins to count
    return process


async def test_on_a_busy_day_nobody_gives_way(process: Process) -> None:
    process.go_on(rate=STORM)
    assert await process.rest() == 0


async def test_who_could_take_in_more_gives_followers_the_time_they_need(process: Process) -> None:
    process.go_on(rate=10 * STORM, writes=WRITING - 0.05)
    assert await process.rest() == 0


async def test_where_there_is_time_for_both_nobody_gives_way(process: Process) -> None:
    # Posts one by one: there is always one that is being written, of which the process itself does little.
    process.go_on(rate=10 * STORM, busy=BUSY - 0.05)
    assert await process.rest() == 0


async def test_in_a_storm_followers_take_a_fortieth_of_the_time(process: Process) -> None:
    process.go_on(rate=10 * STORM)
    assert await process.rest(worked=0.01) == pytest.approx(0.01 * GIVES_WAY)
    assert await process.rest(worked=0.1) == pytest.approx(0.1 * GIVES_WAY)


async def test_many_runs_take_no_more_than_one() -> None:
    rests: list[float] = []
    is_over = asyncio.Event()

    async def sleep(seconds: float) -> None:
        rests.append(seconds)
        await is_over.wait()

    signals = iter(range(0, 10**9, 10**6))
    seconds = iter(range(10**6))
    now = 0.0

    def monotonic() -> float:
        nonlocal now
        now += 2 * WINDOW_SECONDS
        return now

    pace = Pace(
        lambda: (next(signals), float(next(seconds))), monotonic=monotonic, wanted=lambda: 1e3 * now, sleep=sleep
    )
    await pace.give_way(1.0)  # it begins to count
    runs = [asyncio.create_task(pace.give_way(0.001)) for _ in range(3)]
    await until(lambda: len(rests) == len(runs))
    assert rests == pytest.approx([0.001 * GIVES_WAY, 0.002 * GIVES_WAY, 0.003 * GIVES_WAY])
    is_over.set()
    await asyncio.gather(*runs)
    rests.clear()
    await pace.give_way(0.001)
    assert rests == pytest.approx([0.001 * GIVES_WAY])


async def test_after_the_storm_all_is_as_before(process: Process) -> None:
    process.go_on(rate=10 * STORM)
    assert await process.rest() > 0
    process.go_on(rate=1, seconds=10 * WINDOW_SECONDS)
    assert await process.rest() == 0


async def test_a_rest_ends_with_the_storm(process: Process) -> None:
    process.go_on(rate=10 * STORM)
    process.rate = 0.0
    assert await process.rest(worked=10.0) <= 2 * WINDOW_SECONDS


async def test_nobody_rests_for_minutes(process: Process) -> None:
    process.go_on(rate=10 * STORM)
    # A run that waited for a database that was away.
    assert await process.rest(worked=60.0) == pytest.approx(MOST_SECONDS)


@pytest.mark.parametrize("told", [b"0 0 0\n", b"", None], ids=["zeros", "nothing", "no-file"])
def test_where_the_system_does_not_tell_who_waited_it_is_what_the_process_had(
    told: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduled = tmp_path / "schedstat"
    if told is not None:
        scheduled.write_bytes(told)
    monkeypatch.setattr(pacing, "_SCHEDULED", scheduled)
    before = time.process_time()
    assert before <= processor_wanted() <= time.process_time()


def test_a_process_that_works_wants_a_processor() -> None:
    began, worked = processor_wanted(), time.process_time()
    while time.process_time() - worked < 0.05:
        pass
    assert processor_wanted() - began > 0.04
