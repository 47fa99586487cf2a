"""Are holes found, whatever the schedules are? Against looking at every moment (N3)."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from domain.escalations.coverage import Staff, coverage
from domain.escalations.model import Policy, Step, Target, TargetKind
from domain.ids import new_id
from domain.schedules.final import final_schedule
from domain.schedules.model import FinalSchedule, Override, Span

NOW = datetime(2026, 11, 26, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
SPAN = Span(NOW, NOW + 48 * HOUR)
ANN, GONE = new_id(), new_id()
FIRST, SECOND = new_id(), new_id()
ACTIVE = frozenset({ANN})


def policy(*steps: tuple[Target, ...]) -> Policy:
    made = tuple(Step(5 * MINUTE if number else MINUTE, targets) for number, targets in enumerate(steps))
    return Policy(id=new_id(), name="P", steps=made, created_at=NOW, updated_at=NOW)


def schedule(*hours: tuple[int, int, UUID]) -> FinalSchedule:
    overrides = [
        Override(
            id=new_id(),
            schedule_id=FIRST,
            user_id=user_id,
            starts_at=NOW + starts * HOUR,
            ends_at=NOW + ends * HOUR,
            created_at=NOW,
        )
        for starts, ends, user_id in hours
    ]
    return final_schedule([], overrides, SPAN)


def staff(
    *, standing: dict[Target, frozenset[UUID]] | None = None, schedules: dict[UUID, FinalSchedule] | None = None
) -> Staff:
    return Staff(standing=standing or {}, schedules=schedules or {}, active=ACTIVE)


def on(schedule_id: UUID) -> Target:
    return Target(TargetKind.SCHEDULE, schedule_id)


def hours(spans: tuple[Span, ...]) -> list[tuple[float, float]]:
    return [((span.starts_at - NOW) / HOUR, (span.ends_at - NOW) / HOUR) for span in spans]


def test_a_hole_is_where_no_step_reaches_anybody() -> None:
    schedules = {FIRST: schedule((0, 20, ANN)), SECOND: schedule((10, 30, ANN))}
    found = coverage(policy((on(FIRST),), (on(SECOND),)), staff=staff(schedules=schedules), span=SPAN)
    assert hours(found.holes) == [(30, 48)]
    assert [(one.step, hours(one.gaps)) for one in found.empty_steps] == [(1, [(20, 48)]), (2, [(0, 10), (30, 48)])]
    assert found.people == ACTIVE


def test_somebody_named_covers_everything_and_one_who_left_nothing() -> None:
    ann, gone = Target(TargetKind.USER, ANN), Target(TargetKind.USER, GONE)
    standing = {ann: frozenset({ANN}), gone: frozenset({GONE})}
    covered = coverage(policy((gone,), (ann,)), staff=staff(standing=standing), span=SPAN)
    assert covered.holes == ()
    assert [one.step for one in covered.empty_steps] == [1]
    channel = Target(TargetKind.CHANNEL, new_id())
    assert coverage(policy((channel,)), staff=staff(), span=SPAN).holes == (SPAN,)


SHIFTS = st.lists(st.tuples(st.integers(0, 47), st.integers(1, 20), st.sampled_from([ANN, GONE])), max_size=6).map(
    lambda found: schedule(*[(starts, min(48, starts + length), user) for starts, length, user in found])
)


@given(SHIFTS, SHIFTS, st.integers(0, 47))
def test_every_moment_agrees_with_the_holes(first: FinalSchedule, second: FinalSchedule, hour: int) -> None:
    schedules = {FIRST: first, SECOND: second}
    found = coverage(policy((on(FIRST), on(SECOND))), staff=staff(schedules=schedules), span=SPAN)
    moment = NOW + (hour + 0.5) * HOUR
    is_covered = any(
        shift.user_id == ANN and shift.starts_at <= moment < shift.ends_at
        for schedule in schedules.values()
        for shift in schedule.shifts
    )
    assert is_covered != any(hole.starts_at <= moment < hole.ends_at for hole in found.holes)
