"""How does a team try the whole way to a person? By a drill: the real steps, people and channels, and nothing broken.

A drill is what an escalation runs for instead of an alert (persistence/drill_subjects.py). Every message of it says
that it is one. It is over when somebody answers, when it is ended, or after a day; those who were told hear of that.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol, TypeAlias
from uuid import UUID

from domain.alerts.events import Via
from domain.alerts.model import Severity
from domain.alerts.visibility import Sight
from domain.desk import Desk
from domain.errors import Forbidden, InvalidInput, NotFound
from domain.escalations.model import NO_POLICY, Escalation, Policy, Step, Target, TargetKind
from domain.identity.model import Role
from domain.identity.team_roles import role_within
from domain.ids import new_id
from domain.schedules.model import Schedule
from domain.text import checked_optional_text

LIFETIME = timedelta(days=1)
MAX_NOTE = 500
# Of one team at once: people learn to look away from what rings all the time.
MAX_OPEN = 5
# Of one team, ended ones too: a drill that is started and ended in turns rings as often as it is started.
MAX_STARTED, WITHIN = 10, timedelta(hours=1)
NO_SUCH = "no such drill"
EPISODE = 1


class DrillState(StrEnum):
    """Where a drill is."""

    RUNNING = "running"
    ANSWERED = "answered"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """A drill of a policy, or of a schedule alone."""

    id: UUID
    severity: Severity
    started_by: UUID
    started_at: datetime
    expires_at: datetime
    policy_id: UUID | None = None
    schedule_id: UUID | None = None
    team_id: UUID | None = None
    note: str = ""
    ended_at: datetime | None = None
    answered_by: UUID | None = None
    # From where, if not in Tocsin itself.
    answered_via: Via | None = None

    @property
    def state(self) -> DrillState:
        """Where it is."""
        if self.answered_by is not None:
            return DrillState.ANSWERED
        return DrillState.RUNNING if self.ended_at is None else DrillState.ENDED

    @property
    def time_to_answer(self) -> timedelta | None:
        """How long it took until somebody answered."""
        return None if self.answered_by is None or self.ended_at is None else self.ended_at - self.started_at


class Drills(Protocol):
    """The store of drills, within one transaction."""

    async def policy(self, policy_id: UUID, *, sight: Sight) -> Policy | None:
        """A policy that takes alerts; None for one out of sight or archived."""
        ...

    async def schedule(self, schedule_id: UUID, *, sight: Sight) -> Schedule | None:
        """A schedule; None for one out of sight or archived."""
        ...

    async def open_drills(self, team_id: UUID | None) -> int:
        """How many of the team run; others of it wait until the transaction ends."""
        ...

    async def started_since(self, team_id: UUID | None, since: datetime) -> int:
        """How many of the team were started since then, ended or not."""
        ...

    async def start(self, drill: Drill, escalation: Escalation) -> None:
        """Write both."""
        ...

    async def locked(self, drill_id: UUID) -> Drill | None:
        """The drill, locked until the transaction ends."""
        ...

    async def was_told(self, drill_id: UUID, user_id: UUID) -> bool:
        """Whether the person was told of it."""
        ...

    async def end(self, drill: Drill) -> None:
        """Write its end, and let its escalation and those who were told know."""
        ...

    async def team_in_sight(self, team_id: UUID, *, sight: Sight) -> bool:
        """Whether there is such a team, not archived and within sight."""
        ...


DrillDesk: TypeAlias = Desk[Drills]


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillDraft:
    """What is to be tried: a policy, or a schedule alone."""

    policy_id: UUID | None = None
    schedule_id: UUID | None = None
    severity: Severity | None = None
    note: str = ""


async def start_drill(draft: DrillDraft, *, desk: DrillDesk) -> Drill:
    """Set the steps to work, as an alert would."""
    if (draft.policy_id is None) == (draft.schedule_id is None):
        raise InvalidInput("a drill is of a policy or of a schedule", ("policyId",))
    drill = Drill(
        id=new_id(),
        severity=draft.severity or Severity.CRITICAL,
        started_by=desk.viewer.user_id,
        started_at=desk.now,
        expires_at=desk.now + LIFETIME,
        note=checked_optional_text(draft.note, path=("note",), limit=MAX_NOTE) or "",
    )
    drill, escalation = await _prepared(drill, draft, desk)
    if await desk.stores.open_drills(drill.team_id) >= MAX_OPEN:
        raise InvalidInput(f"a team has at most {MAX_OPEN} drills at once: end one first")
    if await desk.stores.started_since(drill.team_id, desk.now - WITHIN) >= MAX_STARTED:
        raise InvalidInput(f"a team starts at most {MAX_STARTED} drills an hour")
    await desk.stores.start(drill, escalation)
    await desk.audit(target_id=drill.id, after=shown(drill))
    return drill


async def _prepared(drill: Drill, draft: DrillDraft, desk: DrillDesk) -> tuple[Drill, Escalation]:
    sight = desk.viewer.sight
    if draft.policy_id is not None:
        policy = await desk.stores.policy(draft.policy_id, sight=sight)
        if policy is None:
            raise NotFound("no such escalation policy", ("policyId",))
        desk.require_manager(policy.team_id)
        worst = next(one for one in (Severity.CRITICAL, *Severity) if one in policy.severities)
        severity = draft.severity or worst
        if severity not in policy.severities:
            raise InvalidInput("the policy takes no alerts of this severity", ("severity",))
        drill = replace(drill, policy_id=policy.id, team_id=policy.team_id, severity=severity)
        return drill, _escalation(drill, policy.steps, version=policy.version, repeats=policy.repeats)
    assert draft.schedule_id is not None, "the caller looked"  # noqa: S101 - for the type checker
    schedule = await desk.stores.schedule(draft.schedule_id, sight=sight)
    if schedule is None:
        raise NotFound("no such schedule", ("scheduleId",))
    desk.require_manager(schedule.team_id)
    drill = replace(drill, schedule_id=schedule.id, team_id=schedule.team_id)
    at_once = Step(timedelta(0), (Target(TargetKind.SCHEDULE, schedule.id),))
    return drill, _escalation(drill, (at_once,), version=1, repeats=0)


def _escalation(drill: Drill, steps: tuple[Step, ...], *, version: int, repeats: int) -> Escalation:
    return Escalation(
        id=new_id(),
        alert_id=drill.id,
        episode=EPISODE,
        policy_id=drill.policy_id or NO_POLICY,
        policy_version=version,
        steps=steps,
        repeats=repeats,
        started_at=drill.started_at,
        next_at=drill.started_at + steps[0].delay,
    )


async def answer_drill(drill_id: UUID, *, desk: DrillDesk, via: Via | None = None) -> Drill:
    """Say that one is there. For who was told, and for operators, as with an alert."""
    before = await _running(drill_id, desk)
    if not (_is_operator(before, desk) or await desk.stores.was_told(drill_id, desk.viewer.user_id)):
        raise Forbidden("this needs the role operator, everywhere or in this team")
    answered = replace(before, ended_at=desk.now, answered_by=desk.viewer.user_id, answered_via=via)
    return await _over(before, answered, desk)


async def end_drill(drill_id: UUID, *, desk: DrillDesk) -> Drill:
    """Stop it, answered or not."""
    before = await _running(drill_id, desk)
    if before.started_by != desk.viewer.user_id:
        desk.require_manager(before.team_id)
    return await _over(before, replace(before, ended_at=desk.now), desk)


async def _running(drill_id: UUID, desk: DrillDesk) -> Drill:
    found = await desk.stores.locked(drill_id)
    is_hidden = (
        found is not None
        and found.team_id is not None
        and not await desk.stores.team_in_sight(found.team_id, sight=desk.viewer.sight)
    )
    if found is None or is_hidden:
        raise NotFound(NO_SUCH, ("id",))
    if found.ended_at is not None:
        raise InvalidInput(f"the drill is {found.state.value} already", ("id",))
    return found


async def _over(before: Drill, after: Drill, desk: DrillDesk) -> Drill:
    await desk.stores.end(after)
    await desk.audit(target_id=after.id, before=shown(before), after=shown(after))
    return after


def _is_operator(drill: Drill, desk: DrillDesk) -> bool:
    team_role = None if drill.team_id is None else desk.viewer.role_in(drill.team_id)
    return role_within(desk.viewer.role, team_role).includes(Role.OPERATOR)


def shown(drill: Drill) -> dict[str, Any]:
    """What the audit log keeps of a drill."""
    return {
        "policyId": None if drill.policy_id is None else str(drill.policy_id),
        "scheduleId": None if drill.schedule_id is None else str(drill.schedule_id),
        "severity": drill.severity.value,
        "state": drill.state.value,
        **({} if drill.answered_via is None else {"answeredVia": drill.answered_via.value}),
    }
