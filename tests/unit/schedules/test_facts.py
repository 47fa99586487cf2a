"""Do windows and handoffs fall where public facts say? In zones whose clocks jump by an hour, half of one, or a day.

The windows of July 2017 (the 24th is a Monday) are the public facts of GoAlert's tests of rules: which window is the
one that runs at a moment, or the next (github.com/target/goalert, schedule/rule/rule_test.go). The handoffs of 2020 and
2021 are those of its tests of rotations (schedule/rotation/rotation_test.go).
"""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from domain.ids import new_id
from domain.schedules.model import Restriction, Rotation, ShiftUnit, Span, Weekday
from domain.schedules.restrictions import open_times
from domain.schedules.rotation import handoff, turns

MONDAY, TUESDAY, FRIDAY, SATURDAY = Weekday.MONDAY, Weekday.TUESDAY, Weekday.FRIDAY, Weekday.SATURDAY
EVERY_DAY = tuple(Weekday)
DAY, HOUR = ShiftUnit.DAY, ShiftUnit.HOUR


def july(text: str) -> datetime:
    """`24 19:59`; days past the 31st are in August."""
    day, _, clock = text.partition(" ")
    hour, _, minute = clock.partition(":")
    return datetime(2017, 7, 1, int(hour), int(minute or 0), tzinfo=UTC) + timedelta(days=int(day) - 1)


@pytest.mark.parametrize(
    ("days", "hours", "at", "starts", "ends"),
    [
        ((MONDAY,), (8, 20), "20 8", "24 8", "24 20"),
        ((MONDAY,), (8, 20), "24 7:59", "24 8", "24 20"),
        ((MONDAY,), (8, 20), "24 8", "24 8", "24 20"),
        ((MONDAY,), (8, 20), "24 8:01", "24 8", "24 20"),
        ((MONDAY,), (8, 20), "24 19:59", "24 8", "24 20"),
        ((MONDAY,), (8, 20), "24 20", "31 8", "31 20"),
        ((MONDAY,), (8, 20), "24 20:01", "31 8", "31 20"),
        ((MONDAY, TUESDAY), (8, 20), "25 8", "25 8", "25 20"),
        ((MONDAY, TUESDAY), (8, 20), "24 20", "25 8", "25 20"),
        ((MONDAY, FRIDAY, SATURDAY), (8, 20), "21 20", "22 8", "22 20"),
        ((MONDAY, FRIDAY, SATURDAY), (8, 20), "22 20", "24 8", "24 20"),
        ((MONDAY, FRIDAY, SATURDAY), (8, 20), "24 20", "28 8", "28 20"),
        ((MONDAY, FRIDAY, SATURDAY), (8, 20), "25 20", "28 8", "28 20"),
        # From eight to eight: two days that touch are one window.
        ((MONDAY, TUESDAY), (8, 8), "20 8", "24 8", "26 8"),
        ((MONDAY, TUESDAY), (8, 8), "24 7:59", "24 8", "26 8"),
        ((MONDAY, TUESDAY), (8, 8), "24 20", "24 8", "26 8"),
        ((MONDAY, TUESDAY), (8, 8), "25 20:01", "24 8", "26 8"),
        ((MONDAY, TUESDAY), (8, 8), "26 20", "31 8", "33 8"),
        (EVERY_DAY, (8, 20), "20 8", "20 8", "20 20"),
        (EVERY_DAY, (8, 20), "24 19:59", "24 8", "24 20"),
        (EVERY_DAY, (8, 20), "24 20", "25 8", "25 20"),
        # over midnight
        ((MONDAY,), (20, 8), "24 8", "24 20", "25 8"),
        ((MONDAY,), (20, 8), "24 20", "24 20", "25 8"),
        ((MONDAY,), (20, 8), "25 7", "24 20", "25 8"),
        ((MONDAY,), (20, 8), "25 8", "31 20", "32 8"),
        (EVERY_DAY, (20, 8), "24 8", "24 20", "25 8"),
        (EVERY_DAY, (20, 8), "24 20", "24 20", "25 8"),
    ],
)
def test_the_window_that_runs_or_the_next(
    days: tuple[Weekday, ...], hours: tuple[int, int], at: str, starts: str, ends: str
) -> None:
    restriction = Restriction(weekdays=frozenset(days), starts=time(hours[0]), ends=time(hours[1]))
    moment = july(at)
    span = Span(moment - timedelta(days=10), moment + timedelta(days=20))
    found = next(one for one in open_times([restriction], span, ZoneInfo("UTC")) if one.ends_at > moment)
    assert found == Span(july(starts), july(ends))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "unit", "first", "handoffs"),
    [
        # Half past two is skipped: it comes an hour later on the clock.
        ("Europe/Berlin", DAY, "2026-03-28T02:30", ["2026-03-28T01:30", "2026-03-29T01:30", "2026-03-30T00:30"]),
        # Half past two comes twice: the first counts.
        ("Europe/Berlin", DAY, "2026-10-24T02:30", ["2026-10-24T00:30", "2026-10-25T00:30", "2026-10-26T01:30"]),
        # The clock jumps by half an hour.
        ("Australia/Lord_Howe", DAY, "2019-10-05T02:15", ["2019-10-04T15:45", "2019-10-05T15:45", "2019-10-06T15:15"]),
        ("Australia/Lord_Howe", HOUR, "2019-10-06T01:00", ["2019-10-05T14:30", "2019-10-05T15:30", "2019-10-05T16:00"]),
        # Midnight itself is skipped.
        ("America/Santiago", DAY, "2019-09-07T00:00", ["2019-09-07T04:00", "2019-09-08T04:00", "2019-09-09T03:00"]),
        # The 30th of December 2011 did not take place.
        ("Pacific/Apia", DAY, "2011-12-29T09:00", ["2011-12-29T19:00", "2011-12-30T19:00", "2011-12-30T19:00"]),
        # Quarters of an hour, and no summer.
        ("Asia/Kathmandu", DAY, "2026-03-28T09:00", ["2026-03-28T03:15", "2026-03-29T03:15", "2026-03-30T03:15"]),
        ("Europe/London", ShiftUnit.WEEK, "2019-03-25T09:00", ["2019-03-25T09:00", "2019-04-01T08:00"]),
        ("America/New_York", HOUR, "2019-11-03T00:00", ["2019-11-03T04:00", "2019-11-03T05:00", "2019-11-03T07:00"]),
    ],
)
def test_handoffs_across_a_change_of_the_clock(zone: str, unit: ShiftUnit, first: str, handoffs: list[str]) -> None:
    made = Rotation(
        starts_at=datetime.fromisoformat(first),  # a time of the wall clock
        unit=unit,
        shift_length=1,
        participants=(new_id(), new_id()),
    )
    found = [handoff(made, number, ZoneInfo(zone)) for number in range(len(handoffs))]
    assert found == [utc(one) for one in handoffs]


