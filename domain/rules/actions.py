"""How does an alert rule come to be, change, move and end? Checked, versioned, logged, on the audit log.

A rule of no team holds for everybody's alerts and is for managers alone; one of a team is for its managers as well. A
change counts for the signals that arrive after it: what a rule has done to alerts stays, but for its mark that nobody
is to be woken, which goes with the rule.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.alerts.edits import UNSET, Unset
from domain.desk import Desk
from domain.errors import AlreadyExists, InvalidInput, NotFound
from domain.ids import new_id
from domain.room import Room
from domain.rules.condition import ConditionEngine
from domain.rules.drafts import RuleDraft, checked
from domain.rules.events import AlertRuleEvent, AlertRuleEventKind
from domain.rules.model import AlertRule, Effects, RuleMode
from domain.rules.ports import AlertRules
from domain.versions import require_version

NO_SUCH = "no such alert rule"
TAKEN = "another alert rule of the team, or of no team, has this name"
ROOM = Room(what="alert rules", how="end one", of_all=500, of_team=100)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleDesk:
    """One request to change rules."""

    desk: Desk[AlertRules]
    engine: ConditionEngine

    @property
    def stores(self) -> AlertRules:
        """The rules."""
        return self.desk.stores

    @property
    def changed_by(self) -> UUID | None:
        """The person who asks; None for a service account."""
        return self.desk.viewer.person_id

    async def checked(self, draft: RuleDraft, *, of: UUID | None, before: AlertRule | None = None) -> RuleDraft:
        """The draft of a rule of this team, or of none, if it may be; `before` is the rule that is edited.

        What it says already is not looked at again: a rule that gives alerts to a team which has ended since can be
        switched off.
        """
        kept, named = (None, None) if before is None else (before.condition, before.effects.team_id)
        draft = checked(draft, self.engine, is_of_team=of is not None, kept=kept)
        team_id = draft.effects.team_id
        if team_id not in (None, named) and not await self.stores.team_in_sight(team_id, sight=self.desk.viewer.sight):
            message = "no such team"
            raise InvalidInput(message, ("effects", "teamId"))
        return draft

    async def seen(self) -> Sequence[AlertRule]:
        """The rules the viewer sees, locked."""
        return await self.stores.all_locked(sight=self.desk.viewer.sight)

    async def mine(self, rule_id: UUID) -> AlertRule:
        """The rule, for one who may change it: NotFound when it is none in sight, then Forbidden."""
        rule = found(await self.seen(), rule_id)
        self.desk.require_manager(rule.team_id)
        return rule

    def event(self, rule: AlertRule, kind: AlertRuleEventKind, **data: object) -> AlertRuleEvent:
        """What happens to the rule, by who asks, now."""
        actor = self.desk.viewer.actor
        return AlertRuleEvent(
            id=new_id(), rule_id=rule.id, kind=kind, occurred_at=self.desk.now, actor=actor, data=dict(data)
        )


async def create_rule(draft: RuleDraft, *, desk: RuleDesk, team_id: UUID | None = None) -> AlertRule:
    """A new rule, the last of its team or of no team; it is asked about the signals that arrive from now on."""
    # The lock comes before the look at the team: who ends it ends its rules under the same lock, and misses none.
    seen = await desk.seen()
    await desk.desk.require_team(team_id)
    draft = await desk.checked(draft, of=team_id)
    others = [rule for rule in seen if rule.team_id == team_id]
    ROOM.check(await desk.stores.numbers(team_id), team_id=team_id)
    rule = AlertRule(
        id=new_id(),
        team_id=team_id,
        position=max((other.position for other in others), default=0) + 1,
        created_at=desk.desk.now,
        updated_at=desk.desk.now,
        created_by=desk.changed_by,
        **_said(draft),
    )
    if not await desk.stores.add(rule, changed_by=desk.changed_by):
        raise AlreadyExists(TAKEN, ("name",))
    await desk.stores.log(desk.event(rule, AlertRuleEventKind.CREATED))
    await desk.desk.audit(target_id=rule.id, after=shown(rule))
    return rule


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleChange:
    """What of a rule is to be otherwise; None leaves a field as it is. A filter of nothing takes it away."""

    name: str | None = None
    condition: str | None = None
    description: str | None = None
    mode: RuleMode | None = None
    stops: bool | None = None
    service_filter: str | Unset | None = UNSET
    effects: Effects | None = None

    def applied_to(self, rule: AlertRule) -> RuleDraft:
        """The rule as it would be."""
        said = RuleDraft.of(rule)
        given = {
            name: value
            for name in ("name", "condition", "description", "mode", "stops", "effects")
            if (value := getattr(self, name)) is not None
        }
        if not isinstance(self.service_filter, Unset):
            given["service_filter"] = self.service_filter
        return replace(said, **given)


async def update_rule(
    rule_id: UUID, change: RuleChange, *, expected_version: int | None, desk: RuleDesk
) -> tuple[AlertRule, AlertRule]:
    """The rule before and after an edit, which is a version of its own."""
    before = await desk.mine(rule_id)
    require_version("alert rule", actual=before.version, expected=expected_version)
    draft = await desk.checked(change.applied_to(before), of=before.team_id, before=before)
    if draft == RuleDraft.of(before):
        return before, before
    after = replace(before, version=before.version + 1, updated_at=desk.desk.now, **_said(draft))
    if not await desk.stores.save(after, changed_by=desk.changed_by):
        raise AlreadyExists(TAKEN, ("name",))
    changes = differing(shown(before), shown(after))
    await desk.stores.log(desk.event(after, AlertRuleEventKind.UPDATED, changes=changes))
    await desk.desk.audit(target_id=after.id, before=shown(before), after=shown(after))
    return before, after


async def archive_rule(rule_id: UUID, *, expected_version: int | None, desk: RuleDesk) -> AlertRule:
    """End a rule: it is asked no more; its versions and what it did stay readable."""
    before = await desk.mine(rule_id)
    require_version("alert rule", actual=before.version, expected=expected_version)
    after = ended(before, now=desk.desk.now)
    await desk.stores.save(after, changed_by=desk.changed_by)
    await desk.stores.log(desk.event(after, AlertRuleEventKind.ARCHIVED))
    await desk.desk.audit(target_id=after.id, before=shown(before), after=shown(after))
    return after


def ended(rule: AlertRule, *, now: datetime) -> AlertRule:
    """The rule when it is over, by itself or with its team."""
    return replace(rule, archived_at=now, updated_at=now, version=rule.version + 1)


async def reorder_rules(rule_ids: Sequence[UUID], *, desk: RuleDesk, team_id: UUID | None = None) -> list[AlertRule]:
    """All rules of the team, or of no team, in the order given: those that are not named follow as they stood."""
    await desk.desk.require_team(team_id)
    if len(set(rule_ids)) != len(rule_ids):
        message = "name each rule once"
        raise InvalidInput(message, ("ids",))
    rules = [rule for rule in await desk.seen() if rule.team_id == team_id]
    named = [found(rules, rule_id, "ids", str(number)) for number, rule_id in enumerate(rule_ids)]
    rest = [rule for rule in rules if rule not in named]
    placed = [replace(rule, position=place) for place, rule in enumerate([*named, *rest], start=1)]
    before = {rule.id: rule.position for rule in rules}
    moved = [rule for rule in placed if before[rule.id] != rule.position]
    if not moved:
        return placed
    await desk.stores.place([(rule.id, rule.position) for rule in moved])
    for rule in moved:
        changes = {"position": [before[rule.id], rule.position]}
        await desk.stores.log(desk.event(rule, AlertRuleEventKind.REORDERED, changes=changes))
        await desk.desk.audit(
            target_id=rule.id, before={"position": before[rule.id]}, after={"position": rule.position}
        )
    return placed


def found(rules: Sequence[AlertRule], rule_id: UUID, *path: str) -> AlertRule:
    """The rule among these; NotFound when it is none of them."""
    for rule in rules:
        if rule.id == rule_id:
            return rule
    raise NotFound(NO_SUCH, path or ("id",))


def shown(rule: AlertRule) -> dict[str, Any]:
    """What the audit log and a version keep of a rule."""
    return {
        "name": rule.name,
        "ofTeamId": rule.team_id and str(rule.team_id),
        "description": rule.description,
        "condition": rule.condition,
        "mode": rule.mode.value,
        "stops": rule.stops,
        "serviceFilter": rule.service_filter,
        "effects": rule.effects.as_json(),
        "isArchived": rule.archived_at is not None,
        "version": rule.version,
    }


def differing(before: dict[str, Any], after: dict[str, Any]) -> dict[str, list[Any]]:
    """The fields that differ, before and after; the version always does."""
    return {name: [before[name], after[name]] for name in after if name != "version" and before[name] != after[name]}


def _said(draft: RuleDraft) -> dict[str, Any]:
    return {
        "name": draft.name,
        "condition": draft.condition,
        "description": draft.description,
        "mode": draft.mode,
        "stops": draft.stops,
        "service_filter": draft.service_filter,
        "effects": draft.effects,
    }
