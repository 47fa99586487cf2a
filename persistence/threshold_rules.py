"""Where are threshold rules kept? A row each, what it measures and raises as JSON; a row for each loud group."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.model import Severity
from domain.alerts.visibility import Sight
from domain.thresholds.model import (
    Comparison,
    Condition,
    Dimension,
    GroupState,
    Match,
    Measure,
    Phase,
    Raised,
    ThresholdRule,
)
from persistence.among import among
from persistence.reads.visibility import is_team_in_sight, teams_in_sight, visible
from persistence.tables import threshold_rules, threshold_states
from persistence.unless_taken import write_unless_taken


class ThresholdRuleRepository:
    """Threshold rules, inside one transaction. Implements domain.thresholds.actions.ThresholdRules."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, rule: ThresholdRule) -> bool:
        """Write a new rule; False when the team has one of this name."""
        fixed = {name: getattr(rule, name) for name in ("id", "team_id", "created_at", "created_by")}
        return await self._written(sa.insert(threshold_rules).values({**_values(rule), **fixed}))

    async def locked(self, rule_id: UUID, *, sight: Sight) -> ThresholdRule | None:
        """The rule, locked until the transaction ends; None for one out of sight or archived."""
        table = threshold_rules
        mine = (table.c.id == rule_id, table.c.archived_at.is_(None), visible(sight, table.c.team_id))
        row = (await self._connection.execute(sa.select(table).where(*mine).with_for_update())).mappings().one_or_none()
        return None if row is None else rule_of(row)

    async def save(self, rule: ThresholdRule) -> bool:
        """Write an edit; False when the team has another of this name."""
        table = threshold_rules
        return await self._written(sa.update(table).where(table.c.id == rule.id).values(_values(rule)))

    async def number(self) -> int:
        """How many there are that are not archived."""
        table = threshold_rules
        counted = sa.select(sa.func.count()).select_from(table).where(table.c.archived_at.is_(None))
        return await self._connection.scalar(counted) or 0

    async def team_in_sight(self, team_id: UUID, *, sight: Sight) -> bool:
        """Whether there is such a team, not archived and within sight."""
        return await is_team_in_sight(self._connection, team_id, sight=sight)

    async def teams_missing(self, team_ids: AbstractSet[UUID], *, sight: Sight) -> set[UUID]:
        """Those that are no team within sight."""
        return set(team_ids) - await teams_in_sight(self._connection, team_ids, sight=sight)

    async def _written(self, statement: sa.Executable) -> bool:
        return await write_unless_taken(self._connection, statement, unique="uq_threshold_rules")


async def list_rules(
    connection: AsyncConnection,
    *,
    sight: Sight,
    ids: Sequence[UUID] | None = None,
    team_id: UUID | None = None,
    with_archived: bool = False,
) -> list[ThresholdRule]:
    """Rules within sight by name; of one team, or of these ids, where they are given."""
    table = threshold_rules
    statement = sa.select(table).where(visible(sight, table.c.team_id)).order_by(table.c.name, table.c.id)
    if ids is not None:
        statement = statement.where(among(table.c.id, ids))
    if team_id is not None:
        statement = statement.where(table.c.team_id == team_id)
    if not with_archived:
        statement = statement.where(table.c.archived_at.is_(None))
    return [rule_of(row) for row in (await connection.execute(statement)).mappings()]


async def states_by_rule(
    connection: AsyncConnection, rule_ids: Iterable[UUID]
) -> dict[UUID, list[tuple[str, GroupState]]]:
    """Where each of the rules is, by its present meaning: the groups that are not quiet, those that fire first."""
    states, rules = threshold_states, threshold_rules
    statement = (
        sa.select(states)
        .join(rules, sa.and_(rules.c.id == states.c.rule_id, rules.c.counts_version == states.c.counts_version))
        .where(among(states.c.rule_id, rule_ids))
        .order_by(states.c.phase, states.c.group_value)
    )
    found: dict[UUID, list[tuple[str, GroupState]]] = {}
    for row in (await connection.execute(statement)).mappings():
        found.setdefault(row["rule_id"], []).append((row["group_value"], state_of(row)))
    return found


def rule_of(row: Mapping[Any, Any]) -> ThresholdRule:
    """The rule a row tells of."""
    fields = ThresholdRule.__dataclass_fields__
    values = {name: row[name] for name in fields if name not in ("condition", "raised")}
    return ThresholdRule(**values, condition=_condition(_json(row["condition"])), raised=_raised(_json(row["raised"])))


def state_of(row: Mapping[Any, Any]) -> GroupState:
    """Where a group is, as its row tells."""
    return GroupState(
        phase=Phase(row["phase"]),
        since=row["since"],
        value=row["value"],
        seen_at=row["seen_at"],
        alert_id=row["alert_id"],
    )


def _values(rule: ThresholdRule) -> dict[str, Any]:
    fixed = {"id", "team_id", "created_at", "created_by", "condition", "raised"}
    plain = {name: getattr(rule, name) for name in ThresholdRule.__dataclass_fields__ if name not in fixed}
    return {**plain, "condition": _condition_json(rule.condition), "raised": _raised_json(rule.raised)}


def _condition_json(condition: Condition) -> dict[str, Any]:
    match = condition.match
    return {
        "measure": condition.measure.value,
        "windowSeconds": condition.window.total_seconds(),
        "comparison": condition.comparison.value,
        "raiseAt": condition.raise_at,
        "clearAt": condition.clear_at,
        "holdSeconds": condition.hold.total_seconds(),
        "groupBy": condition.group_by and condition.group_by.value,
        "services": list(match.services),
        "teamIds": [str(team_id) for team_id in match.team_ids],
        "severities": [severity.value for severity in match.severities],
        "sources": list(match.sources),
    }


def _condition(stored: Mapping[str, Any]) -> Condition:
    return Condition(
        measure=Measure(stored["measure"]),
        window=timedelta(seconds=stored["windowSeconds"]),
        comparison=Comparison(stored["comparison"]),
        raise_at=stored["raiseAt"],
        clear_at=stored["clearAt"],
        hold=timedelta(seconds=stored["holdSeconds"]),
        group_by=None if stored["groupBy"] is None else Dimension(stored["groupBy"]),
        match=Match(
            services=tuple(stored["services"]),
            team_ids=tuple(map(UUID, stored["teamIds"])),
            severities=tuple(map(Severity, stored["severities"])),
            sources=tuple(stored["sources"]),
        ),
    )


def _raised_json(raised: Raised) -> dict[str, Any]:
    return {
        "title": raised.title,
        "severity": raised.severity.value,
        "description": raised.description,
        "labels": dict(raised.labels),
    }


def _raised(stored: Mapping[str, Any]) -> Raised:
    return Raised(**{**stored, "severity": Severity(stored["severity"])})


def _json(value: Any) -> Mapping[str, Any]:  # noqa: ANN401 - text from asyncpg, an object from the engine
    decoded: Mapping[str, Any] = orjson.loads(value) if isinstance(value, str | bytes) else value
    return decoded