@pytest.mark.parametrize(
    ("zone", "unit", "length", "first", "number", "handoffs"),
    [
        # Half past one comes twice on 1 November: the first counts.
        *[
            ("America/Chicago", unit, length, "2020-10-30T01:30", 0,
             ["30 01:30 -5", "31 01:30 -5", "01 01:30 -5", "02 01:30 -6", "03 01:30 -6"])
            for unit, length in ((DAY, 1), (HOUR, 24))
        ],
        ("America/Chicago", HOUR, 1, "2020-07-06T02:30", 117 * 24 + 21,
         ["31 23:30 -5", "01 00:30 -5", "01 01:30 -5", "01 02:30 -6", "01 03:30 -6", "01 04:30 -6"]),
        ("America/Chicago", HOUR, 1, "2020-07-06T02:00", 117 * 24 + 22,
         ["01 00:00 -5", "01 01:00 -5", "01 02:00 -6", "01 03:00 -6", "01 04:00 -6", "01 05:00 -6"]),
        # A handoff at two on 8 March is at three. (At half past two it is at half past three here, as RFC 5545 has it;
        # GoAlert takes the first moment there is.)
        ("America/Chicago", HOUR, 1, "2020-03-06T02:00", 47,
         ["08 01:00 -6", "08 03:00 -5", "08 03:00 -5", "08 04:00 -5"]),
        # Half an hour is put back: two to half past one.
        ("Australia/Lord_Howe", HOUR, 1, "2021-04-03T02:30", 22,
         ["04 00:30 +11", "04 01:30 +11", "04 02:30 +10.5", "04 03:30 +10.5", "04 04:30 +10.5"]),
        ("Australia/Lord_Howe", DAY, 1, "2021-04-02T02:30", 0,
         ["02 02:30 +11", "03 02:30 +11", "04 02:30 +10.5", "05 02:30 +10.5", "06 02:30 +10.5"]),
        *[
            ("Australia/Lord_Howe", unit, length, "2021-04-02T02:00", 0,
             ["02 02:00 +11", "03 02:00 +11", "04 02:00 +10.5", "05 02:00 +10.5", "06 02:00 +10.5"])
            for unit, length in ((DAY, 1), (HOUR, 24))
        ],
        # And forward: half past one is before that.
        *[
            ("Australia/Lord_Howe", unit, length, "2020-10-02T01:30", 0,
             ["02 01:30 +10.5", "03 01:30 +10.5", "04 01:30 +10.5", "05 01:30 +11", "06 01:30 +11"])
            for unit, length in ((DAY, 1), (HOUR, 24))
        ],
    ],
)  # fmt: skip
def test_handoffs_of_the_public_tests_of_rotations(
    zone: str, unit: ShiftUnit, length: int, first: str, number: int, handoffs: list[str]
) -> None:
    made = Rotation(
        starts_at=datetime.fromisoformat(first), unit=unit, shift_length=length, participants=(new_id(), new_id())
    )
    found = [handoff(made, number + place, ZoneInfo(zone)).astimezone(ZoneInfo(zone)) for place in range(len(handoffs))]
    assert [f"{one:%d %H:%M} {(one.utcoffset() or timedelta(0)) / timedelta(hours=1):+g}" for one in found] == handoffs


def test_whose_day_did_not_take_place_is_passed_over() -> None:
    ann, bob, cy = new_id(), new_id(), new_id()
    made = Rotation(
        starts_at=datetime.fromisoformat("2011-12-29T00:00"), unit=DAY, shift_length=1, participants=(ann, bob, cy)
    )
    span = Span(utc("2011-12-29T10:00"), utc("2011-12-31T10:00"))
    assert [user for user, _ in turns(made, span, ZoneInfo("Pacific/Apia"))] == [ann, cy]
