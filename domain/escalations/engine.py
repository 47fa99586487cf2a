"""When does which step fire? Pure: the alert, the policy and the time are passed in.

| the alert                                    | a running escalation | a paused one        | none for this episode |
|----------------------------------------------|----------------------|---------------------|-----------------------|
| active, and nothing of what follows          | goes on              | goes on at once     | starts                |
| acknowledged, investigating, suppressed or snoozed | pauses         | stays               | -                     |
| flapping, or held for a pause                 | pauses               | stays               | -                     |
| went to another team than the policy's        | pauses               | stays               | -                     |
| resolved                                     | finishes             | finishes            | -                     |
| another episode                              | finishes             | finishes            | starts                |

One whose every step fired stays so while the alert calls for somebody: nobody answered. What pauses a running one
pauses it, too; when the alert calls again after that, it begins again at the first step, at once.

A step that reaches nobody is skipped at once. A round of which no step reached anybody does not count: it is gone
through again after a minute, until there is somebody, whatever repeats the policy has.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum, auto
from types import MappingProxyType
from uuid import UUID

from domain.alerts.model import AlertStatus, Severity
from domain.escalations.model import NOBODY_WAITS, Escalation, EscalationState, NotificationKind, Policy, Step
from domain.ids import new_id

ANSWERED = frozenset({AlertStatus.ACKNOWLEDGED, AlertStatus.INVESTIGATING})
COVERED = "the escalation of its group stands for the alert"
LIVE = frozenset({EscalationState.RUNNING, EscalationState.PAUSED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What an escalation looks at of an alert."""

    id: UUID
    episode: int
    status: AlertStatus
    severity: Severity
    team_id: UUID | None
    is_suppressed: bool
    snoozed_until: datetime | None
    flapping_since: datetime | None = None
    paused_until: datetime | None = None
    group_id: UUID | None = None


class Call(Enum):
    """What the alert asks for."""

    SOMEBODY = auto()
    WAIT = auto()
    NOBODY = auto()


def call_of(alert: Subject, *, now: datetime) -> tuple[Call, str]:
    """Whether somebody must be told, with the reason why not."""
    if alert.status is AlertStatus.RESOLVED:
        return Call.NOBODY, "the alert is resolved"
    if alert.status is not AlertStatus.ACTIVE:
        return Call.WAIT, "somebody has answered"
    left_alone = reason_to_leave_alone(alert, now=now)
    return (Call.SOMEBODY, "") if left_alone is None else (Call.WAIT, left_alone)


def reason_to_leave_alone(alert: Subject, *, now: datetime) -> str | None:
    """Why nobody is told of it just now, open or not, answered or not; None when they are."""
    left_alone = _left_alone(alert, now=now)
    if left_alone is not None:
        return left_alone
    if alert.flapping_since is not None:
        return "the alert is flapping: nobody is told of each turn"
    if alert.paused_until is not None and alert.paused_until > now:
        return "the alert is held for a pause: it mostly ends by itself"
    return None


def _left_alone(alert: Subject, *, now: datetime) -> str | None:
    """Why people want to hear nothing of it, open or not; None when they do."""
    if alert.is_suppressed:
        return "the alert is silenced"
    if alert.snoozed_until is not None and alert.snoozed_until > now:
        return "the alert is snoozed"
    return None


def policies_for(alert: Subject, policies: Iterable[Policy]) -> list[Policy]:
    """The policies that take the alert: of its team, or of no team for one of no team, by severity."""
    return [
        one
        for one in policies
        if one.team_id == alert.team_id and alert.severity in one.severities and one.steps and not one.is_by_rule
    ]


def started(alert: Subject, policy: Policy, *, now: datetime) -> Escalation:
    """A policy set to work."""
    return Escalation(
        id=new_id(),
        alert_id=alert.id,
        episode=alert.episode,
        policy_id=policy.id,
        policy_version=policy.version,
        steps=policy.steps,
        repeats=policy.repeats,
        ack_timeout=policy.ack_timeout,
        started_at=now,
        next_at=now + policy.steps[0].delay,
    )


