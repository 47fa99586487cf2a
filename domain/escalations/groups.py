"""When does the escalation of a group fire? One for its alerts of one team, routed on how bad the group is now.

| the team's open alerts of the group                  | it runs          | it is paused     | exhausted        |
|------------------------------------------------------|------------------|------------------|------------------|
| one calls for somebody that was here before          | goes on          | next step now *  | -                |
| one that is new, no worse; somebody has answered     | -                | joins silently   | joins silently   |
| one that is new, no worse; nobody has answered       | joins silently   | first step again | first step again |
| one is worse than what was told of, or answered      | first step again | first step again | first step again |
| none calls for somebody                              | pauses           | stays            | pauses           |
| those that call are nothing that its policy takes    | pauses           | stays            | pauses           |
| there is none                                        | finishes         | finishes         | finishes         |

* Where every step has fired it begins again at the first one, at once: what was snoozed, or answered and not mended, is
called for anew.

Pure: what is known of the alerts, counted by their kind, and the time are passed in.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum, auto

from domain.alerts.model import AlertStatus, Severity
from domain.escalations.engine import ANSWERED, Call, Subject, call_of, ended, paused, resumed, started, steps_left
from domain.escalations.model import Escalation, EscalationState, Policy

_RANK = {severity: rank for rank, severity in enumerate(reversed(Severity))}
OVER = "no alert of the group is open any more"
NOT_TAKEN = "of what calls for somebody in the group the policy takes nothing at present"


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """Open alerts of a group that are alike: `subject` is the first of them, `count` how many they are.

    `is_new`: the escalation does not know them yet. `is_quiet`: they came when somebody had answered already.
    """

    subject: Subject
    count: int = 1
    is_new: bool = False
    is_quiet: bool = False


class Turn(Enum):
    """What happened to a group's escalation, for the group's timeline."""

    STARTED = auto()
    AGAIN = auto()
    RESUMED = auto()
    ANSWERED = auto()
    PAUSED = auto()
    OVER = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """The escalation as the group wants it. `quiets`: what is new joins silently because somebody has answered."""

    escalation: Escalation
    turn: Turn | None = None
    reason: str = ""
    quiets: bool = False


def rank(severity: Severity | None) -> int:
    """How bad it is; nothing is the least."""
    return -1 if severity is None else _RANK[severity]


def worst(members: Iterable[Members]) -> Severity | None:
    """The worst severity among them."""
    return max((one.subject.severity for one in members), key=rank, default=None)


def route(members: Sequence[Members], takers: Iterable[frozenset[Severity]], *, now: datetime) -> Severity | None:
    """By which severity the group is routed: the worst of what is not silenced or held, and that some policy takes."""
    taken = frozenset[Severity]().union(*takers)
    return worst(one for one in members if one.subject.severity in taken and _counts(one, now))


def policies_to_start(
    members: Sequence[Members], policies: Iterable[Policy], severity: Severity | None, *, now: datetime
) -> list[Policy]:
    """Those of the team's policies that are to begin: they take the severity, and one of the alerts calls."""
    if severity is None or not any(call_of(one.subject, now=now)[0] is Call.SOMEBODY for one in members):
        return []
    return [one for one in policies if severity in one.severities and one.steps and not one.is_by_rule]


def first_to_call(members: Sequence[Members], severity: Severity, *, now: datetime) -> Subject | None:
    """The alert that began it: of those that call, the oldest of the severity, else the oldest."""
    calling = [one.subject for one in members if call_of(one.subject, now=now)[0] is Call.SOMEBODY]
    return min(calling, key=lambda one: (one.severity is not severity, one.id), default=None)


def started_for_group(lead: Subject, policy: Policy, *, severity: Severity, now: datetime) -> Escalation:
    """A policy set to work for the group of this alert."""
    return standing_for(
        started(lead, policy, now=now), lead, severity=severity, severities=policy.severities, answered_at=None
    )


def standing_for(
    escalation: Escalation,
    lead: Subject,
    *,
    severity: Severity,
    severities: frozenset[Severity],
    answered_at: datetime | None,
) -> Escalation:
    """An escalation of one alert that from now on stands for the alert's group."""
    return replace(
        escalation,
        group_id=lead.group_id,
        team_id=lead.team_id,
        is_standing=True,
        severity=severity,
        severities=severities,
        answered_at=answered_at,
    )


def loud(
    escalation: Escalation, members: Sequence[Members], routed: Severity | None, *, now: datetime
) -> list[Members]:
    """Those that call for somebody by this escalation.

    Silent ones call only when they became worse than what was answered, or when nothing answered is open any more.
    """
    if routed is None or routed not in (escalation.severities or ()):
        return []
    has_answer = escalation.answered_at is not None and any(one.subject.status in ANSWERED for one in members)
    return [
        one
        for one in members
        if call_of(one.subject, now=now)[0] is Call.SOMEBODY
        and not (has_answer and (one.is_quiet or one.is_new) and not _is_worse(one, escalation))
    ]


