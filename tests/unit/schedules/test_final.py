"""Who is on call, once layers, versions and overrides lie on top of each other?"""

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.ids import new_id
from domain.schedules.final import final_schedule, on_call_at
from domain.schedules.model import (
    Layer,
    Layers,
    Override,
    Restriction,
    Rotation,
    Shift,
    ShiftUnit,
    Span,
    Weekday,
)

ANN, BOB, CY, DI = (new_id() for _ in range(4))
SCHEDULE = new_id()
START = datetime(2026, 1, 5, tzinfo=UTC)  # a Monday
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def layer(*people: UUID, restrictions: Sequence[Restriction] = (), length: int = 1) -> Layer:
    rotation = Rotation(
        starts_at=START.replace(tzinfo=None), unit=ShiftUnit.DAY, shift_length=length, participants=people
    )
    return Layer(id=new_id(), name="", rotation=rotation, restrictions=tuple(restrictions))


def version(*layers: Layer, number: int = 1, since: datetime = LONG_AGO) -> Layers:
    return Layers(version=number, effective_from=since, time_zone="UTC", layers=layers)


def override(user_id: UUID, starts: float, ends: float, made: int = 0) -> Override:
    return Override(
        id=new_id(),
        schedule_id=SCHEDULE,
        user_id=user_id,
        starts_at=at(starts),
        ends_at=at(ends),
        created_at=LONG_AGO + timedelta(seconds=made),
    )


def spans(shifts: Sequence[Shift]) -> list[tuple[UUID, float, float]]:
    hour = timedelta(hours=1)
    return [(shift.user_id, (shift.starts_at - START) / hour, (shift.ends_at - START) / hour) for shift in shifts]


def test_a_later_layer_covers_an_earlier_one_in_its_hours() -> None:
    nights = Restriction(weekdays=frozenset(Weekday), starts=time(20), ends=time(8))
    found = final_schedule([version(layer(ANN), layer(BOB, restrictions=[nights]))], [], Span(at(0), at(24)))
    assert spans(found.shifts) == [(BOB, 0, 8), (ANN, 8, 20), (BOB, 20, 24)]
    assert found.gaps == ()


def test_what_nobody_covers_is_a_gap() -> None:
    days = Restriction(weekdays=frozenset(Weekday), starts=time(8), ends=time(20))
    found = final_schedule([version(layer(ANN, restrictions=[days]))], [], Span(at(0), at(24)))
    assert found.gaps == (Span(at(0), at(8)), Span(at(20), at(24)))
    assert final_schedule([], [], Span(at(0), at(1))).gaps == (Span(at(0), at(1)),)


def test_an_override_covers_all_layers_and_the_later_of_two_counts() -> None:
    overrides = [override(CY, 2, 6, made=1), override(DI, 4, 8, made=2)]
    found = final_schedule([version(layer(ANN))], overrides, Span(at(0), at(10)))
    assert spans(found.shifts) == [(ANN, 0, 2), (CY, 2, 4), (DI, 4, 8), (ANN, 8, 10)]
    assert [shift.override_id for shift in found.shifts] == [None, overrides[0].id, overrides[1].id, None]


def test_who_was_on_call_stays_so_when_the_layers_change() -> None:
    versions = [version(layer(ANN)), version(layer(BOB), number=2, since=at(12))]
    found = final_schedule(versions, [], Span(at(0), at(24)))
    assert spans(found.shifts) == [(ANN, 0, 12), (BOB, 12, 24)]


def test_a_layer_counts_from_its_beginning_to_its_end() -> None:
    bounded = layer(BOB)
    bounded = Layer(id=bounded.id, name="", rotation=bounded.rotation, begins_at=at(3), ends_at=at(5))
    found = final_schedule([version(layer(ANN), bounded)], [], Span(at(0), at(8)))
    assert spans(found.shifts) == [(ANN, 0, 3), (BOB, 3, 5), (ANN, 5, 8)]


def test_consecutive_turns_of_one_person_are_one_shift() -> None:
    found = final_schedule([version(layer(ANN))], [], Span(at(0), at(24 * 7)))
    assert spans(found.shifts) == [(ANN, 0, 24 * 7)]


OVERRIDES = st.lists(
    st.tuples(st.sampled_from([ANN, BOB, CY, DI]), st.integers(-20, 80), st.integers(1, 40), st.integers(0, 5)),
    max_size=8,
).map(lambda cases: [override(user, starts, starts + length, made) for user, starts, length, made in cases])
WINDOWS = st.lists(
    st.builds(
        Restriction,
        weekdays=st.frozensets(st.sampled_from(Weekday), min_size=1),
        starts=st.integers(0, 23).map(time),
        ends=st.integers(0, 23).map(time),
    ),
    max_size=3,
)


@settings(deadline=None)
@given(st.lists(WINDOWS, max_size=4), OVERRIDES, st.integers(0, 71))
def test_each_moment_of_the_whole_agrees_with_that_moment_alone(
    windows: list[list[Restriction]], overrides: list[Override], hour: int
) -> None:
    people = (ANN, BOB, CY)
    layers = [layer(*people[: number % 3 + 1], restrictions=some) for number, some in enumerate(windows)]
    versions, span = [version(*layers)], Span(at(0), at(72))
    found = final_schedule(versions, overrides, span)
    pieces = sorted(
        [*((s.starts_at, s.ends_at) for s in found.shifts), *((g.starts_at, g.ends_at) for g in found.gaps)]
    )
    assert pieces[0][0] == span.starts_at
    assert pieces[-1][1] == span.ends_at
    assert all(before[1] == after[0] for before, after in itertools.pairwise(pieces))
    moment = at(hour + 0.5)
    alone = on_call_at(versions, overrides, moment)
    whole = [shift for shift in found.shifts if shift.starts_at <= moment < shift.ends_at]
    assert (alone.user_id if alone else None) == (whole[0].user_id if whole else None)
