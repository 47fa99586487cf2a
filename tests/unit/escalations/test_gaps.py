"""Is a gap that a change opens found, and none that was there before?"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.alerts.model import Severity
from domain.escalations.coverage import Staff
from domain.escalations.gaps import holes_of, opened
from domain.escalations.model import Policy, Step, Target, TargetKind
from domain.ids import new_id
from domain.schedules.model import FinalSchedule, Shift, Span

NOW = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
SPAN = Span(NOW, NOW + 24 * HOUR)
ANN, SCHEDULE, OTHER, TEAM = new_id(), new_id(), new_id(), new_id()


def policy(*targets: Target, severities: frozenset[Severity] = frozenset(Severity), team: UUID = TEAM) -> Policy:
    steps = tuple(Step(HOUR, (target,)) for target in targets)
    return Policy(
        id=new_id(), name="x", steps=steps, created_at=NOW, updated_at=NOW, team_id=team, severities=severities
    )


def on_call(*hours: tuple[int, int]) -> FinalSchedule:
    shifts = tuple(Shift(user_id=ANN, starts_at=NOW + a * HOUR, ends_at=NOW + b * HOUR) for a, b in hours)
    return FinalSchedule(shifts, ())


def staff(*, active: frozenset[UUID] = frozenset({ANN}), **schedules: FinalSchedule) -> Staff:
    by_id = {"first": SCHEDULE, "second": OTHER}
    return Staff(
        standing={Target(TargetKind.USER, ANN): frozenset({ANN})},
        schedules={by_id[name]: one for name, one in schedules.items()},
        active=active,
    )


FIRST, SECOND = Target(TargetKind.SCHEDULE, SCHEDULE), Target(TargetKind.SCHEDULE, OTHER)


def test_a_shift_that_goes_opens_its_time_and_no_more() -> None:
    policies = [policy(FIRST)]
    before = holes_of(policies, staff=staff(first=on_call((0, 8), (12, 24))), span=SPAN)
    after = holes_of(policies, staff=staff(first=on_call((0, 8), (20, 24))), span=SPAN)
    (gap,) = opened(before, after, SPAN)
    assert (gap.span, gap.team_id) == (Span(NOW + 12 * HOUR, NOW + 20 * HOUR), TEAM)
    assert set(gap.severities) == set(Severity)
    assert opened(after, before, SPAN) == [], "what closes a gap opens none"


def test_another_policy_that_takes_the_severity_fills_it() -> None:
    critical = frozenset({Severity.CRITICAL})
    policies = [policy(FIRST), policy(SECOND, severities=critical)]
    there = staff(first=on_call((0, 24)), second=on_call((0, 24)))
    gone = staff(first=FinalSchedule((), ()), second=on_call((0, 24)))
    found = opened(holes_of(policies, staff=there, span=SPAN), holes_of(policies, staff=gone, span=SPAN), SPAN)
    assert {severity for gap in found for severity in gap.severities} == set(Severity) - critical


def test_a_policy_by_rule_fills_no_gap_of_those_that_take_all_alerts_and_has_its_own() -> None:
    taking, by_rule = policy(FIRST), replace(policy(SECOND), is_by_rule=True)
    there = staff(first=on_call((0, 24)), second=on_call((0, 24)))
    nobody = FinalSchedule((), ())
    full = holes_of([by_rule, taking], staff=there, span=SPAN)
    alone = staff(first=nobody, second=on_call((0, 24)))
    (gap,) = opened(full, holes_of([by_rule, taking], staff=alone, span=SPAN), SPAN)
    assert (gap.span, len(gap.severities)) == (SPAN, len(Severity))
    assert opened(full, holes_of([by_rule], staff=there, span=SPAN), SPAN) == [gap], "the one that takes all goes"
    rest = staff(first=on_call((0, 24)), second=nobody)
    assert opened(full, holes_of([by_rule, taking], staff=rest, span=SPAN), SPAN) == []
    assert opened(full, holes_of([taking], staff=there, span=SPAN), SPAN) == []
    only = holes_of([by_rule], staff=there, span=SPAN)
    assert opened(only, holes_of([by_rule], staff=rest, span=SPAN), SPAN) == [gap]
    assert opened(only, holes_of([], staff=there, span=SPAN), SPAN) == [gap]


def test_the_last_policy_that_goes_opens_all_of_its_time() -> None:
    people = staff(first=on_call((6, 9)))
    (gap,) = opened(holes_of([policy(FIRST)], staff=people, span=SPAN), holes_of([], staff=people, span=SPAN), SPAN)
    assert gap.span == Span(NOW + 6 * HOUR, NOW + 9 * HOUR)


def test_who_may_not_sign_in_fills_nothing() -> None:
    policies = [policy(Target(TargetKind.USER, ANN))]
    before, after = (holes_of(policies, staff=staff(active=who), span=SPAN) for who in (frozenset({ANN}), frozenset()))
    (gap,) = opened(before, after, SPAN)
    assert gap.span == SPAN


TIMES = st.lists(st.tuples(st.integers(0, 23), st.integers(0, 23)).filter(lambda pair: pair[0] < pair[1]), max_size=4)


def _covered(times: list[tuple[int, int]]) -> set[int]:
    return {hour for first, last in times for hour in range(first, last)}


def _in_order(times: list[tuple[int, int]]) -> list[tuple[int, int]]:
    hours = sorted(_covered(times))
    return [(hour, hour + 1) for hour in hours]


@settings(deadline=None)
@given(TIMES, TIMES, TIMES, TIMES)
def test_each_hour_is_a_new_gap_exactly_when_somebody_was_there_and_nobody_is(
    first: list[tuple[int, int]],
    second: list[tuple[int, int]],
    first_after: list[tuple[int, int]],
    second_after: list[tuple[int, int]],
) -> None:
    policies = [policy(FIRST), policy(SECOND)]
    found = opened(
        holes_of(
            policies, staff=staff(first=on_call(*_in_order(first)), second=on_call(*_in_order(second))), span=SPAN
        ),
        holes_of(
            policies,
            staff=staff(first=on_call(*_in_order(first_after)), second=on_call(*_in_order(second_after))),
            span=SPAN,
        ),
        SPAN,
    )
    hours = {
        hour for gap in found for hour in range(24) if gap.span.within(Span(NOW + hour * HOUR, NOW + (hour + 1) * HOUR))
    }
    assert hours == (_covered(first) | _covered(second)) - (_covered(first_after) | _covered(second_after))
