"""Does a calendar know each shift again from one reading to the next?"""

import dataclasses
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.ids import new_id
from domain.schedules.model import Layer, Layers, Override, Rotation, Schedule, ShiftUnit
from domain.schedules.published import PublishedShift, published, window_at

ANN, BOB, LAYER, ITS_ID = new_id(), new_id(), new_id(), new_id()
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def schedule() -> Schedule:
    return Schedule(id=ITS_ID, name="x", time_zone="Europe/Berlin", created_at=LONG_AGO, updated_at=LONG_AGO)


def plan(*people: UUID, unit: ShiftUnit, length: int) -> list[Layers]:
    rotation = Rotation(starts_at=datetime(2020, 1, 6, 9), unit=unit, shift_length=length, participants=people)  # noqa: DTZ001 - a wall-clock time
    layer = Layer(id=LAYER, name="", rotation=rotation)
    return [Layers(version=1, effective_from=LONG_AGO, time_zone="Europe/Berlin", layers=(layer,))]


def by_uid(found: list[PublishedShift]) -> dict[str, tuple[datetime, datetime]]:
    assert len({one.uid for one in found}) == len(found), "no two share a name"
    return {one.uid: (one.shift.starts_at, one.shift.ends_at) for one in found}


LENGTHS = st.sampled_from([(ShiftUnit.HOUR, 6), (ShiftUnit.DAY, 1), (ShiftUnit.DAY, 3), (ShiftUnit.WEEK, 1)])
MOMENTS = st.integers(0, 3 * 365 * 24).map(lambda hours: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(hours=hours))


@settings(deadline=None, max_examples=40)
@given(LENGTHS, MOMENTS, st.integers(0, 60 * 24))
def test_shifts_that_are_shown_twice_have_the_same_name(
    length: tuple[ShiftUnit, int], at: datetime, hours: int
) -> None:
    versions = plan(ANN, BOB, unit=length[0], length=length[1])
    first = by_uid(published(schedule(), (versions, []), window_at(at)))
    later_window = window_at(at + timedelta(hours=hours))
    later = by_uid(published(schedule(), (versions, []), later_window))
    ends = window_at(at).shown.ends_at
    still = {uid: span for uid, span in first.items() if span[1] > later_window.shown.starts_at and span[1] < ends}
    assert {uid: later.get(uid) for uid in still} == still


@settings(deadline=None, max_examples=40)
@given(LENGTHS, MOMENTS, st.integers(1, 72))
def test_an_override_renames_nothing_that_begins_where_it_began(
    length: tuple[ShiftUnit, int], at: datetime, hours: int
) -> None:
    versions, window = plan(ANN, BOB, unit=length[0], length=length[1]), window_at(at)
    before = published(schedule(), (versions, []), window)
    starts = at + timedelta(minutes=7)
    override = Override(
        id=new_id(), schedule_id=ITS_ID, user_id=new_id(), starts_at=starts, ends_at=starts + timedelta(hours=hours),
        created_at=at,
    )  # fmt: skip
    after = by_uid(published(schedule(), (versions, [override]), window))
    covered = [one for one in before if override.starts_at <= one.shift.starts_at < override.ends_at]
    assert {one.uid for one in before} - {one.uid for one in covered} <= set(after)


def test_who_is_alone_on_call_for_ever_is_one_entry_with_one_name() -> None:
    versions = plan(ANN, unit=ShiftUnit.DAY, length=1)
    moments = [datetime(2026, month, 15, tzinfo=UTC) for month in range(1, 13)]
    names = {tuple(by_uid(published(schedule(), (versions, []), window_at(at)))) for at in moments}
    (uids,) = names
    assert len(uids) == 1


def test_only_one_persons_are_shown_where_they_are_asked_for() -> None:
    versions = plan(ANN, BOB, unit=ShiftUnit.DAY, length=1)
    window = window_at(datetime(2026, 3, 15, tzinfo=UTC))
    mine = published(schedule(), (versions, []), window, only=ANN)
    everybody = published(schedule(), (versions, []), window)
    assert [dataclasses.astuple(one) for one in mine] == [
        dataclasses.astuple(one) for one in everybody if one.shift.user_id == ANN
    ]
