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
from persistence.of_teams import OfTeamsRepository, listed
from persistence.reads.visibility import teams_in_sight
from persistence.tables import teams, threshold_rules, threshold_states


class ThresholdRuleRepository(OfTeamsRepository[ThresholdRule]):
    """Threshold rules, inside one transaction. Implements domain.thresholds.actions.ThresholdRules."""

    table = threshold_rules
    unique = "uq_threshold_rules"

    def _thing_of(self, row: Mapping[Any, Any]) -> ThresholdRule:
        return rule_of(row)

    def _values(self, rule: ThresholdRule) -> dict[str, Any]:
        return _values(rule)

    async def teams_missing(self, team_ids: AbstractSet[UUID], *, sight: Sight) -> set[UUID]:
        """Those that are no team within sight."""
        return set(team_ids) - await teams_in_sight(self._connection, team_ids, sight=sight)

    async def team_in_sight(self, team_id: UUID, *, sight: Sight) -> bool:
        """As everywhere. Who would end the team waits for a rule that is being made, and ends it with the others."""
        await self._connection.execute(sa.select(teams.c.id).where(teams.c.id == team_id).with_for_update(read=True))
        return await super().team_in_sight(team_id, sight=sight)


async def list_rules(
    connection: AsyncConnection,
    *,
    sight: Sight,
    ids: Sequence[UUID] | None = None,
    team_id: UUID | None = None,
    with_archived: bool = False,
) -> list[ThresholdRule]:
    """Rules within sight by name; of one team, or of these ids, where they are given."""
    statement = listed(threshold_rules, sight=sight, ids=ids, team_id=team_id, with_archived=with_archived)
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
