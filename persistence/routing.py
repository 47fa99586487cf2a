"""Where are routing rules kept? A row each, and a row for each version."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.visibility import Sight
from domain.escalations.model import Target, TargetKind
from domain.routing.actions import shown
from domain.routing.model import RoutedEvent, RoutingRule
from persistence.escalation_policies import EscalationPolicyRepository
from persistence.locks import ROUTING_RULES_LOCK
from persistence.reads.visibility import visible
from persistence.tables import escalation_policies, routing_rule_versions, routing_rules
from persistence.versioned_rules import VersionedRuleRepository, newest_versions

_ORDER = (routing_rules.c.team_id.is_not(None), routing_rules.c.team_id, routing_rules.c.position, routing_rules.c.id)


class RoutingRuleRepository(VersionedRuleRepository[RoutingRule]):
    """Routing rules, inside one transaction. Implements domain.routing.actions.RoutingRules."""

    table = routing_rules
    versions = routing_rule_versions
    unique = "uq_routing_rules"
    fixed = ("id", "team_id", "created_at")

    def _values(self, rule: RoutingRule) -> dict[str, Any]:
        return _values(rule)

    def _shown(self, rule: RoutingRule) -> dict[str, Any]:
        return shown(rule)

    async def owner_of(self, rule_id: UUID, *, sight: Sight) -> tuple[UUID | None] | None:
        """The team of a rule, in a tuple; None for one out of sight or archived."""
        found = await list_rules(self._connection, sight=sight, ids=[rule_id])
        return (found[0].team_id,) if found else None

    async def locked(self, team_id: UUID | None) -> Sequence[RoutingRule]:
        """The rules of a team, or of nobody, in order; nobody else changes any until the transaction ends."""
        await self._connection.execute(sa.select(sa.func.pg_advisory_xact_lock(ROUTING_RULES_LOCK)))
        table = routing_rules
        statement = (
            sa.select(table)
            .where(table.c.team_id.is_not_distinct_from(team_id), table.c.archived_at.is_(None))
            .order_by(*_ORDER)
        )
        return [rule_of(row) for row in (await self._connection.execute(statement)).mappings()]

    async def missing_targets(self, targets: Sequence[Target], *, sight: Sight) -> set[Target]:
        """Those that are not there: no active person, no team, schedule or channel within sight."""
        return await EscalationPolicyRepository(self._connection).missing_targets(targets, sight=sight)

    async def has_policy(self, policy_id: UUID, *, team_id: UUID | None) -> bool:
        """Whether the owner has such an escalation policy, and it is not archived."""
        table = escalation_policies
        there = (
            table.c.id == policy_id,
            table.c.team_id.is_not_distinct_from(team_id),
            table.c.archived_at.is_(None),
        )
        return bool(await self._connection.scalar(sa.select(sa.exists().where(*there))))


def targets_json(targets: Sequence[Target]) -> list[dict[str, str]]:
    """What a row holds of targets."""
    return [{"kind": target.kind.value, "id": str(target.id)} for target in targets]


def targets_of(stored: Sequence[Mapping[str, str]]) -> tuple[Target, ...]:
    """The targets a row holds."""
    return tuple(Target(TargetKind(one["kind"]), UUID(one["id"])) for one in stored)


def _values(rule: RoutingRule) -> dict[str, Any]:
    return {
        "name": rule.name,
        "description": rule.description,
        "condition": rule.condition,
        "events": sorted(event.value for event in rule.events),
        "targets": targets_json(rule.targets),
        "policy_id": rule.policy_id,
        "is_enabled": rule.is_enabled,
        "stops": rule.stops,
        "position": rule.position,
        "updated_at": rule.updated_at,
        "archived_at": rule.archived_at,
        "version": rule.version,
    }


def rule_of(row: sa.RowMapping) -> RoutingRule:
    """The object of a row."""
    events = frozenset(map(RoutedEvent, row["events"]))
    return RoutingRule(**{**row, "events": events, "targets": targets_of(row["targets"])})


async def active_rules(connection: AsyncConnection) -> list[RoutingRule]:
    """Every rule that is asked, those of nobody first, each owner's in their order."""
    table = routing_rules
    statement = sa.select(table).where(table.c.is_enabled, table.c.archived_at.is_(None)).order_by(*_ORDER)
    return [rule_of(row) for row in (await connection.execute(statement)).mappings()]


async def list_rules(
    connection: AsyncConnection,
    *,
    sight: Sight,
    ids: Sequence[UUID] | None = None,
    team_id: UUID | None = None,
    with_archived: bool = False,
) -> list[RoutingRule]:
    """Rules within sight, in the order they are asked; of one team, or of these ids, where they are given."""
    table = routing_rules
    statement = sa.select(table).where(visible(sight, table.c.team_id)).order_by(*_ORDER)
    if ids is not None:
        statement = statement.where(table.c.id.in_(list(ids)))
    if team_id is not None:
        statement = statement.where(table.c.team_id == team_id)
    if not with_archived:
        statement = statement.where(table.c.archived_at.is_(None))
    return [rule_of(row) for row in (await connection.execute(statement)).mappings()]


async def versions_of_routing_rule(connection: AsyncConnection, rule_id: UUID, *, limit: int) -> list[dict[str, Any]]:
    """The rule's versions, the newest first."""
    return await newest_versions(connection, routing_rule_versions, rule_id, limit=limit)
