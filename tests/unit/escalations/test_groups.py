"""When does the escalation of a group fire? Each line of the table, and what must hold whatever comes (A3, A4)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.alerts.model import AlertStatus, Severity
from domain.escalations.engine import Subject, round_and_step, stepped
from domain.escalations.group_message import GroupTold, told_of_group
from domain.escalations.groups import (
    Members,
    Turn,
    first_to_call,
    followed,
    loud,
    policies_to_start,
    rank,
    route,
    started_for_group,
    worst,
)
from domain.escalations.message import Told
from domain.escalations.model import Escalation, EscalationState, NotificationKind, Policy, Step, Target, TargetKind
from domain.ids import new_id

NOW = datetime(2026, 11, 26, 3, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
GROUP, ANN = new_id(), new_id()
ALL = frozenset(Severity)
RUNNING, PAUSED = EscalationState.RUNNING, EscalationState.PAUSED
FINISHED, EXHAUSTED = EscalationState.FINISHED, EscalationState.EXHAUSTED
ACKNOWLEDGED = AlertStatus.ACKNOWLEDGED


def policy(*delays: int, **more: Any) -> Policy:  # noqa: ANN401 - of any field
    target = Target(TargetKind.USER, ANN)
    steps = tuple(Step(delay * MINUTE, (target,)) for delay in delays or (0, 5, 10))
    return replace(Policy(id=new_id(), name="P", steps=steps, created_at=NOW, updated_at=NOW), **more)


def member(severity: Severity = Severity.HIGH, *, is_new: bool = False, is_quiet: bool = False, **more: Any) -> Members:  # noqa: ANN401 - of any field
    subject = Subject(
        id=new_id(),
        episode=1,
        status=AlertStatus.ACTIVE,
        severity=severity,
        team_id=None,
        is_suppressed=False,
        snoozed_until=None,
        group_id=GROUP,
    )
    return Members(subject=replace(subject, **more), is_new=is_new, is_quiet=is_quiet)


def escalation(severity: Severity = Severity.HIGH, **more: Any) -> Escalation:  # noqa: ANN401 - of any field
    made = started_for_group(member().subject, policy(), severity=severity, now=NOW)
    return replace(made, **more)


def answered(**more: Any) -> Escalation:  # noqa: ANN401 - of any field
    return escalation(state=PAUSED, position=1, next_at=None, answered_at=NOW, reason="somebody has answered", **more)


def look(at: Escalation, *members: Members) -> tuple[EscalationState, Turn | None, bool]:
    found = followed(at, members, route(members, [ALL], now=NOW), now=NOW)
    return found.escalation.state, found.turn, found.quiets


def test_it_goes_on_while_one_calls_and_pauses_when_all_are_answered() -> None:
    running = escalation(position=1, next_at=NOW + 5 * MINUTE)
    assert look(running, member(), member(status=ACKNOWLEDGED)) == (RUNNING, None, False)
    assert look(running, member(status=ACKNOWLEDGED)) == (PAUSED, Turn.ANSWERED, False)
    assert look(running, member(is_suppressed=True)) == (PAUSED, Turn.PAUSED, False)
    assert look(running) == (FINISHED, Turn.OVER, False)


def test_what_comes_into_an_answered_group_is_silent_unless_it_is_worse() -> None:
    known = member(status=ACKNOWLEDGED)
    assert look(answered(), known, member(is_new=True)) == (PAUSED, None, True)
    assert look(answered(), known, member(Severity.LOW, is_quiet=True)) == (PAUSED, None, True)
    assert look(answered(), known, member(Severity.CRITICAL, is_new=True)) == (RUNNING, Turn.AGAIN, False)
    assert look(answered(), known, member(Severity.CRITICAL, is_quiet=True)) == (RUNNING, Turn.AGAIN, False)


def test_silent_ones_call_when_nothing_answered_is_open() -> None:
    assert look(answered(), member(is_quiet=True)) == (RUNNING, Turn.AGAIN, False)


def test_an_answer_that_is_taken_back_goes_on_with_the_next_step_at_once() -> None:
    found = followed(answered(), [member()], Severity.HIGH, now=NOW)
    assert (found.escalation.state, found.turn) == (RUNNING, Turn.RESUMED)
    assert (found.escalation.position, found.escalation.next_at, found.escalation.answered_at) == (1, NOW, None)


def test_worse_begins_again_in_a_round_of_its_own_and_gets_all_its_steps() -> None:
    made = policy(0, 5, repeats=1)
    running = replace(started_for_group(member().subject, made, severity=Severity.HIGH, now=NOW), position=1)
    running = replace(running, next_at=NOW + 5 * MINUTE)
    again = followed(running, [member(Severity.CRITICAL)], Severity.CRITICAL, now=NOW).escalation
    assert (again.position, again.first_position, again.next_at) == (2, 2, NOW)
    assert again.severity is Severity.CRITICAL
    fired = []
    while again.state is RUNNING:
        fired.append(round_and_step(again, again.position))
        again = stepped(again, reached=[ANN], now=NOW)
    assert fired == [(2, 1), (2, 2), (3, 1), (3, 2)]
    assert again.state is EXHAUSTED


def test_worse_before_the_first_step_fired_is_told_by_that_step() -> None:
    waiting = escalation(Severity.LOW, next_at=NOW + MINUTE)
    found = followed(waiting, [member(Severity.HIGH, is_new=True)], Severity.HIGH, now=NOW)
    assert found.turn is None
    assert found.escalation == replace(waiting, severity=Severity.HIGH)


def test_what_is_due_sooner_stays_so_when_it_begins_again() -> None:
    slow = started_for_group(member().subject, policy(30, 60), severity=Severity.LOW, now=NOW)
    slow = replace(slow, position=1, next_at=NOW + MINUTE)
    again = followed(slow, [member(Severity.HIGH)], Severity.HIGH, now=NOW).escalation
    assert again.next_at == NOW + MINUTE


def test_after_every_step_only_what_is_new_begins_again() -> None:
    ended = escalation(state=EXHAUSTED, position=3, next_at=None, ended_at=NOW)
    assert look(ended, member()) == (EXHAUSTED, None, False)
    assert look(ended, member(), member(is_new=True)) == (RUNNING, Turn.AGAIN, False)
    assert look(ended, member(status=ACKNOWLEDGED)) == (PAUSED, Turn.ANSWERED, False)


def test_after_every_step_what_was_quiet_and_calls_again_begins_again_at_once() -> None:
    ended = escalation(state=EXHAUSTED, position=3, next_at=None, ended_at=NOW, ack_timeout=5 * MINUTE)
    answered = followed(ended, [member(status=ACKNOWLEDGED)], Severity.HIGH, now=NOW).escalation
    assert (answered.state, answered.wakes_at, answered.ended_at) == (PAUSED, NOW + 5 * MINUTE, None)
    assert look(answered, member(status=ACKNOWLEDGED), member(is_new=True)) == (PAUSED, None, True)
    snoozed = followed(ended, [member(snoozed_until=NOW + MINUTE)], Severity.HIGH, now=NOW).escalation
    assert (snoozed.state, snoozed.reason) == (PAUSED, "the alert is snoozed")
    for quiet in (answered, snoozed):
        again = followed(quiet, [member()], Severity.HIGH, now=NOW + MINUTE)
        assert again.turn is Turn.AGAIN
        began = again.escalation
        assert (began.state, began.position, began.first_position) == (RUNNING, 3, 3)
        assert (began.next_at, began.wakes_at, began.answered_at) == (NOW + MINUTE, None, None)


def test_a_policy_works_only_while_it_takes_how_bad_the_group_is() -> None:
    only = replace(escalation(Severity.CRITICAL, position=1), severities=frozenset({Severity.CRITICAL}))
    left = [member(Severity.LOW)]
    assert look(only, *left)[0] is PAUSED
    assert look(replace(only, state=PAUSED, next_at=None), *left) == (PAUSED, None, False)
    milder = replace(escalation(Severity.LOW, position=1), severities=frozenset({Severity.LOW}))
    assert look(milder, member(Severity.LOW), member(Severity.CRITICAL))[0] is PAUSED


@pytest.mark.parametrize(
    ("members", "takers", "severity"),
    [
        ([member(Severity.LOW), member(Severity.CRITICAL)], [ALL], Severity.CRITICAL),
        ([member(Severity.LOW), member(Severity.CRITICAL)], [frozenset({Severity.LOW})], Severity.LOW),
        ([member(Severity.LOW), member(Severity.CRITICAL, is_suppressed=True)], [ALL], Severity.LOW),
        ([member(Severity.LOW), member(Severity.CRITICAL, status=ACKNOWLEDGED)], [ALL], Severity.CRITICAL),
        ([member(Severity.LOW)], [], None),
        ([], [ALL], None),
    ],
    ids=["the worst", "the worst that is taken", "silenced says nothing", "answered says it", "no policy", "nothing"],
)
def test_a_group_is_routed_on_the_worst_of_what_counts(
    members: list[Members], takers: list[frozenset[Severity]], severity: Severity | None
) -> None:
    assert route(members, takers, now=NOW) is severity


def test_a_policy_begins_when_one_alert_calls_and_the_first_of_the_worst_stands_for_it() -> None:
    low, first, second = member(Severity.LOW), member(Severity.CRITICAL), member(Severity.CRITICAL)
    mine, others = policy(severities=frozenset({Severity.CRITICAL})), policy(severities=frozenset({Severity.LOW}))
    assert policies_to_start([low, second, first], [mine, others], Severity.CRITICAL, now=NOW) == [mine]
    assert first_to_call([low, second, first], Severity.CRITICAL, now=NOW) == first.subject
    assert policies_to_start([member(status=ACKNOWLEDGED)], [mine], Severity.CRITICAL, now=NOW) == []
    assert policies_to_start([low], [policy(is_by_rule=True)], Severity.LOW, now=NOW) == []


MEMBERS = st.lists(
    st.builds(
        member,
        st.sampled_from(list(Severity)),
        is_new=st.booleans(),
        is_quiet=st.booleans(),
        status=st.sampled_from([AlertStatus.ACTIVE, AlertStatus.ACKNOWLEDGED, AlertStatus.INVESTIGATING]),
        is_suppressed=st.booleans(),
    ),
    max_size=6,
)
ESCALATIONS = st.builds(
    lambda severity, state, position, at, takes: replace(
        # One that runs is not answered: an answer pauses it, and whatever lets it run again takes the answer away.
        escalation(severity, position=position, severities=takes, answered_at=None if state is RUNNING else at),
        state=state,
        next_at=NOW if state is RUNNING else None,
    ),
    st.sampled_from(list(Severity)),
    st.sampled_from([RUNNING, PAUSED, EXHAUSTED]),
    st.integers(0, 3),
    st.sampled_from([None, NOW]),
    st.frozensets(st.sampled_from(list(Severity)), min_size=1),
)


def test_at_its_end_and_answered_what_is_new_joins_silently_and_calls_nobody_when_it_is_known() -> None:
    at = escalation(state=EXHAUSTED, position=3, next_at=None, answered_at=NOW)
    held, new = member(status=ACKNOWLEDGED), member(is_new=True)
    assert look(at, held, new) == (PAUSED, Turn.PAUSED, True)
    first = followed(at, [held, new], Severity.HIGH, now=NOW).escalation
    assert look(first, held, replace(new, is_new=False, is_quiet=True)) == (PAUSED, None, True)


@given(ESCALATIONS, MEMBERS)
def test_whatever_comes_the_decision_is_settled_and_loses_nobody(at: Escalation, members: list[Members]) -> None:
    routed = route(members, [ALL], now=NOW)
    found = followed(at, members, routed, now=NOW)
    after = found.escalation
    # It ends with its alerts, and not before.
    assert after.is_standing == bool(members)
    assert (after.next_at is not None) == (after.state is RUNNING)
    # Steps never fire twice, and how bad it was is not forgotten.
    assert after.position >= at.position
    assert rank(after.severity) >= rank(at.severity)
    if not members:
        return
    calling = loud(at, members, routed, now=NOW)
    if after.state is RUNNING:
        assert calling
    elif after.state is PAUSED:
        assert not calling
    # Given twice it comes to the same, once what is new is known.
    known = [replace(one, is_new=False, is_quiet=one.is_quiet or (one.is_new and found.quiets)) for one in members]
    twice = followed(after, known, routed, now=NOW)
    assert twice.escalation.position == after.position
    assert (twice.escalation.state is RUNNING) == (after.state is RUNNING)


@given(MEMBERS)
def test_the_first_look_starts_what_a_look_at_it_would_keep(members: list[Members]) -> None:
    routed = route(members, [ALL], now=NOW)
    started = policies_to_start(members, [policy()], routed, now=NOW)
    if not started or routed is None:
        calling = [one for one in members if one.subject.status is AlertStatus.ACTIVE and not one.subject.is_suppressed]
        assert routed is None or not calling
        return
    lead = first_to_call(members, routed, now=NOW)
    assert lead is not None
    made = started_for_group(lead, started[0], severity=routed, now=NOW)
    assert followed(made, members, routed, now=NOW).escalation.state is RUNNING


def told(severity: Severity = Severity.HIGH, title: str = "slow", **more: Any) -> Told:  # noqa: ANN401 - of any field
    made = Told(
        kind=NotificationKind.PAGE,
        alert_id=new_id(),
        title=title,
        severity=severity,
        service_name="shop",
        source="prometheus",
        description=None,
        started_at=NOW,
        labels=(("cluster", "eu"), ("pod", title)),
        why="",
    )
    return replace(made, **more)


def group(*alerts: Told, total: int | None = None) -> GroupTold:
    return GroupTold(
        group_id=GROUP,
        lead_id=ANN,
        title="Cluster eu",
        severity=Severity.HIGH,
        worst=alerts,
        total=len(alerts) if total is None else total,
        since=NOW,
    )


def test_a_message_about_a_group_counts_and_lists_the_worst() -> None:
    said = told_of_group(group(told(Severity.CRITICAL, "lost\nreplica"), told(), total=12))
    assert (said.title, said.severity, said.alert_id) == ("12 alerts in group “Cluster eu”", Severity.CRITICAL, ANN)
    assert said.description == "CRITICAL: lost replica (shop)\nHIGH: slow (shop)\n… and 10 more"
    assert (said.service_name, said.labels) == (None, ()), "of those that are not listed nothing is said"


def test_a_message_about_a_whole_group_says_what_its_alerts_have_in_common() -> None:
    said = told_of_group(group(told(title="a"), told(title="b")))
    assert (said.service_name, said.labels) == ("shop", (("cluster", "eu"),))
    assert told_of_group(group(told(source="datadog"), told())).source == "several"


def test_a_group_of_one_reads_as_its_alert_and_one_that_is_over_counts_what_it_had() -> None:
    one = told(title="alone")
    assert told_of_group(group(one)) == replace(one, alert_id=ANN, group_id=GROUP)
    over = told_of_group(group(total=3))
    assert (over.title, over.severity, over.description) == ("3 alerts in group “Cluster eu”", Severity.HIGH, None)
    assert worst([]) is None