def followed(escalation: Escalation, members: Sequence[Members], routed: Severity | None, *, now: datetime) -> Followed:
    """The escalation after a look at the group; the same object when nothing is to change."""
    if not members:
        over = ended(escalation, EscalationState.FINISHED, OVER, now=now)
        return Followed(escalation=replace(over, is_standing=False), turn=Turn.OVER, reason=OVER)
    calling = loud(escalation, members, routed, now=now)
    if not calling:
        return _left(escalation, members, now=now)
    if any(_is_worse(one, escalation) and one.subject.severity in (escalation.severities or ()) for one in calling):
        return _worse(escalation, calling, now=now)
    if escalation.state is EscalationState.RUNNING:
        return Followed(escalation=escalation)
    return _called_again(escalation, calling, now=now)


def _called_again(escalation: Escalation, calling: Sequence[Members], *, now: datetime) -> Followed:
    """What pauses, or came to its end, and is called for."""
    has_known = any(not one.is_new and not one.is_quiet for one in calling)
    if escalation.state is EscalationState.PAUSED and has_known:
        going_on = replace(resumed(escalation, now=now), answered_at=None)
        turn = Turn.RESUMED if steps_left(escalation) else Turn.AGAIN
        return Followed(escalation=going_on, turn=turn, reason="its alerts call for somebody again")
    if any(one.is_new or one.is_quiet for one in calling):
        reason = "more alerts of the group call for somebody, and nobody has it in hand"
        return Followed(escalation=_again(escalation, now=now), turn=Turn.AGAIN, reason=reason)
    return Followed(escalation=escalation)


def _left(escalation: Escalation, members: Sequence[Members], *, now: datetime) -> Followed:
    """Nobody is to be told at present: because somebody has answered, or because what calls is left alone."""
    is_answered = any(one.subject.status in ANSWERED for one in members)
    quiets = is_answered and escalation.state is not EscalationState.RUNNING and escalation.answered_at is not None
    if is_answered and escalation.answered_at is None:
        answered_to = worst(one for one in members if one.subject.status in ANSWERED)
        severity = max(escalation.severity, answered_to, key=rank)
        wakes_at = None if escalation.ack_timeout is None else now + escalation.ack_timeout
        answered = paused(escalation, "somebody has answered", wakes_at=wakes_at)
        answered = replace(answered, answered_at=now, severity=severity)
        return Followed(escalation=answered, turn=Turn.ANSWERED, reason="somebody has answered")
    if escalation.state is EscalationState.PAUSED:
        return Followed(escalation=escalation, quiets=quiets)
    reason = _why_left(members, now=now)
    return Followed(escalation=paused(escalation, reason), turn=Turn.PAUSED, reason=reason, quiets=quiets)


def _why_left(members: Sequence[Members], *, now: datetime) -> str:
    calls = [call_of(one.subject, now=now) for one in members]
    return NOT_TAKEN if any(call is Call.SOMEBODY for call, _ in calls) else calls[0][1]


def _worse(escalation: Escalation, calling: Sequence[Members], *, now: datetime) -> Followed:
    severity = max(
        (one.subject.severity for one in calling if one.subject.severity in (escalation.severities or ())), key=rank
    )
    reason = f"the group became worse: {severity.value.upper()}"
    if escalation.state is EscalationState.RUNNING and escalation.position == escalation.first_position:
        # Nobody was told yet: the first step tells of it.
        return Followed(escalation=replace(escalation, severity=severity), reason=reason)
    again = replace(_again(escalation, now=now), severity=severity)
    return Followed(escalation=again, turn=Turn.AGAIN, reason=reason)


def _again(escalation: Escalation, *, now: datetime) -> Escalation:
    """From the first step on, in a new round; what was due sooner stays so."""
    length = len(escalation.steps)
    position = -(-escalation.position // length) * length
    next_at = now + escalation.steps[0].delay
    if escalation.state is EscalationState.RUNNING and escalation.next_at is not None:
        next_at = min(next_at, escalation.next_at)
    return replace(
        escalation,
        state=EscalationState.RUNNING,
        position=position,
        first_position=position,
        has_reached=False,
        unreached_since=None,
        next_at=next_at,
        ended_at=None,
        reason=None,
        wakes_at=None,
        answered_at=None,
    )


def _is_worse(one: Members, escalation: Escalation) -> bool:
    return rank(one.subject.severity) > rank(escalation.severity)


def _counts(one: Members, now: datetime) -> bool:
    """Whether it says how bad the group is: what is silenced, snoozed, flapping or held does not."""
    if one.subject.status in ANSWERED:
        active = replace(one.subject, status=AlertStatus.ACTIVE)
        return call_of(active, now=now)[0] is Call.SOMEBODY
    return call_of(one.subject, now=now)[0] is Call.SOMEBODY
