"""Is the longest time to a person true? Against asking every few minutes, by the plan that pages themselves take."""

from datetime import UTC, datetime, time, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.alerts.model import Severity
from domain.contacts.model import ContactKind
from domain.contacts.planning import PersonalRule, Preferences, QuietHours, Rest, RuleStep, Way, plan
from domain.errors import InvalidInput
from domain.escalations.model import Policy, Step, Target, TargetKind
from domain.escalations.worst import Contact, Looks, Reachable, Worst, worst_of
from domain.ids import new_id
from domain.schedules.final import final_schedule
from domain.schedules.model import FinalSchedule, Override, Span

NOW = datetime(2026, 11, 26, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
SPAN = Span(NOW, NOW + 48 * HOUR)
ANN, BOB = new_id(), new_id()
PHONES = {ANN: new_id(), BOB: new_id()}
PRIMARY = new_id()
ON_CALL = Target(TargetKind.SCHEDULE, PRIMARY)
NIGHT = QuietHours(starts=time(22), ends=time(7), zone="UTC", floor=Severity.CRITICAL)


def named(user_id: UUID) -> Target:
    return Target(TargetKind.USER, user_id)


def contact(user_id: UUID, *, phone: bool = True, mail: bool = True, **wants: object) -> Contact:
    ways = [Way(user_id, ContactKind.EMAIL), *([Way(PHONES[user_id], ContactKind.SMS)] if phone else [])]
    proven = {way.method_id for way in ways if mail or way.method_id != user_id}
    return Contact(ways=tuple(ways), proven=frozenset(proven), preferences=Preferences(**wants))  # type: ignore[arg-type] # a test's own


def rule(severity: Severity, *steps: tuple[UUID, int]) -> PersonalRule:
    return PersonalRule(frozenset({severity}), tuple(RuleStep(method, minutes * MINUTE) for method, minutes in steps))


def policy(*steps: tuple[int, tuple[Target, ...]], severity: Severity = Severity.HIGH, repeats: int = 0) -> Policy:
    made = tuple(Step(minutes * MINUTE, targets) for minutes, targets in steps)
    return Policy(
        id=new_id(), name="P", steps=made, created_at=NOW, updated_at=NOW, severities=frozenset({severity}),
        repeats=repeats,
    )  # fmt: skip


def schedule(*shifts: tuple[int, int, UUID]) -> FinalSchedule:
    overrides = [
        Override(id=new_id(), schedule_id=PRIMARY, user_id=user_id, starts_at=NOW + starts * HOUR,
                 ends_at=NOW + ends * HOUR, created_at=NOW)
        for starts, ends, user_id in shifts
    ]  # fmt: skip
    return final_schedule([], overrides, Span(NOW, NOW + 96 * HOUR))


def reachable(*contacts: tuple[UUID, Contact], shifts: FinalSchedule | None = None, **more: object) -> Reachable:
    standing = {named(user_id): frozenset({user_id}) for user_id, _ in contacts}
    schedules = {} if shifts is None else {PRIMARY: shifts}
    given_: dict[str, object] = {"channels": frozenset(), "until": NOW + 96 * HOUR, **more}
    return Reachable(standing=standing, schedules=schedules, contacts=dict(contacts), **given_)  # type: ignore[arg-type] # a test's own


def worst(policy_: Policy, found: Reachable) -> Worst:
    return worst_of(policy_, found, SPAN, Looks())


def test_a_delay_of_ones_own_counts_beside_that_of_the_step() -> None:
    slow = contact(ANN, rules=(rule(Severity.HIGH, (PHONES[ANN], 5), (ANN, 20)),))
    found = worst(policy((2, (named(ANN),))), reachable((ANN, slow)))
    assert (found.after, found.at, found.severity, found.unreached) == (7 * MINUTE, NOW, Severity.HIGH, ())
    unproved = contact(ANN, phone=False, rules=(rule(Severity.HIGH, (PHONES[ANN], 5), (ANN, 20)),))
    assert worst(policy((2, (named(ANN),))), reachable((ANN, unproved))).after == 22 * MINUTE, "by mail, later"


def test_a_night_counts_from_its_first_moment() -> None:
    sleeps = contact(ANN, quiet_hours=NIGHT)
    found = worst(policy((0, (named(ANN),))), reachable((ANN, sleeps)))
    assert (found.after, found.at) == (9 * HOUR, NOW + 22 * HOUR)
    critical = worst(policy((0, (named(ANN),)), severity=Severity.CRITICAL), reachable((ANN, sleeps)))
    assert critical.after == timedelta(0), "the floor lets it through"
    second = policy((0, (named(ANN),)), (15, (named(BOB),)))
    assert worst(second, reachable((ANN, sleeps), (BOB, contact(BOB)))).after == 15 * MINUTE


def test_a_teams_quiet_hours_count_as_well() -> None:
    found = worst(policy((0, (named(ANN),))), reachable((ANN, contact(ANN)), team=Rest(NIGHT, is_of_team=True)))
    assert found.after == 9 * HOUR


def test_a_channel_is_waited_for_and_is_nobody() -> None:
    channel = Target(TargetKind.CHANNEL, new_id())
    steps = policy((0, (channel,)), (10, (named(ANN),)))
    assert worst(steps, reachable((ANN, contact(ANN)), channels=frozenset({channel.id}))).after == 10 * MINUTE
    assert worst(steps, reachable((ANN, contact(ANN)))).after == timedelta(0), "one that ended is skipped at once"


def test_who_proved_nothing_or_sees_nothing_is_nobody() -> None:
    for found in (
        reachable((ANN, contact(ANN, phone=False, mail=False))),
        reachable((ANN, contact(ANN)), unseeing=frozenset({ANN})),
    ):
        answer = worst(policy((0, (named(ANN),))), found)
        assert (answer.after, answer.unreached) == (None, (SPAN,))
    low = worst(policy((0, (named(ANN),)), severity=Severity.LOW), reachable((ANN, contact(ANN, mail=False))))
    assert low.unreached == (SPAN,), "without a rule a low alert goes by mail alone, which nobody proved"


def test_a_gap_of_a_schedule_is_told_and_what_follows_the_time_is_looked_at() -> None:
    found = worst(policy((0, (ON_CALL,))), reachable((ANN, contact(ANN)), shifts=schedule((0, 30, ANN), (40, 90, ANN))))
    assert found.unreached == (Span(NOW + 30 * HOUR, NOW + 40 * HOUR),)
    late = policy((60, (ON_CALL,)))
    assert worst(late, reachable((ANN, contact(ANN)), shifts=schedule((0, 90, ANN)))).after == HOUR


def test_too_much_is_refused() -> None:
    with pytest.raises(InvalidInput, match="too much"):
        worst_of(policy((0, (named(ANN),))), reachable((ANN, contact(ANN, quiet_hours=NIGHT))), SPAN, Looks(left=3))


def asked_at(policy_: Policy, found: Reachable, opens: datetime, severity: Severity) -> datetime | None:
    """As the engine goes: each step in turn, and the plan of each page; the first message to something proved."""
    messages, at, is_waiting = [], opens, True
    for step in policy_.steps * (1 + policy_.repeats):
        at = at + step.delay if is_waiting else at
        reached: set[UUID] = set()
        for target in step.targets:
            if target.kind is TargetKind.SCHEDULE:
                shifts = found.schedules[target.id].shifts
                reached |= {one.user_id for one in shifts if one.starts_at <= at < one.ends_at}
            else:
                reached |= found.standing[target]
        for user_id in reached:
            one = found.contacts[user_id]
            planned = plan(one.ways, one.preferences, severity=severity, now=at, team=found.team)
            messages += [message.at for message in planned if message.way.method_id in one.proven]
        is_waiting = bool(reached)
    return min(messages, default=None)


CLOCKS = st.integers(0, 95).map(lambda quarter: time(quarter // 4, 15 * (quarter % 4)))
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"])
QUIET = st.none() | st.builds(
    QuietHours, starts=CLOCKS, ends=CLOCKS, zone=ZONES, floor=st.sampled_from([Severity.CRITICAL, Severity.LOW])
).filter(lambda quiet: quiet.starts != quiet.ends)
DELAYS = st.lists(st.integers(0, 8).map(lambda tenth: 15 * tenth), min_size=1, max_size=3)


@st.composite
def contacts(draw: st.DrawFn, user_id: UUID) -> Contact:
    methods = [user_id, PHONES[user_id]]
    steps = tuple(RuleStep(draw(st.sampled_from(methods)), delay * MINUTE) for delay in draw(DELAYS))
    rules = (PersonalRule(frozenset({Severity.HIGH}), steps),) if draw(st.booleans()) else ()
    return contact(user_id, phone=draw(st.booleans()), mail=draw(st.booleans()), rules=rules, quiet_hours=draw(QUIET))


SHIFTS = st.lists(st.tuples(st.integers(0, 90), st.integers(1, 30), st.sampled_from([ANN, BOB])), max_size=5).map(
    lambda found: schedule(*[(starts, min(96, starts + length), user) for starts, length, user in found])
)
STEPS = st.lists(
    st.tuples(
        st.integers(0, 8).map(lambda quarter: 15 * quarter),
        st.lists(st.sampled_from([ON_CALL, named(ANN), named(BOB)]), min_size=1, max_size=2, unique=True).map(tuple),
    ),
    min_size=1, max_size=3,
)  # fmt: skip


@given(STEPS, SHIFTS, contacts(ANN), contacts(BOB), QUIET, st.integers(0, 1))
def test_no_moment_is_worse_and_the_worst_is_one(
    steps: list[tuple[int, tuple[Target, ...]]],
    shifts: FinalSchedule,
    ann: Contact,
    bob: Contact,
    team: QuietHours | None,
    repeats: int,
) -> None:
    made = policy(*steps, repeats=repeats)
    found = reachable((ANN, ann), (BOB, bob), shifts=shifts, team=None if team is None else Rest(team, is_of_team=True))
    answer = worst(made, found)
    moments = [NOW + quarter * 15 * MINUTE for quarter in range(4 * 48)]
    told = {moment: asked_at(made, found, moment, Severity.HIGH) for moment in moments}
    unreached = {moment for moment, at in told.items() if at is None}
    assert unreached == {
        moment for moment in moments if any(gap.starts_at <= moment < gap.ends_at for gap in answer.unreached)
    }
    if not unreached:
        assert answer.after == max(at - moment for moment, at in told.items() if at is not None)
        assert answer.at is not None
        assert asked_at(made, found, answer.at, Severity.HIGH) == answer.at + answer.after


def test_a_night_in_which_the_clock_is_put_back_is_as_long_as_it_is() -> None:
    berlin = QuietHours(starts=time(1), ends=time(4), zone="Europe/Berlin", floor=Severity.CRITICAL)
    span = Span(datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 10, 25, 12, tzinfo=UTC))
    until = span.ends_at + 24 * HOUR
    found = worst_of(
        policy((0, (named(ANN),))), reachable((ANN, contact(ANN, quiet_hours=berlin)), until=until), span, Looks()
    )
    assert (found.after, found.at) == (4 * HOUR, datetime(2026, 10, 24, 23, tzinfo=UTC))
