"""How are inhibition rules kept, and asked in ingest? The open parents of a batch's keys, in one statement.

The rules travel with those of correlation, at the same version (persistence/correlation.py). The keys' advisory locks
are held, so of a parent and a child that arrive at once the second sees the first; a parent that comes second is
followed by persistence/inhibition_marks.py.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.inhibition.holding import Holding
from domain.inhibition.model import Inhibition, InhibitionRule, Parent
from domain.silences.matchers import matchers_from_json
from persistence.ingest_rows import plain_uuid
from persistence.tables import OPEN, inhibition_rules
from persistence.unless_taken import write_unless_taken

# Of many parents of one key the oldest: any of them holds, and two are enough where one is of both kinds.
MOST_PARENTS = 20
_STANDING = f"""
SELECT k.key, p.alert_id, p.is_both FROM unnest($1::text[]) AS k(key)
 CROSS JOIN LATERAL (
   SELECT i.alert_id, i.is_both FROM inhibitors i JOIN alerts a ON a.id = i.alert_id AND a.{OPEN}
    WHERE i.key = k.key ORDER BY i.is_both, i.alert_id LIMIT {MOST_PARENTS}) AS p
"""  # noqa: S608 - constants
_NOTE = """
INSERT INTO inhibitors (key, alert_id, is_both, noted_at)
SELECT key, alert_id, is_both, $4 FROM unnest($1::text[], $2::uuid[], $3::boolean[]) AS u(key, alert_id, is_both)
    ON CONFLICT (key, alert_id) DO NOTHING
"""


async def read_holding(connection: asyncpg.Connection, inhibition: Inhibition, keys: Sequence[str]) -> Holding:
    """The open parents of the keys, which are locked."""
    standing: dict[str, list[Parent]] = {key: [] for key in keys}
    for row in await connection.fetch(_STANDING, keys):
        standing[row["key"]].append(
            Parent(key=row["key"], alert_id=plain_uuid(row["alert_id"]), is_both=row["is_both"])
        )
    return Holding(inhibition=inhibition, standing=standing)


async def write_holding(connection: asyncpg.Connection, holding: Holding, *, now: datetime) -> None:
    """Note the parents of the batch."""
    noted = holding.noted
    await connection.execute(
        _NOTE, [one.key for one in noted], [one.alert_id for one in noted], [one.is_both for one in noted], now
    )


def rule_of(values: Mapping[str, Any] | sa.RowMapping) -> InhibitionRule:
    """The rule a row says."""
    return InhibitionRule(
        id=values["id"],
        name=values["name"],
        description=values["description"],
        enabled=values["enabled"],
        source=matchers_from_json(values["source"]),
        target=matchers_from_json(values["target"]),
        equal=tuple(values["equal"]),
        created_at=values["created_at"],
        updated_at=values["updated_at"],
        archived_at=values["archived_at"],
        version=values["version"],
    )


async def inhibition_in_force(connection: AsyncConnection) -> Inhibition:
    """The rules in force, the older first."""
    return Inhibition(tuple(rule for rule in await list_inhibition_rules(connection) if rule.enabled))


async def list_inhibition_rules(connection: AsyncConnection, *, with_archived: bool = False) -> list[InhibitionRule]:
    """Inhibition rules, the older first."""
    statement = sa.select(inhibition_rules).order_by(inhibition_rules.c.id)
    if not with_archived:
        statement = statement.where(inhibition_rules.c.archived_at.is_(None))
    return [rule_of(row) for row in (await connection.execute(statement)).mappings()]


async def inhibition_rules_by_ids(connection: AsyncConnection, ids: Sequence[UUID]) -> list[InhibitionRule | None]:
    """Inhibition rules by id, archived ones too."""
    rows = await connection.execute(sa.select(inhibition_rules).where(inhibition_rules.c.id.in_(list(ids))))
    found = {row["id"]: rule_of(row) for row in rows.mappings()}
    return [found.get(rule_id) for rule_id in ids]


class InhibitionRuleRepository:
    """Inhibition rules, inside one transaction. Implements domain.inhibition.actions.InhibitionRules."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, rule: InhibitionRule) -> bool:
        """Write a new rule; False when there is one of this name."""
        values = {**_values(rule), "id": rule.id, "created_at": rule.created_at}
        return await self._written(sa.insert(inhibition_rules).values(values))

    async def locked(self, rule_id: UUID) -> InhibitionRule | None:
        """The rule, locked until the transaction ends; None for one that is archived."""
        statement = sa.select(inhibition_rules).where(
            inhibition_rules.c.id == rule_id, inhibition_rules.c.archived_at.is_(None)
        )
        row = (await self._connection.execute(statement.with_for_update())).mappings().one_or_none()
        return None if row is None else rule_of(row)

    async def save(self, rule: InhibitionRule) -> bool:
        """Write an edit; False when the name is taken."""
        statement = sa.update(inhibition_rules).where(inhibition_rules.c.id == rule.id)
        return await self._written(statement.values(_values(rule)))

    async def count(self) -> int:
        """How many rules there are that are not archived."""
        table = inhibition_rules
        statement = sa.select(sa.func.count()).select_from(table).where(table.c.archived_at.is_(None))
        return int(await self._connection.scalar(statement) or 0)

    async def _written(self, statement: sa.Executable) -> bool:
        return await write_unless_taken(self._connection, statement, unique="uq_inhibition_rules")


def _values(rule: InhibitionRule) -> dict[str, Any]:
    return {
        "name": rule.name,
        "description": rule.description,
        "enabled": rule.enabled,
        "source": [matcher.as_json() for matcher in rule.source],
        "target": [matcher.as_json() for matcher in rule.target],
        "equal": list(rule.equal),
        "updated_at": rule.updated_at,
        "archived_at": rule.archived_at,
        "version": rule.version,
    }
