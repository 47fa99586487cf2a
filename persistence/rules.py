"""Where are alert rules kept? A row each, a row for each version, and what they did beside them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.visibility import EVERYTHING, Sight
from domain.room import Numbers
from domain.rules.actions import shown
from domain.rules.events import AlertRuleEvent
from domain.rules.model import AlertRule, RuleActivity, RuleMode
from domain.rules.rule_set import RuleSet
from persistence.conditions import CONDITIONS
from persistence.known_rules import rule_of
from persistence.locks import ALERT_RULES_LOCK
from persistence.of_teams import count_of
from persistence.reads.visibility import visible
from persistence.rule_events import RuleLog
from persistence.tables import alert_rule_activity, alert_rule_versions, alert_rules, alert_rules_version
from persistence.versioned_rules import VersionedRuleRepository, newest_versions

_ORDER = (alert_rules.c.team_id.asc().nulls_first(), alert_rules.c.position, alert_rules.c.id)


class AlertRuleRepository(VersionedRuleRepository[AlertRule]):
    """Alert rules, inside one transaction. Implements domain.rules.ports.AlertRules."""

    table = alert_rules
    versions = alert_rule_versions
    unique = "uq_alert_rules"
    fixed = ("id", "team_id", "created_at", "created_by")

    def _values(self, rule: AlertRule) -> dict[str, Any]:
        return _values(rule)

    def _shown(self, rule: AlertRule) -> dict[str, Any]:
        return shown(rule)

    async def all_locked(self, *, sight: Sight) -> Sequence[AlertRule]:
        """Every rule in sight that is not archived, in order; nobody else changes any until the transaction ends."""
        await self._connection.execute(sa.select(sa.func.pg_advisory_xact_lock(ALERT_RULES_LOCK)))
        return await list_rules(self._connection, sight=sight)

    async def numbers(self, team_id: UUID | None) -> Numbers:
        """How many there are that are not archived, of all and of the team, or of none; those out of sight too."""
        return await count_of(self._connection, alert_rules, team_id, alert_rules.c.archived_at.is_(None))

    async def log(self, *events: AlertRuleEvent) -> None:
        """Write events in their order."""
        await RuleLog(self._connection).append(*events)


def _values(rule: AlertRule) -> dict[str, Any]:
    effects = rule.effects.as_json()
    severity = effects.pop("severity", None)
    return {
        "name": rule.name,
        "condition": rule.condition,
        "description": rule.description,
        "severity": severity,
        "enabled": rule.mode is not RuleMode.DISABLED,
        "monitors": rule.mode is RuleMode.MONITOR,
        "position": rule.position,
        "stops": rule.stops,
        "service_filter": rule.service_filter,
        "effects": effects,
        "updated_at": rule.updated_at,
        "archived_at": rule.archived_at,
        "version": rule.version,
    }


async def list_rules(
    connection: AsyncConnection,
    *,
    sight: Sight,
    ids: Sequence[UUID] | None = None,
    team_id: UUID | None = None,
    with_archived: bool = False,
) -> list[AlertRule]:
    """Rules in sight in the order they are asked, those of no team first; of these ids, or a team, where given."""
    statement = sa.select(alert_rules).where(visible(sight, alert_rules.c.team_id)).order_by(*_ORDER)
    if ids is not None:
        statement = statement.where(alert_rules.c.id.in_(list(ids)))
    if team_id is not None:
        statement = statement.where(alert_rules.c.team_id == team_id)
    if not with_archived:
        statement = statement.where(alert_rules.c.archived_at.is_(None))
    return [rule_of(dict(row)) for row in (await connection.execute(statement)).mappings()]


async def activity_of(connection: AsyncConnection, ids: Sequence[UUID]) -> dict[UUID, RuleActivity]:
    """What the rules did, as far as it is written."""
    table = alert_rule_activity
    rows = await connection.execute(sa.select(table).where(table.c.rule_id.in_(list(ids))))
    return {row.pop("rule_id"): RuleActivity(**row) for row in (dict(found) for found in rows.mappings())}


async def versions_of(connection: AsyncConnection, rule_id: UUID, *, limit: int) -> list[dict[str, Any]]:
    """The rule's versions, the newest first."""
    return await newest_versions(connection, alert_rule_versions, rule_id, limit=limit)


async def read_rule_set(connection: AsyncConnection) -> RuleSet:
    """The rules that are on, as ingest asks them: for a preview and for tests of rules."""
    version = await connection.scalar(sa.select(alert_rules_version.c.version))
    return RuleSet(version=version or 0, rules=await list_rules(connection, sight=EVERYTHING), engine=CONDITIONS)
