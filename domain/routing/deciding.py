"""Which rules tell of what happened to an alert? Pure: the alert, its facts, the rules and the time are passed in.

| the alert, looked at after a change             | what happened to it                               |
|-------------------------------------------------|---------------------------------------------------|
| calls for somebody (domain/escalations/engine.py) | OPENED in its first episode, REOPENED in later ones |
| is open, and its severity was raised             | WORSENED, whoever has answered                    |
| is acknowledged or investigated                  | ACKNOWLEDGED                                      |
| is resolved                                      | RESOLVED                                          |
| is silenced, snoozed, flapping or held for a pause | nothing, until it no longer is                    |

The alert is looked at as it is now: given twice or late it comes to the same, and the record of what was decided keeps
a rule from telling twice. A rule whose condition did not hold when the alert opened, and holds after a later change,
tells then that it is open.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.alerts.model import AlertStatus
from domain.escalations.engine import ANSWERED, Call, Subject, call_of, reason_to_leave_alone
from domain.routing.model import RoutedEvent, RoutingRule
from domain.rules.condition import Bound, Condition, ConditionFailed


@dataclass(frozen=True, slots=True)
class Asked:
    """A rule with its condition compiled."""

    rule: RoutingRule
    condition: Condition


@dataclass(frozen=True, slots=True)
class Held:
    """A rule that holds; or, with a `failure`, one that could not be worked out and was passed over."""

    rule: RoutingRule
    failure: str | None = None


class Answer(StrEnum):
    """What a rule says of an event."""

    HOLDS = "holds"
    DOES_NOT_HOLD = "does_not_hold"
    FAILED = "failed"
    STOPPED = "stopped"
    OTHER_EVENT = "other_event"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A rule and what it says; `failure` is why it could not be worked out."""

    rule: RoutingRule
    answer: Answer
    failure: str | None = None


def happened(alert: Subject, *, has_worsened: bool, now: datetime) -> tuple[RoutedEvent, ...]:
    """What is to be told of the alert as it is."""
    if call_of(alert, now=now)[0] is Call.SOMEBODY:
        begun = RoutedEvent.OPENED if alert.episode <= 1 else RoutedEvent.REOPENED
        return (begun, RoutedEvent.WORSENED) if has_worsened else (begun,)
    if reason_to_leave_alone(alert, now=now) is not None:
        return ()
    if alert.status is AlertStatus.RESOLVED:
        return (RoutedEvent.RESOLVED,)
    if alert.status in ANSWERED:
        answered = RoutedEvent.ACKNOWLEDGED
        return (RoutedEvent.WORSENED, answered) if has_worsened else (answered,)
    return ()


def rules_for(rules: Iterable[Asked], team_id: UUID | None, *, is_private: bool) -> list[Asked]:
    """Those that take alerts of the team, in their order: first those of nobody."""
    taking = [
        one
        for one in rules
        if (one.rule.team_id is None and not is_private)
        or (one.rule.team_id is not None and one.rule.team_id == team_id)
    ]
    return sorted(taking, key=lambda one: (one.rule.team_id is not None, one.rule.position, one.rule.id))


def in_turn(rules: Sequence[Asked], event: RoutedEvent, facts: Bound) -> list[Verdict]:
    """What each rule says of the event, in order: one that stops keeps later ones of its owner from being asked."""
    found: list[Verdict] = []
    stopped: set[bool] = set()
    for one in rules:
        verdict = _verdict(one, event, facts, is_stopped=(one.rule.team_id is not None) in stopped)
        found.append(verdict)
        if verdict.answer is Answer.HOLDS and one.rule.stops:
            stopped.add(one.rule.team_id is not None)
    return found


def _verdict(one: Asked, event: RoutedEvent, facts: Bound, *, is_stopped: bool) -> Verdict:
    if event not in one.rule.events:
        return Verdict(one.rule, Answer.OTHER_EVENT)
    if is_stopped:
        return Verdict(one.rule, Answer.STOPPED)
    try:
        holds = one.condition.holds(facts)
    except ConditionFailed as error:
        return Verdict(one.rule, Answer.FAILED, error.message)
    return Verdict(one.rule, Answer.HOLDS if holds else Answer.DOES_NOT_HOLD)


def holding(rules: Sequence[Asked], event: RoutedEvent, facts: Bound) -> list[Held]:
    """Those that hold for the event, in order, as far as none stops the rest; and those that failed."""
    kept = {Answer.HOLDS, Answer.FAILED}
    return [Held(one.rule, one.failure) for one in in_turn(rules, event, facts) if one.answer in kept]
