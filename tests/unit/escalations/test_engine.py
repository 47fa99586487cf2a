"""When does which step fire? Against a reference that is too simple to be wrong (A4)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.alerts.model import AlertStatus, Severity
from domain.escalations.engine import (
    Subject,
    not_needed,
    policies_for,
    reconciled,
    round_and_step,
    started,
    step_due,
    stepped,
)
from domain.escalations.model import EscalationState, NotificationKind, Policy, Step, Target, TargetKind
from domain.ids import new_id

NOW = datetime(2026, 11, 26, 3, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ANN = new_id()
RUNNING, PAUSED, FINISHED = EscalationState.RUNNING, EscalationState.PAUSED, EscalationState.FINISHED


def policy(*delays: int, repeats: int = 0, **more: Any) -> Policy:  # noqa: ANN401 - of any field
    target = Target(TargetKind.USER, ANN)
    steps = tuple(Step(delay * MINUTE, (target,)) for delay in delays)
    made = Policy(id=new_id(), name="P", steps=steps, created_at=NOW, updated_at=NOW, repeats=repeats)
    return replace(made, **more)


def alert(**more: Any) -> Subject:  # noqa: ANN401 - of any field
    made = Subject(
        id=new_id(),
        episode=1,
        status=AlertStatus.ACTIVE,
        severity=Severity.CRITICAL,
        team_id=None,
        is_suppressed=False,
        snoozed_until=None,
    )
    return replace(made, **more)


def test_a_policy_takes_its_teams_alerts_of_its_severities() -> None:
    web = new_id()
    mine = policy(0, team_id=web, severities=frozenset({Severity.CRITICAL}))
    everybodys = policy(0)
    others = policy(0, team_id=new_id())
    policies = [mine, everybodys, others]
    assert policies_for(alert(team_id=web), policies) == [mine]
    assert policies_for(alert(team_id=web, severity=Severity.LOW), policies) == []
    assert policies_for(alert(), policies) == [everybodys]


def test_steps_fire_after_their_delays_and_then_it_is_exhausted() -> None:
    escalation = started(alert(), policy(0, 5, 10), now=NOW)
    assert escalation.next_at == NOW
    escalation = stepped(escalation, reached=[ANN], now=NOW)
    assert escalation.next_at == NOW + 5 * MINUTE
    escalation = stepped(escalation, reached=[ANN], now=NOW + 5 * MINUTE)
    assert escalation.next_at == NOW + 15 * MINUTE
    escalation = stepped(escalation, reached=[ANN], now=NOW + 15 * MINUTE)
    assert (escalation.state, escalation.next_at) == (EscalationState.EXHAUSTED, None)


def test_a_step_that_reaches_nobody_is_not_waited_for() -> None:
    escalation = stepped(started(alert(), policy(0, 5), now=NOW), reached=[], now=NOW)
    assert escalation.next_at == NOW


@pytest.mark.parametrize(
    "quiet",
    [
        {"status": AlertStatus.ACKNOWLEDGED},
        {"status": AlertStatus.INVESTIGATING},
        {"is_suppressed": True},
        {"snoozed_until": NOW + MINUTE},
        {"flapping_since": NOW},
        {"paused_until": NOW + MINUTE},
    ],
)
def test_it_pauses_while_nobody_need_be_told_and_goes_on_at_once(quiet: dict[str, Any]) -> None:
    subject = alert()
    running = stepped(started(subject, policy(0, 30), now=NOW), reached=[ANN], now=NOW)
    paused = reconciled(running, replace(subject, **quiet), now=NOW)
    assert (paused.state, paused.next_at) == (PAUSED, None)
    assert paused.reason
    assert reconciled(paused, replace(subject, **quiet), now=NOW) is paused
    again = reconciled(paused, subject, now=NOW + MINUTE)
    assert (again.state, again.next_at, again.position) == (RUNNING, NOW + MINUTE, 1)


def test_an_answer_stops_to_count_only_if_the_policy_says_so_and_a_silence_is_none() -> None:
    subject = alert()
    answered, silenced = replace(subject, status=AlertStatus.ACKNOWLEDGED), replace(subject, is_suppressed=True)
    forgetful = started(subject, policy(0, 30, ack_timeout=15 * MINUTE), now=NOW)
    assert reconciled(forgetful, answered, now=NOW).wakes_at == NOW + 15 * MINUTE
    assert reconciled(forgetful, silenced, now=NOW).wakes_at is None
    assert reconciled(started(subject, policy(0, 30), now=NOW), answered, now=NOW).wakes_at is None
    again = reconciled(reconciled(forgetful, answered, now=NOW), subject, now=NOW + 15 * MINUTE)
    assert (again.state, again.wakes_at) == (RUNNING, None)


def test_the_end_of_an_episode_ends_it_for_good() -> None:
    subject = alert()
    running = started(subject, policy(0, 30), now=NOW)
    for over in (replace(subject, status=AlertStatus.RESOLVED), replace(subject, episode=2)):
        ended = reconciled(running, over, now=NOW)
        assert (ended.state, ended.ended_at) == (FINISHED, NOW)
        assert reconciled(ended, subject, now=NOW) is ended


@given(st.lists(st.integers(1, 60), min_size=1, max_size=4), st.integers(0, 3))
def test_every_step_fires_once_a_round_at_its_time(delays: list[int], repeats: int) -> None:
    escalation = started(alert(), policy(*delays, repeats=repeats), now=NOW)
    fired = []
    while escalation.next_at is not None:
        now = escalation.next_at
        assert step_due(escalation).delay == delays[escalation.position % len(delays)] * MINUTE
        fired.append((round_and_step(escalation, escalation.position), now))
        escalation = stepped(escalation, reached=[ANN], now=now)
    expected, clock = [], NOW
    for number in range(1 + repeats):
        for place, delay in enumerate(delays):
            clock += delay * MINUTE
            expected.append(((number + 1, place + 1), clock))
    assert fired == expected
    assert escalation.state is EscalationState.EXHAUSTED


def test_who_was_told_of_a_teams_alert_is_not_told_of_anothers() -> None:
    web, vault = new_id(), new_id()
    mine = policy(0, 10, team_id=web)
    subject = alert(team_id=web)
    running, teams = started(subject, mine, now=NOW), {mine.id: web}
    assert reconciled(running, subject, now=NOW, teams=teams) is running
    moved = replace(subject, team_id=vault)
    paused = reconciled(running, moved, now=NOW, teams=teams)
    assert (paused.state, paused.next_at, paused.reason) == (PAUSED, None, "the alert went to another team")
    assert reconciled(paused, moved, now=NOW, teams=teams) is paused
    back = reconciled(paused, subject, now=NOW + MINUTE, teams=teams)
    assert (back.state, back.next_at) == (RUNNING, NOW + MINUTE)
    over = reconciled(paused, replace(moved, status=AlertStatus.RESOLVED), now=NOW, teams=teams)
    assert over.state is FINISHED


@pytest.mark.parametrize(
    ("kind", "more", "reason"),
    [
        (NotificationKind.PAGE, {"flapping_since": NOW}, "the alert is flapping: nobody is told of each turn"),
        (NotificationKind.FLAPPING, {"flapping_since": NOW, "status": AlertStatus.RESOLVED, "episode": 9}, None),
        (NotificationKind.FLAPPING, {}, "the alert settled before this could leave"),
        (NotificationKind.FLAPPING, {"flapping_since": NOW, "is_suppressed": True}, "the alert is silenced"),
        (NotificationKind.FLAPPING, {"flapping_since": NOW, "snoozed_until": NOW + MINUTE}, "the alert is snoozed"),
        (NotificationKind.SETTLED, {"episode": 9}, None),
        (NotificationKind.SETTLED, {"flapping_since": NOW}, "the alert flaps again"),
    ],
)
def test_the_notices_of_flapping_ask_for_the_mark_and_not_for_the_episode(
    kind: NotificationKind, more: dict[str, Any], reason: str | None
) -> None:
    assert not_needed(kind, 1, alert(**more), now=NOW) == reason
    assert not_needed(kind, 1, None, now=NOW) == "the alert has gone on since"
