"""How does an escalation policy come to be, change and end? Checked, versioned, on the audit log.

A team's policy is its managers' to change, one of no team the managers'. What it reaches must be there and within the
sight of who says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Protocol, TypeAlias
from uuid import UUID

from domain.alerts.model import Severity
from domain.alerts.visibility import Sight
from domain.desk import Desk
from domain.errors import AlreadyExists, InvalidInput, NotFound
from domain.escalations.model import (
    MAX_DELAY,
    MAX_REPEATS,
    MAX_STEPS,
    MAX_TARGETS,
    MIN_DELAY,
    Policy,
    Step,
    Target,
)
from domain.ids import new_id
from domain.text import checked_optional_text, checked_text
from domain.versions import require_version

MAX_NAME = 100
MAX_ACK_TIMEOUT = timedelta(days=30)
MAX_DESCRIPTION = 2_000
NO_SUCH = "no such escalation policy"
TAKEN = "the team has another escalation policy of this name"


class Policies(Protocol):
    """The store of escalation policies, within one transaction."""

    async def add(self, policy: Policy) -> bool:
        """Write a new policy; False when the team has one of this name."""
        ...

    async def locked(self, policy_id: UUID, *, sight: Sight) -> Policy | None:
        """The policy, locked until the transaction ends; None for one out of sight or archived."""
        ...

    async def save(self, policy: Policy) -> bool:
        """Write an edit; False when the team has another of this name."""
        ...

    async def team_in_sight(self, team_id: UUID, *, sight: Sight) -> bool:
        """Whether there is such a team, not archived and within sight."""
        ...

    async def missing_targets(self, targets: Sequence[Target], *, sight: Sight) -> set[Target]:
        """Those that are not there: no active person, no team or schedule within sight."""
        ...


PolicyDesk: TypeAlias = Desk[Policies]


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyDraft:
    """What somebody may say of a policy."""

    name: str
    steps: tuple[Step, ...]
    severities: frozenset[Severity]
    repeats: int = 0
    description: str = ""
    ack_timeout: timedelta | None = None
    is_by_rule: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyChange:
    """What of a policy is to be otherwise; None leaves a field as it is. `ack_timeout` of nothing takes it away."""

    name: str | None = None
    steps: tuple[Step, ...] | None = None
    severities: frozenset[Severity] | None = None
    repeats: int | None = None
    description: str | None = None
    ack_timeout: timedelta | None = None
    is_by_rule: bool | None = None

    def applied_to(self, policy: Policy) -> PolicyDraft:
        """The policy as it would be."""
        return PolicyDraft(
            name=policy.name if self.name is None else self.name,
            steps=policy.steps if self.steps is None else self.steps,
            severities=policy.severities if self.severities is None else self.severities,
            repeats=policy.repeats if self.repeats is None else self.repeats,
            description=policy.description if self.description is None else self.description,
            ack_timeout=policy.ack_timeout if self.ack_timeout is None else self.ack_timeout or None,
            is_by_rule=policy.is_by_rule if self.is_by_rule is None else self.is_by_rule,
        )


def checked(draft: PolicyDraft) -> PolicyDraft:
    """The draft with its texts tidied; InvalidInput names the first field that is wrong."""
    if not 1 <= len(draft.steps) <= MAX_STEPS:
        message = f"a policy has 1 to {MAX_STEPS} steps, not {len(draft.steps)}"
        raise InvalidInput(message, ("steps",))
    for number, step in enumerate(draft.steps):
        _check_step(step, ("steps", str(number)), is_first=number == 0)
    if not draft.severities:
        message = "a policy takes alerts of at least one severity"
        raise InvalidInput(message, ("severities",))
    if not 0 <= draft.repeats <= MAX_REPEATS:
        message = f"a policy begins again 0 to {MAX_REPEATS} times"
        raise InvalidInput(message, ("repeats",))
    if draft.ack_timeout is not None and not MIN_DELAY <= draft.ack_timeout <= MAX_ACK_TIMEOUT:
        message = f"an answer counts for a minute to {MAX_ACK_TIMEOUT.days} days"
        raise InvalidInput(message, ("ackTimeout",))
    if draft.repeats and draft.steps[0].delay < MIN_DELAY and len(draft.steps) == 1:
        message = "a policy of one step that begins again waits at least a minute each time"
        raise InvalidInput(message, ("steps", "0", "delay"))
    return replace(
        draft,
        name=checked_text(draft.name, path=("name",), limit=MAX_NAME),
        description=checked_optional_text(draft.description, path=("description",), limit=MAX_DESCRIPTION) or "",
    )


def _check_step(step: Step, path: tuple[str, ...], *, is_first: bool) -> None:
    least = timedelta(0) if is_first else MIN_DELAY
    if not least <= step.delay <= MAX_DELAY:
        message = "the first step waits up to two days, each further one a minute to two days"
        raise InvalidInput(message, (*path, "delay"))
    if not 1 <= len(step.targets) <= MAX_TARGETS:
        message = f"a step has 1 to {MAX_TARGETS} targets, not {len(step.targets)}"
        raise InvalidInput(message, (*path, "targets"))


async def create_policy(draft: PolicyDraft, *, team_id: UUID | None, desk: PolicyDesk) -> Policy:
    """A new policy; it takes the alerts that open from now on."""
    draft = checked(draft)
    await desk.require_team(team_id)
    await _check_targets(draft, desk)
    policy = Policy(
        id=new_id(),
        team_id=team_id,
        name=draft.name,
        description=draft.description,
        steps=draft.steps,
        severities=draft.severities,
        repeats=draft.repeats,
        ack_timeout=draft.ack_timeout,
        is_by_rule=draft.is_by_rule,
        created_at=desk.now,
        updated_at=desk.now,
    )
    if not await desk.stores.add(policy):
        raise AlreadyExists(TAKEN, ("name",))
    await desk.audit(target_id=policy.id, after=shown(policy))
    return policy


async def update_policy(
    policy_id: UUID, change: PolicyChange, *, expected_version: int | None, desk: PolicyDesk
) -> Policy:
    """The policy after an edit. What runs goes on by the steps it started with."""
    before = await _mine(policy_id, desk)
    require_version("policy", actual=before.version, expected=expected_version)
    draft = checked(change.applied_to(before))
    await _check_targets(draft, desk)
    edited = replace(
        before,
        name=draft.name,
        description=draft.description,
        steps=draft.steps,
        severities=draft.severities,
        repeats=draft.repeats,
        ack_timeout=draft.ack_timeout,
        is_by_rule=draft.is_by_rule,
    )
    if edited == before:
        return before
    after = replace(edited, version=before.version + 1, updated_at=desk.now)
    if not await desk.stores.save(after):
        raise AlreadyExists(TAKEN, ("name",))
    await desk.audit(target_id=after.id, before=shown(before), after=shown(after))
    return after


async def archive_policy(policy_id: UUID, *, desk: PolicyDesk) -> Policy:
    """End a policy: it takes no more alerts; what runs goes on to its end."""
    before = await _mine(policy_id, desk)
    after = replace(before, archived_at=desk.now, updated_at=desk.now, version=before.version + 1)
    await desk.stores.save(after)
    await desk.audit(target_id=after.id, before=shown(before), after=shown(after))
    return after


def shown(policy: Policy) -> dict[str, Any]:
    """What the audit log keeps of a policy."""
    return {
        "name": policy.name,
        "teamId": None if policy.team_id is None else str(policy.team_id),
        "severities": sorted(severity.value for severity in policy.severities),
        "repeats": policy.repeats,
        "ackTimeoutSeconds": policy.ack_timeout and policy.ack_timeout.total_seconds(),
        "isByRule": policy.is_by_rule,
        "isArchived": policy.archived_at is not None,
        "steps": [
            {
                "delaySeconds": step.delay.total_seconds(),
                "targets": [{"kind": target.kind.value, "id": str(target.id)} for target in step.targets],
            }
            for step in policy.steps
        ],
    }


async def _mine(policy_id: UUID, desk: PolicyDesk) -> Policy:
    found = await desk.stores.locked(policy_id, sight=desk.viewer.sight)
    if found is None:
        raise NotFound(NO_SUCH, ("id",))
    desk.require_manager(found.team_id)
    return found


async def _check_targets(draft: PolicyDraft, desk: PolicyDesk) -> None:
    targets = [target for step in draft.steps for target in step.targets]
    missing = await desk.stores.missing_targets(targets, sight=desk.viewer.sight)
    for number, step in enumerate(draft.steps):
        for place, target in enumerate(step.targets):
            if target in missing:
                message = f"no such {'active person' if target.kind.value == 'user' else target.kind.value}"
                raise InvalidInput(message, ("steps", str(number), "targets", str(place)))
