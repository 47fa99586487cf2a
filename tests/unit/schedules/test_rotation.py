"""Are shifts as long as the wall clock says, also on the days it jumps?

The cases of Chicago in 2017 are the public facts of GoAlert's rotation tests (github.com/target/goalert,
schedule/rotation/rotation_test.go): on 12 March 2:00 becomes 3:00, on 5 November 2:00 becomes 1:00.
"""

import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.ids import new_id
from domain.schedules.clock import to_utc
from domain.schedules.model import Rotation, ShiftUnit, Span
from domain.schedules.rotation import handoff, turn_at, turns

CHICAGO = ZoneInfo("America/Chicago")
ANN, BOB, CY = new_id(), new_id(), new_id()
HOUR, DAY, WEEK = ShiftUnit.HOUR, ShiftUnit.DAY, ShiftUnit.WEEK


def wall(text: str) -> datetime:
    return datetime.strptime(text, "%b %d %Y %I:%M %p")  # noqa: DTZ007 - a wall-clock time


def moment(text: str) -> datetime:
    return to_utc(wall(text), CHICAGO)


def rotation(starts: str, unit: ShiftUnit = HOUR, length: int = 1) -> Rotation:
    return Rotation(starts_at=wall(starts), unit=unit, shift_length=length, participants=(ANN, BOB, CY))


@pytest.mark.parametrize(
    ("unit", "starts", "length", "ends", "hours"),
    [
        (WEEK, "Jun 10 2017 8:00 am", 1, "Jun 17 2017 8:00 am", 24 * 7),
        (WEEK, "Jun 10 2017 8:00 am", 2, "Jun 24 2017 8:00 am", 24 * 14),
        (WEEK, "Mar 10 2017 8:00 am", 1, "Mar 17 2017 8:00 am", 24 * 7 - 1),
        (WEEK, "Nov 4 2017 8:00 am", 1, "Nov 11 2017 8:00 am", 24 * 7 + 1),
        (DAY, "Jun 10 2017 8:00 am", 1, "Jun 11 2017 8:00 am", 24),
        (DAY, "Jun 10 2017 8:00 am", 2, "Jun 12 2017 8:00 am", 48),
        (DAY, "Mar 11 2017 8:00 am", 1, "Mar 12 2017 8:00 am", 23),
        (DAY, "Nov 4 2017 8:00 am", 1, "Nov 5 2017 8:00 am", 25),
        (HOUR, "Jun 10 2017 8:00 am", 1, "Jun 10 2017 9:00 am", 1),
        (HOUR, "Jun 10 2017 8:00 am", 2, "Jun 10 2017 10:00 am", 2),
        (HOUR, "Mar 12 2017 12:00 am", 3, "Mar 12 2017 3:00 am", 2),
        (HOUR, "Nov 5 2017 12:00 am", 3, "Nov 5 2017 3:00 am", 4),
    ],
)
def test_a_shift_ends_at_the_wall_clock_time(unit: ShiftUnit, starts: str, length: int, ends: str, hours: int) -> None:
    made = rotation(starts, unit, length)
    assert handoff(made, 1, CHICAGO) == moment(ends)
    assert handoff(made, 1, CHICAGO) - handoff(made, 0, CHICAGO) == timedelta(hours=hours)


def test_the_skipped_hour_has_no_shift_and_the_repeated_one_lasts_two_hours() -> None:
    made = rotation("Jan 1 2017 1:00 am")
    spring = Span(moment("Mar 12 2017 1:00 am"), moment("Mar 12 2017 5:00 am"))
    lengths = [(turn.ends_at - turn.starts_at) // timedelta(hours=1) for _, turn in turns(made, spring, CHICAGO)]
    assert lengths == [1, 1, 1]
    autumn = Span(moment("Nov 5 2017 12:00 am"), moment("Nov 5 2017 4:00 am"))
    lengths = [(turn.ends_at - turn.starts_at) // timedelta(hours=1) for _, turn in turns(made, autumn, CHICAGO)]
    assert lengths == [1, 2, 1, 1]


def test_a_shift_already_under_way_ends_at_its_handoff() -> None:
    made = rotation("Jan 1 2017 12:00 am", HOUR, 12)
    number = turn_at(made, moment("Jan 3 2017 6:00 am"), CHICAGO)
    assert handoff(made, number + 1, CHICAGO) == moment("Jan 3 2017 12:00 pm")


def test_people_take_turns_in_order_and_nobody_before_the_first_handoff() -> None:
    made = rotation("Jun 10 2017 8:00 am", DAY)
    span = Span(moment("Jun 9 2017 8:00 am"), moment("Jun 14 2017 9:00 am"))
    found = list(turns(made, span, CHICAGO))
    assert [user for user, _ in found] == [ANN, BOB, CY, ANN, BOB]
    assert found[0][1].starts_at == moment("Jun 10 2017 8:00 am")
    assert found[-1][1].ends_at == span.ends_at


MOMENTS = st.integers(0, 20 * 365 * 24 * 3600).map(
    lambda seconds: datetime(2015, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)
ROTATIONS = st.builds(
    Rotation,
    starts_at=st.integers(0, 10 * 365 * 24 * 60).map(
        lambda minutes: wall("Jan 1 2015 12:00 am") + timedelta(minutes=minutes)
    ),
    unit=st.sampled_from(ShiftUnit),
    shift_length=st.integers(1, 50),
    participants=st.just((ANN, BOB, CY)),
)
ZONES = st.sampled_from(["UTC", "America/Chicago", "Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia"])


@settings(deadline=None)
@given(ROTATIONS, MOMENTS, ZONES)
def test_every_moment_is_within_its_turn(made: Rotation, at: datetime, name: str) -> None:
    where = ZoneInfo(name)
    number = turn_at(made, at, where)
    assert handoff(made, number, where) <= at < handoff(made, number + 1, where)


@settings(deadline=None)
@given(ROTATIONS, MOMENTS, st.integers(1, 400), ZONES)
def test_turns_cover_the_span_without_gap_or_overlap(made: Rotation, at: datetime, hours: int, name: str) -> None:
    where = ZoneInfo(name)
    span = Span(max(at, handoff(made, 0, where)), max(at, handoff(made, 0, where)) + timedelta(hours=hours))
    found = [turn for _, turn in turns(made, span, where)]
    assert found[0].starts_at == span.starts_at
    assert found[-1].ends_at == span.ends_at
    assert all(before.ends_at == after.starts_at for before, after in itertools.pairwise(found))
