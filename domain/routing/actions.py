"""Who may write routing rules, and what may one say? Managers, and a team's managers those of the team."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol, TypeAlias
from uuid import UUID

from domain.alerts.edits import UNSET, Unset
from domain.alerts.visibility import Sight
from domain.desk import Desk
from domain.errors import AlreadyExists, InvalidCondition, InvalidInput, NotFound
from domain.escalations.model import Target
from domain.ids import new_id
from domain.routing.model import MAX_RULES, MAX_TARGETS, RoutedEvent, RoutingRule
from domain.rules.condition import ConditionEngine, ConditionInvalid
from domain.rules.words import written
from domain.text import checked_optional_text, checked_text
from domain.versions import require_version

MAX_NAME = 100
MAX_DESCRIPTION = 2_000
NO_SUCH = "no such routing rule"
TAKEN = "there is another routing rule of this name"


class RoutingRules(Protocol):
    """The store of routing rules, within one transaction."""

    async def team_in_sight(self, team_id: UUID, *, sight: Sight) -> bool:
        """Whether there is such a team, not archived and within sight."""
        ...

    async def owner_of(self, rule_id: UUID, *, sight: Sight) -> tuple[UUID | None] | None:
        """The team of a rule, in a tuple; None for one out of sight or archived."""
        ...

    async def locked(self, team_id: UUID | None) -> Sequence[RoutingRule]:
        """The rules of a team, or of nobody, in order; nobody else changes any until the transaction ends."""
        ...

    async def add(self, rule: RoutingRule, *, changed_by: UUID | None) -> bool:
        """Write a new rule and its first version; False when another of the owner has its name."""
        ...

    async def save(self, rule: RoutingRule, *, changed_by: UUID | None) -> bool:
        """Write an edit and its version; False when another of the owner has its name."""
        ...

    async def place(self, positions: Sequence[tuple[UUID, int]]) -> None:
        """Give the rules these places; their order is no part of a version."""
        ...

    async def missing_targets(self, targets: Sequence[Target], *, sight: Sight) -> set[Target]:
        """Those that are not there: no active person, no team, schedule or channel within sight."""
        ...

    async def has_policy(self, policy_id: UUID, *, team_id: UUID | None) -> bool:
        """Whether the owner has such an escalation policy, and it is not archived."""
        ...


RuleDesk: TypeAlias = Desk[RoutingRules]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingDraft:
    """What somebody may say of a rule."""

    name: str
    condition: str
    targets: tuple[Target, ...]
    events: frozenset[RoutedEvent]
    policy_id: UUID | None = None
    description: str = ""
    is_enabled: bool = True
    stops: bool = False

    @staticmethod
    def of(rule: RoutingRule) -> "RoutingDraft":
        """The draft that would make the rule what it is."""
        return RoutingDraft(**{name: getattr(rule, name) for name in _SAID})


_SAID = tuple(field.name for field in fields(RoutingDraft))


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingChange:
    """What of a rule is to be otherwise; None leaves a field as it is. `policy_id` of None takes it away."""

    name: str | None = None
    condition: str | None = None
    targets: tuple[Target, ...] | None = None
    events: frozenset[RoutedEvent] | None = None
    policy_id: UUID | Unset | None = UNSET
    description: str | None = None
    is_enabled: bool | None = None
    stops: bool | None = None

    def applied_to(self, rule: RoutingRule) -> RoutingDraft:
        """The rule as it would be."""
        given = {name: value for name in _SAID if name != "policy_id" and (value := getattr(self, name)) is not None}
        if not isinstance(self.policy_id, Unset):
            given["policy_id"] = self.policy_id
        return replace(RoutingDraft.of(rule), **given)


def checked(draft: RoutingDraft, engine: ConditionEngine, *, kept: str | None = None) -> RoutingDraft:
    """The draft with its texts tidied; InvalidInput or InvalidCondition names the first field that is wrong.

    `kept` is the condition of the rule that is edited.
    """
    try:
        written(draft.condition, engine, kept=kept)
    except ConditionInvalid as error:
        raise InvalidCondition(error.message, ("condition",), line=error.line, column=error.column) from None
    if not draft.events:
        message = "a rule tells of at least one event"
        raise InvalidInput(message, ("events",))
    least = 0 if draft.policy_id is not None else 1
    if not least <= len(draft.targets) <= MAX_TARGETS:
        message = f"a rule has {least} to {MAX_TARGETS} targets, not {len(draft.targets)}"
        raise InvalidInput(message, ("targets",))
    return replace(
        draft,
        name=checked_text(draft.name, path=("name",), limit=MAX_NAME),
        description=checked_optional_text(draft.description, path=("description",), limit=MAX_DESCRIPTION) or "",
    )


async def create_rule(
    draft: RoutingDraft, *, team_id: UUID | None, engine: ConditionEngine, desk: RuleDesk
) -> RoutingRule:
    """A new rule, the last of its owner's; it takes what happens from now on."""
    draft = checked(draft, engine)
    await desk.require_team(team_id)
    theirs = await desk.stores.locked(team_id)
    if len(theirs) >= MAX_RULES:
        message = f"there are {MAX_RULES} rules already: end one that is no longer used"
        raise InvalidInput(message, ("name",))
    await _check_targets(draft, team_id, desk)
    rule = RoutingRule(
        id=new_id(),
        team_id=team_id,
        position=max((one.position for one in theirs), default=0) + 1,
        created_at=desk.now,
        updated_at=desk.now,
        **{name: getattr(draft, name) for name in _SAID},
    )
    if not await desk.stores.add(rule, changed_by=desk.viewer.user_id):
        raise AlreadyExists(TAKEN, ("name",))
    await desk.audit(target_id=rule.id, after=shown(rule))
    return rule


