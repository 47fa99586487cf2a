"""When does a window occur in UTC, on every night of the year, and what can be no window?"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.alerts.events import Actor, ActorKind
from domain.errors import InvalidInput
from domain.ids import new_id
from domain.maintenance.drafts import checked_window
from domain.maintenance.model import MaintenanceWindow
from domain.maintenance.occurrences import next_occurrences, occurrences
from domain.silences.matchers import LabelMatcher, MatchOperator

# ruff: noqa: DTZ001 - what a clock shows has no zone
BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def a_window(**fields: object) -> MaintenanceWindow:
    values = {
        "id": new_id(),
        "name": "n",
        "comment": "c",
        "time_zone": "Europe/Berlin",
        "starts_at": datetime(2026, 1, 1, 2, 30),
        "duration": HOUR,
        "actor": Actor(ActorKind.USER, new_id()),
        "created_at": NOW,
        "updated_at": NOW,
        "matchers": (LabelMatcher("a", MatchOperator.EQUAL, "b"),),
        **fields,
    }
    return MaintenanceWindow(**values)  # type: ignore[arg-type] # a test's own names


def starts(window: MaintenanceWindow, since: datetime, until: datetime) -> list[datetime]:
    return [one.starts_at for one in occurrences(window, since=since, until=until)]


def test_a_start_that_the_clock_skips_comes_after_the_jump_and_one_shown_twice_comes_once() -> None:
    nightly = a_window(recurrence="FREQ=DAILY")
    spring = datetime(2026, 3, 28, tzinfo=UTC)
    assert starts(nightly, spring, spring + 3 * DAY) == [
        datetime(2026, 3, 28, 1, 30, tzinfo=UTC),
        datetime(2026, 3, 29, 1, 30, tzinfo=UTC),  # 02:30 does not exist: 03:30 on that clock
        datetime(2026, 3, 30, 0, 30, tzinfo=UTC),
    ]
    autumn = datetime(2026, 10, 24, tzinfo=UTC)
    found = starts(nightly, autumn, autumn + 3 * DAY)
    assert found == [
        datetime(2026, 10, 24, 0, 30, tzinfo=UTC),
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),  # the first 02:30
        datetime(2026, 10, 26, 1, 30, tzinfo=UTC),
    ]


def test_a_length_is_time_that_passes() -> None:
    night = a_window(starts_at=datetime(2026, 3, 28, 23), duration=8 * HOUR)
    (only,) = occurrences(night, since=NOW, until=NOW + 365 * DAY)
    assert only.ends_at - only.starts_at == 8 * HOUR
    assert only.ends_at.astimezone(BERLIN).hour == 8, "not 7: an hour of that night does not exist"


def test_two_starts_that_fall_together_are_one_and_their_order_is_that_of_time() -> None:
    half_hours = a_window(recurrence="FREQ=HOURLY;BYMINUTE=0,30", duration=timedelta(minutes=10))
    jump = datetime(2026, 3, 29, tzinfo=UTC)
    found = starts(half_hours, jump, jump + 3 * HOUR)
    assert found == [jump + number * timedelta(minutes=30) for number in range(6)]


def test_exceptions_do_not_happen() -> None:
    window = a_window(recurrence="FREQ=DAILY;COUNT=3", exceptions=(datetime(2026, 1, 2, 2, 30),))
    assert [one.day for one in starts(window, NOW, NOW + 30 * DAY)] == [1, 3]


def test_what_runs_is_the_next_one_unless_a_person_ended_it() -> None:
    window = a_window(recurrence="FREQ=DAILY")
    running = datetime(2026, 1, 5, 1, 30, tzinfo=UTC)
    now = running + timedelta(minutes=59)
    assert next_occurrences(window, now=now)[0].starts_at == running
    assert next_occurrences(window, now=running + HOUR)[0].starts_at == running + DAY
    skipped = replace(window, skipped=frozenset({running}))
    assert [one.starts_at for one in next_occurrences(skipped, now=now, limit=2)] == [running + DAY, running + 2 * DAY]
    assert next_occurrences(replace(window, paused_at=NOW), now=now) == []


@settings(max_examples=60, deadline=None)
@given(
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]),
    hour=st.integers(0, 23),
    minute=st.integers(0, 59),
    day=st.integers(0, 700),
)
def test_a_daily_window_occurs_once_each_day_of_every_zone(zone: str, hour: int, minute: int, day: int) -> None:
    first = datetime(2026, 1, 1, hour, minute) + day * DAY
    window = a_window(time_zone=zone, starts_at=first, recurrence="FREQ=DAILY")
    since = first.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) - DAY
    found = starts(window, since, since + 400 * DAY)
    days = [one.astimezone(ZoneInfo(zone)).date() for one in found]
    assert all(second - before == DAY for before, second in pairwise(days))
    # The clock shows the time that was asked for, but for the nights that skip it.
    odd = [one for one in found if one.astimezone(ZoneInfo(zone)).replace(tzinfo=None).time() != first.time()]
    assert len(odd) <= 2
    # Asked piece by piece it is the same: plans are made so.
    middle = since + 200 * DAY
    assert starts(window, since, middle) + starts(window, middle, since + 400 * DAY) == found


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"recurrence": "FREQ=DAILY", "duration": 25 * HOUR}, "duration"),
        ({"recurrence": "FREQ=MONTHLY;BYMONTHDAY=31;BYMONTH=2,4,6"}, "recurrence"),
        ({"recurrence": "FREQ=DAILY;COUNT=1", "exceptions": (datetime(2026, 1, 1, 2, 30),)}, "recurrence"),
        ({"starts_at": datetime(2026, 1, 1, 2, 30, 5)}, "startsAt"),
        ({"exceptions": tuple(datetime(2026, 1, 1) + n * DAY for n in range(201))}, "exceptions"),
        ({"duration": timedelta(seconds=59)}, "duration"),
        ({"matchers": ()}, "matchers"),
    ],
)
def test_what_can_be_no_window_says_which_field_is_wrong(fields: dict[str, object], path: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        checked_window(a_window(**fields), now=NOW, max_duration=30 * DAY)
    assert caught.value.path[0] == path


def test_a_day_long_window_may_follow_itself() -> None:
    window = a_window(recurrence="FREQ=DAILY", duration=DAY, starts_at=datetime(2026, 1, 1))
    assert checked_window(window, now=NOW, max_duration=30 * DAY) == window
