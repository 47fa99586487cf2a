"""Do followers give way to a storm of signals, and to nothing else, and not for ever?"""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain.alerts.cursor import Cursor
from domain.alerts.events import LogPosition
from graphql_api.live.pace import BUSY, GIVES_WAY, PATIENCE_SECONDS, REST_SECONDS, STORM, WINDOW_SECONDS, Pace

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


class Process:
    """Signals that were taken, two clocks, and the time it had a processor."""

    def __init__(self) -> None:
        self.taken = 0
        self.seconds = 0.0
        self.worked = 0.0
        self.pace = Pace(lambda: self.taken, self, monotonic=lambda: self.seconds, worked=lambda: self.worked)

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.seconds)

    def go_on(self, *, rate: float, seconds: float = 2 * WINDOW_SECONDS, busy: float = 2 * BUSY) -> None:
        self.seconds += seconds
        self.worked += busy * seconds
        self.taken += round(rate * seconds)

    def rest(self, *, worked: float = 0.01, behind: float = 0.0) -> float:
        at = Cursor(epoch=UUID(int=1), position=LogPosition(1, 1), recorded_at=self.now() - timedelta(seconds=behind))
        return self.pace.rest_after(worked, at)


@pytest.fixture
def process() -> Process:
    process = Process()
    process.rest()  # it begins to count
    return process


def test_on_a_busy_day_nobody_gives_way(process: Process) -> None:
    process.go_on(rate=STORM)
    assert process.rest() == 0


def test_where_there_is_time_for_both_nobody_gives_way(process: Process) -> None:
    process.go_on(rate=10 * STORM, busy=BUSY)
    assert process.rest() == 0


def test_in_a_storm_followers_take_a_tenth_of_the_time(process: Process) -> None:
    process.go_on(rate=10 * STORM)
    assert process.rest(worked=0.01) == pytest.approx(0.01 * GIVES_WAY)
    assert process.rest(worked=0.02, behind=PATIENCE_SECONDS - 1) == pytest.approx(0.02 * GIVES_WAY)
    assert process.rest(worked=1000.0) == REST_SECONDS


def test_whoever_is_too_far_behind_gives_way_no_more(process: Process) -> None:
    process.go_on(rate=10 * STORM)
    assert process.rest(behind=PATIENCE_SECONDS) == 0


def test_after_the_storm_all_is_as_before(process: Process) -> None:
    process.go_on(rate=10 * STORM)
    assert process.rest() > 0
    process.go_on(rate=1)
    assert process.rest() == 0


def test_what_has_no_place_in_the_log_rests_never(process: Process) -> None:
    process.go_on(rate=10 * STORM)
    assert process.pace.rest_after(1.0, None) == 0