async def update_rule(
    rule_id: UUID, change: RoutingChange, *, expected_version: int | None, engine: ConditionEngine, desk: RuleDesk
) -> RoutingRule:
    """The rule after an edit, which is a version of its own. What was decided stays decided."""
    before = await _mine(rule_id, desk)
    require_version("routing rule", actual=before.version, expected=expected_version)
    draft = checked(change.applied_to(before), engine, kept=before.condition)
    if draft == RoutingDraft.of(before):
        return before
    await _check_targets(draft, before.team_id, desk, before=RoutingDraft.of(before))
    after = replace(
        before, version=before.version + 1, updated_at=desk.now, **{name: getattr(draft, name) for name in _SAID}
    )
    if not await desk.stores.save(after, changed_by=desk.viewer.user_id):
        raise AlreadyExists(TAKEN, ("name",))
    await desk.audit(target_id=after.id, before=shown(before), after=shown(after))
    return after


async def archive_rule(rule_id: UUID, *, expected_version: int | None, desk: RuleDesk) -> RoutingRule:
    """End a rule: it is asked no more; who was told by it hears how it ends."""
    before = await _mine(rule_id, desk)
    require_version("routing rule", actual=before.version, expected=expected_version)
    after = replace(before, archived_at=desk.now, updated_at=desk.now, version=before.version + 1)
    await desk.stores.save(after, changed_by=desk.viewer.user_id)
    await desk.audit(target_id=after.id, before=shown(before), after=shown(after))
    return after


async def reorder_rules(rule_ids: Sequence[UUID], *, team_id: UUID | None, desk: RuleDesk) -> list[RoutingRule]:
    """The owner's rules in the order given: those that are not named follow in the order they had."""
    await desk.require_team(team_id)
    if len(set(rule_ids)) != len(rule_ids):
        message = "name each rule once"
        raise InvalidInput(message, ("ids",))
    theirs = {rule.id: rule for rule in await desk.stores.locked(team_id)}
    for number, rule_id in enumerate(rule_ids):
        if rule_id not in theirs:
            raise NotFound(NO_SUCH, ("ids", str(number)))
    order = [*rule_ids, *(rule_id for rule_id in theirs if rule_id not in rule_ids)]
    placed = [replace(theirs[rule_id], position=place) for place, rule_id in enumerate(order, start=1)]
    moved = [rule for rule in placed if theirs[rule.id].position != rule.position]
    if moved:
        await desk.stores.place([(rule.id, rule.position) for rule in moved])
    for rule in moved:
        before = {"position": theirs[rule.id].position}
        await desk.audit(target_id=rule.id, before=before, after={"position": rule.position})
    return placed


def shown(rule: RoutingRule) -> dict[str, Any]:
    """What the audit log and a version keep of a rule."""
    return {
        "name": rule.name,
        "teamId": None if rule.team_id is None else str(rule.team_id),
        "description": rule.description,
        "condition": rule.condition,
        "events": sorted(event.value for event in rule.events),
        "targets": [{"kind": target.kind.value, "id": str(target.id)} for target in rule.targets],
        "policyId": None if rule.policy_id is None else str(rule.policy_id),
        "isEnabled": rule.is_enabled,
        "stops": rule.stops,
        "isArchived": rule.archived_at is not None,
        "version": rule.version,
    }


async def _mine(rule_id: UUID, desk: RuleDesk) -> RoutingRule:
    owner = await desk.stores.owner_of(rule_id, sight=desk.viewer.sight)
    if owner is None:
        raise NotFound(NO_SUCH, ("id",))
    (team_id,) = owner
    desk.require_manager(team_id)
    found = next((rule for rule in await desk.stores.locked(team_id) if rule.id == rule_id), None)
    if found is None:
        raise NotFound(NO_SUCH, ("id",))
    return found


async def _check_targets(
    draft: RoutingDraft, team_id: UUID | None, desk: RuleDesk, *, before: RoutingDraft | None = None
) -> None:
    """InvalidInput for what is newly named and not there: a rule that names somebody who left can be switched off."""
    missing = await desk.stores.missing_targets(draft.targets, sight=desk.viewer.sight)
    for place, target in enumerate(draft.targets):
        if target in missing and (before is None or target not in before.targets):
            message = f"no such {'active person' if target.kind.value == 'user' else target.kind.value}"
            raise InvalidInput(message, ("targets", str(place)))
    if before is not None and draft.policy_id == before.policy_id:
        return
    if draft.policy_id is not None and not await desk.stores.has_policy(draft.policy_id, team_id=team_id):
        message = "no such escalation policy of the same team"
        raise InvalidInput(message, ("policyId",))
