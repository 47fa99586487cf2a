"""When does a layer count? The cases of July 2017 are public facts of GoAlert's rule tests (the 24th is a Monday).

Source: github.com/target/goalert, schedule/rule/rule_test.go.
"""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from domain.schedules.model import Restriction, Span, Weekday
from domain.schedules.restrictions import open_times

MONDAY = frozenset({Weekday.MONDAY})
WORK_DAYS = frozenset(set(Weekday) - {Weekday.SATURDAY, Weekday.SUNDAY})
EVERY_DAY = frozenset(Weekday)
UTC_ZONE = ZoneInfo("UTC")


def window(starts: int, ends: int, weekdays: frozenset[Weekday]) -> Restriction:
    return Restriction(weekdays=weekdays, starts=time(starts), ends=time(ends))


def july(day: int, hour: int) -> datetime:
    return datetime(2017, 7, day, hour, tzinfo=UTC)


def counts(restriction: Restriction, at: datetime) -> bool:
    return bool(open_times([restriction], Span(at, at + timedelta(microseconds=1)), UTC_ZONE))


@pytest.mark.parametrize(
    ("restriction", "day", "hour", "expected"),
    [
        (window(8, 20, MONDAY), 20, 8, False),
        (window(8, 20, MONDAY), 25, 8, False),
        (window(8, 20, MONDAY), 24, 8, True),
        (window(8, 20, MONDAY), 24, 20, False),
        (window(8, 20, MONDAY), 24, 9, True),
        # overnight
        (window(20, 8, MONDAY), 20, 8, False),
        (window(20, 8, MONDAY), 26, 8, False),
        (window(20, 8, MONDAY), 24, 20, True),
        (window(20, 8, MONDAY), 25, 8, False),
        (window(20, 8, MONDAY), 24, 9, False),
        (window(20, 8, MONDAY), 24, 21, True),
        (window(20, 8, MONDAY), 25, 7, True),
        # days of work
        (window(8, 20, WORK_DAYS), 23, 8, False),
        *[(window(8, 20, WORK_DAYS), day, 8, True) for day in range(24, 29)],
        (window(8, 20, WORK_DAYS), 29, 8, False),
        # the whole day, from eight to eight
        (window(8, 8, WORK_DAYS), 24, 7, False),
        *[(window(8, 8, WORK_DAYS), day, 8, True) for day in range(24, 29)],
        (window(8, 8, WORK_DAYS), 29, 7, True),
        (window(8, 8, WORK_DAYS), 29, 8, False),
        # nights of work days
        (window(20, 8, WORK_DAYS), 23, 20, False),
        (window(20, 8, WORK_DAYS), 24, 7, False),
        *[(window(20, 8, WORK_DAYS), day, 20, True) for day in range(24, 29)],
        *[(window(20, 8, WORK_DAYS), day, 7, True) for day in range(25, 30)],
        (window(20, 8, WORK_DAYS), 29, 20, False),
        (window(20, 8, WORK_DAYS), 30, 7, False),
    ],
)
def test_a_window_counts_from_its_start_to_its_end(
    restriction: Restriction,
    day: int,
    hour: int,
    expected: bool,
) -> None:
    assert counts(restriction, july(day, hour)) is expected


def test_windows_that_touch_are_one() -> None:
    two_days = window(8, 8, frozenset({Weekday.MONDAY, Weekday.TUESDAY}))
    found = open_times([two_days], Span(july(20, 8), july(30, 8)), UTC_ZONE)
    assert found == [Span(july(24, 8), july(26, 8))]


def test_without_a_restriction_all_of_it_counts() -> None:
    span = Span(july(20, 8), july(30, 8))
    assert open_times([], span, UTC_ZONE) == [span]


def test_a_window_keeps_to_the_wall_clock_when_it_jumps() -> None:
    nights = [window(0, 6, EVERY_DAY)]
    berlin = ZoneInfo("Europe/Berlin")
    spring = Span(datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 3, 29, 12, tzinfo=UTC))
    assert [part.ends_at - part.starts_at for part in open_times(nights, spring, berlin)] == [timedelta(hours=5)]
    autumn = Span(datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 10, 25, 12, tzinfo=UTC))
    assert [part.ends_at - part.starts_at for part in open_times(nights, autumn, berlin)] == [timedelta(hours=7)]
