"""Where are alert rules kept? A row each, a row for each version, and what they did beside them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.visibility import Sight
from domain.rules.actions import shown
from domain.rules.events import AlertRuleEvent
from domain.rules.model import AlertRule, RuleActivity, RuleMode
from domain.rules.rule_set import RuleSet
from persistence.conditions import CONDITIONS
from persistence.known_rules import rule_of
from persistence.locks import ALERT_RULES_LOCK
from persistence.reads.visibility import is_team_in_sight
from persistence.rule_events import RuleLog
from persistence.tables import alert_rule_activity, alert_rule_versions, alert_rules, alert_rules_version
from persistence.unless_taken import write_unless_taken

_ORDER = (alert_rules.c.position, alert_rules.c.id)


class AlertRuleRepository:
    """Alert rules, inside one transaction. Implements domain.rules.ports.AlertRules."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def all_locked(self) -> Sequence[AlertRule]:
        """Every rule that is not archived, in order; nobody else changes any until the transaction ends."""
        await self._connection.execute(sa.select(sa.func.pg_advisory_xact_lock(ALERT_RULES_LOCK)))
        return await list_rules(self._connection)

    async def add(self, rule: AlertRule, *, changed_by: UUID | None) -> bool:
        """Write a new rule and its first version; False when another has its name."""
        values = {**_values(rule), "id": rule.id, "created_at": rule.created_at, "created_by": rule.created_by}
        return await self._written(sa.insert(alert_rules).values(values), rule, changed_by)

    async def save(self, rule: AlertRule, *, changed_by: UUID | None) -> bool:
        """Write an edit and its version; False when another has its name."""
        statement = sa.update(alert_rules).where(alert_rules.c.id == rule.id).values(_values(rule))
        return await self._written(statement, rule, changed_by)

    async def _written(self, statement: sa.Executable, rule: AlertRule, changed_by: UUID | None) -> bool:
        if not await write_unless_taken(self._connection, statement, unique="uq_alert_rules_name"):
            return False
        await self._connection.execute(
            sa.insert(alert_rule_versions).values(
                rule_id=rule.id,
                version=rule.version,
                changed_at=rule.updated_at,
                changed_by=changed_by,
                rule=shown(rule),
            )
        )
        return True

    async def place(self, positions: Sequence[tuple[UUID, int]]) -> None:
        """Give the rules these places; their order is no part of a version."""
        cases = sa.case(*((alert_rules.c.id == rule_id, place) for rule_id, place in positions))
        mine = alert_rules.c.id.in_([rule_id for rule_id, _ in positions])
        await self._connection.execute(sa.update(alert_rules).where(mine).values(position=cases))

    async def log(self, *events: AlertRuleEvent) -> None:
        """Write events in their order."""
        await RuleLog(self._connection).append(*events)

    async def team_in_sight(self, team_id: UUID, *, sight: Sight) -> bool:
        """Whether there is such a team, not archived and within sight."""
        return await is_team_in_sight(self._connection, team_id, sight=sight)


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
    connection: AsyncConnection, *, ids: Sequence[UUID] | None = None, with_archived: bool = False
) -> list[AlertRule]:
    """Rules in the order they are asked; of these ids where they are given."""
    statement = sa.select(alert_rules).order_by(*_ORDER)
    if ids is not None:
        statement = statement.where(alert_rules.c.id.in_(list(ids)))
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
    table = alert_rule_versions
    statement = sa.select(table).where(table.c.rule_id == rule_id).order_by(table.c.version.desc()).limit(limit)
    return [dict(row) for row in (await connection.execute(statement)).mappings()]


async def read_rule_set(connection: AsyncConnection) -> RuleSet:
    """The rules that are on, as ingest asks them: for a preview and for tests of rules."""
    version = await connection.scalar(sa.select(alert_rules_version.c.version))
    return RuleSet(version=version or 0, rules=await list_rules(connection), engine=CONDITIONS)
