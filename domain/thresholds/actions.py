"""How does a threshold rule come to be, change and end? Checked, versioned, on the audit log.

A team's rule is its managers' to change, one of no team the managers'. A change of what it measures or raises, a switch
on or off and its end count from that moment: what it raised before is resolved with a reason, and it begins anew.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol, TypeAlias
from uuid import UUID

from domain.alerts.visibility import Sight
from domain.desk import Desk
from domain.errors import AlreadyExists, InvalidInput, NotFound
from domain.ids import new_id
from domain.room import Numbers, Room
from domain.thresholds.drafts import RuleDraft, checked_draft
from domain.thresholds.model import Condition, Raised, ThresholdRule
from domain.versions import require_version

NO_SUCH = "no such threshold rule"
TAKEN = "the team has another threshold rule of this name"
# So many are evaluated within seconds, each minute (docs/thresholds.md).
ROOM = Room(what="threshold rules", how="end one", of_all=1_000, of_team=200)


class ThresholdRules(Protocol):
    """The store of threshold rules, within one transaction."""

    async def add(self, rule: ThresholdRule) -> bool:
        """Write a new rule; False when the team has one of this name."""
        ...

    async def locked(self, rule_id: UUID, *, sight: Sight) -> ThresholdRule | None:
        """The rule, locked until the transaction ends; None for one out of sight or archived."""
        ...

    async def save(self, rule: ThresholdRule) -> bool:
        """Write an edit; False when the team has another of this name."""
        ...

    async def numbers(self, team_id: UUID | None) -> Numbers:
        """How many there are that are not archived, of all and of the team, or of none."""
        ...

    async def team_in_sight(self, team_id: UUID, *, sight: Sight) -> bool:
        """Whether there is such a team, not archived and within sight."""
        ...

    async def teams_missing(self, team_ids: AbstractSet[UUID], *, sight: Sight) -> set[UUID]:
        """Those that are no team within sight."""
        ...


RuleDesk: TypeAlias = Desk[ThresholdRules]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleChange:
    """What of a rule is to be otherwise; None leaves a field as it is."""

    name: str | None = None
    description: str | None = None
    is_enabled: bool | None = None
    condition: Condition | None = None
    raised: Raised | None = None

    def applied_to(self, rule: ThresholdRule) -> RuleDraft:
        """The rule as it would be."""
        return RuleDraft(
            name=rule.name if self.name is None else self.name,
            description=rule.description if self.description is None else self.description,
            is_enabled=rule.is_enabled if self.is_enabled is None else self.is_enabled,
            condition=self.condition or rule.condition,
            raised=self.raised or rule.raised,
        )


async def create_rule(draft: RuleDraft, *, team_id: UUID | None, desk: RuleDesk) -> ThresholdRule:
    """A new rule; it counts from now on, over a past that may have begun before."""
    draft = checked_draft(draft)
    await desk.require_team(team_id)
    await check_teams(draft.condition.match.team_ids, desk.stores, sight=desk.viewer.sight)
    ROOM.check(await desk.stores.numbers(team_id), team_id=team_id)
    rule = ThresholdRule(
        id=new_id(),
        team_id=team_id,
        name=draft.name,
        description=draft.description,
        is_enabled=draft.is_enabled,
        condition=draft.condition,
        raised=draft.raised,
        created_at=desk.now,
        updated_at=desk.now,
        counts_from=desk.now,
        created_by=desk.viewer.person_id,
    )
    if not await desk.stores.add(rule):
        raise AlreadyExists(TAKEN, ("name",))
    await desk.audit(target_id=rule.id, after=shown(rule))
    return rule


async def update_rule(
    rule_id: UUID, change: RuleChange, *, expected_version: int | None, desk: RuleDesk
) -> ThresholdRule:
    """The rule after an edit."""
    before = await _mine(rule_id, desk)
    require_version("threshold rule", actual=before.version, expected=expected_version)
    draft = checked_draft(change.applied_to(before))
    if change.condition is not None:
        named = frozenset(before.condition.match.team_ids)
        await check_teams(draft.condition.match.team_ids, desk.stores, sight=desk.viewer.sight, named=named)
    edited = replace(
        before,
        name=draft.name,
        description=draft.description,
        is_enabled=draft.is_enabled,
        condition=draft.condition,
        raised=draft.raised,
    )
    if edited == before:
        return before
    after = replace(edited, version=before.version + 1, updated_at=desk.now)
    if _meaning(after) != _meaning(before):
        after = _anew(after)
    if not await desk.stores.save(after):
        raise AlreadyExists(TAKEN, ("name",))
    await desk.audit(target_id=after.id, before=shown(before), after=shown(after))
    return after


async def archive_rule(rule_id: UUID, *, desk: RuleDesk) -> ThresholdRule:
    """End a rule: what it raised is resolved."""
    before = await _mine(rule_id, desk)
    after = ended(before, now=desk.now)
    await desk.stores.save(after)
    await desk.audit(target_id=after.id, before=shown(before), after=shown(after))
    return after


def ended(rule: ThresholdRule, *, now: datetime) -> ThresholdRule:
    """The rule when it is over, by itself or with its team."""
    return _anew(replace(rule, archived_at=now, updated_at=now, version=rule.version + 1))


async def check_teams(
    team_ids: Sequence[UUID], stores: ThresholdRules, *, sight: Sight, named: AbstractSet[UUID] = frozenset()
) -> None:
    """InvalidInput for a team in the filter that is not there, or out of sight, and was not `named` before."""
    asked = frozenset(team_ids) - named
    missing = await stores.teams_missing(asked, sight=sight) if asked else set()
    for place, team_id in enumerate(team_ids):
        if team_id in missing:
            raise InvalidInput("no such team", ("condition", "match", "teamIds", str(place)))


def shown(rule: ThresholdRule) -> dict[str, Any]:
    """What the audit log keeps of a rule."""
    condition, match = rule.condition, rule.condition.match
    return {
        "name": rule.name,
        "teamId": None if rule.team_id is None else str(rule.team_id),
        "isEnabled": rule.is_enabled,
        "isArchived": rule.archived_at is not None,
        "version": rule.version,
        "measure": condition.measure.value,
        "windowSeconds": condition.window.total_seconds(),
        "forSeconds": condition.hold.total_seconds(),
        "comparison": condition.comparison.value,
        "raiseAt": condition.raise_at,
        "clearAt": condition.clear_at,
        "groupBy": condition.group_by and condition.group_by.value,
        "services": list(match.services),
        "teamIds": [str(team_id) for team_id in match.team_ids],
        "severities": [severity.value for severity in match.severities],
        "sources": list(match.sources),
        "title": rule.raised.title,
        "severity": rule.raised.severity.value,
    }


def _meaning(rule: ThresholdRule) -> tuple[object, ...]:
    return rule.is_enabled, rule.condition, rule.raised


def _anew(rule: ThresholdRule) -> ThresholdRule:
    return replace(rule, counts_from=rule.updated_at, counts_version=rule.version, evaluated_until=None)


async def _mine(rule_id: UUID, desk: RuleDesk) -> ThresholdRule:
    found = await desk.stores.locked(rule_id, sight=desk.viewer.sight)
    if found is None:
        raise NotFound(NO_SUCH, ("id",))
    desk.require_manager(found.team_id)
    return found