def reconciled(
    escalation: Escalation,
    alert: Subject,
    *,
    now: datetime,
    teams: Mapping[UUID, UUID | None] = MappingProxyType({}),
    is_covered: bool = False,
) -> Escalation:
    """The escalation as the alert's state wants it; the same object when nothing is to change.

    `teams` says whose alerts each policy takes; `is_covered` that the escalation of its group stands for the alert.
    """
    is_live = escalation.state in LIVE
    if not is_live and escalation.state is not EscalationState.EXHAUSTED:
        return escalation
    call, reason = call_of(alert, now=now)
    if escalation.episode != alert.episode:
        call, reason = Call.NOBODY, "the alert opened again"
    if call is Call.SOMEBODY and teams.get(escalation.policy_id, alert.team_id) != alert.team_id:
        call, reason = Call.WAIT, "the alert went to another team"
    if call is Call.SOMEBODY and is_covered and is_live:
        call, reason = Call.WAIT, COVERED
    is_paused = escalation.state is EscalationState.PAUSED
    if call is Call.NOBODY:
        return ended(escalation, EscalationState.FINISHED, reason, now=now) if is_live else escalation
    if call is Call.WAIT and (not is_paused or reason != escalation.reason):
        # An answer counts from now on, also where something else kept it waiting before.
        wakes_at = None
        if alert.status in ANSWERED and escalation.ack_timeout is not None:
            wakes_at = now + escalation.ack_timeout
        return paused(escalation, reason, wakes_at=wakes_at)
    if call is Call.SOMEBODY and is_paused:
        return resumed(escalation, now=now)
    return escalation


def paused(escalation: Escalation, reason: str, *, wakes_at: datetime | None = None) -> Escalation:
    """The escalation while nobody is to be told; one at its end is at it no longer."""
    return replace(
        escalation,
        state=EscalationState.PAUSED,
        next_at=None,
        ended_at=None,
        reason=reason,
        wakes_at=wakes_at,
        unreached_since=None,
    )


def resumed(escalation: Escalation, *, now: datetime) -> Escalation:
    """The escalation when it is called for again: with the next step, or from the first one where none is left.

    The problem is old and nobody has it in hand any more: no further waiting.
    """
    running = replace(escalation, state=EscalationState.RUNNING, next_at=now, reason=None, wakes_at=None)
    if steps_left(escalation):
        return running
    return replace(running, first_position=escalation.position, has_reached=False)


def steps_left(escalation: Escalation) -> int:
    """How many steps are still to fire, if nobody answers."""
    return escalation.first_position + len(escalation.steps) * (1 + escalation.repeats) - escalation.position


def step_due(escalation: Escalation) -> Step:
    """The step that fires next."""
    return escalation.steps[escalation.position % len(escalation.steps)]


def round_and_step(escalation: Escalation, position: int) -> tuple[int, int]:
    """Of a position, which round and which step of it; both count from 1."""
    return position // len(escalation.steps) + 1, position % len(escalation.steps) + 1


def stepped(escalation: Escalation, *, reached: Sequence[object], now: datetime) -> Escalation:
    """The escalation after its step fired. A step that reached nobody is not waited for; a round of such is."""
    after = replace(escalation, position=escalation.position + 1)
    if reached:
        after = replace(after, has_reached=True, unreached_since=None)
    if after.position % len(escalation.steps) == 0:
        if not after.has_reached:
            return _unreached(escalation, now=now)
        after = replace(after, has_reached=False)
    if not steps_left(after):
        return ended(after, EscalationState.EXHAUSTED, "nobody answered, and there is no further step", now=now)
    following = escalation.steps[after.position % len(escalation.steps)]
    return replace(after, next_at=now + following.delay if reached else now)


def _unreached(escalation: Escalation, *, now: datetime) -> Escalation:
    """The round reached nobody: it is gone through again, until there is somebody."""
    return replace(
        escalation,
        position=escalation.position + 1 - len(escalation.steps),
        next_at=now + NOBODY_WAITS,
        unreached_since=escalation.unreached_since or now,
    )


def ended(escalation: Escalation, state: EscalationState, reason: str, *, now: datetime) -> Escalation:
    """The escalation at its end."""
    return replace(escalation, state=state, next_at=None, wakes_at=None, ended_at=now, reason=reason)


def reason_against_flapping(alert: Subject, *, now: datetime) -> str | None:
    """Why nobody need hear that the alert flaps; None when they must."""
    if alert.flapping_since is None:
        return "the alert settled before this could leave"
    return _left_alone(alert, now=now)


def _reason_against_worsened(alert: Subject, *, now: datetime) -> str | None:
    """That somebody answered is no reason: they answered to less."""
    return "the alert is resolved" if alert.status is AlertStatus.RESOLVED else reason_to_leave_alone(alert, now=now)


def not_needed(kind: NotificationKind, episode: int | None, alert: Subject | None, *, now: datetime) -> str | None:
    """Why nobody need be told of this any more; None when they must. Of another episode nothing is told.

    Flapping is of many episodes: its notices ask for the mark alone.
    """
    if kind is NotificationKind.FLAPPING and alert is not None:
        return reason_against_flapping(alert, now=now)
    if kind is NotificationKind.SETTLED and alert is not None:
        return None if alert.flapping_since is None else "the alert flaps again"
    if alert is None or alert.episode != episode:
        return "the alert has gone on since"
    if kind is NotificationKind.WORSENED:
        return _reason_against_worsened(alert, now=now)
    if kind is not NotificationKind.PAGE:
        return None
    call, reason = call_of(alert, now=now)
    return None if call is Call.SOMEBODY else reason
