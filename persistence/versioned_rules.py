"""How are rules kept that stand in an order and have versions? A row each, and one for each of its versions."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Generic, Protocol, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.visibility import Sight
from persistence.reads.visibility import is_team_in_sight
from persistence.unless_taken import write_unless_taken


class Versioned(Protocol):
    """What has an id and a version."""

    @property
    def id(self) -> UUID:
        """Of the row."""
        ...

    @property
    def version(self) -> int:
        """Grows with each edit."""
        ...

    @property
    def updated_at(self) -> datetime:
        """When this version was made."""
        ...


Rule = TypeVar("Rule", bound=Versioned)


class VersionedRuleRepository(Generic[Rule]):
    """The rules of one table, inside one transaction. A subclass says which, and what a row and a version hold.

    The table has `position`; `unique` names the index that keeps two of one name apart.
    """

    table: ClassVar[sa.Table]
    versions: ClassVar[sa.Table]
    unique: ClassVar[str]
    # Written once; no edit changes it.
    fixed: ClassVar[tuple[str, ...]]

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    def _values(self, rule: Rule) -> dict[str, Any]:
        """What an edit writes."""
        raise NotImplementedError

    def _shown(self, rule: Rule) -> Mapping[str, Any]:
        """What a version keeps."""
        raise NotImplementedError

    async def add(self, rule: Rule, *, changed_by: UUID | None) -> bool:
        """Write a new rule and its first version; False when its name is taken."""
        values = {**self._values(rule), **{name: getattr(rule, name) for name in self.fixed}}
        return await self._written(sa.insert(self.table).values(values), rule, changed_by)

    async def save(self, rule: Rule, *, changed_by: UUID | None) -> bool:
        """Write an edit and its version; False when its name is taken."""
        statement = sa.update(self.table).where(self.table.c.id == rule.id).values(self._values(rule))
        return await self._written(statement, rule, changed_by)

    async def _written(self, statement: sa.Executable, rule: Rule, changed_by: UUID | None) -> bool:
        if not await write_unless_taken(self._connection, statement, unique=self.unique):
            return False
        await self._connection.execute(
            sa.insert(self.versions).values(
                rule_id=rule.id,
                version=rule.version,
                changed_at=rule.updated_at,
                changed_by=changed_by,
                rule=self._shown(rule),
            )
        )
        return True

    async def place(self, positions: Sequence[tuple[UUID, int]]) -> None:
        """Give the rules these places; their order is no part of a version."""
        cases = sa.case(*((self.table.c.id == rule_id, place) for rule_id, place in positions))
        mine = self.table.c.id.in_([rule_id for rule_id, _ in positions])
        await self._connection.execute(sa.update(self.table).where(mine).values(position=cases))

    async def team_in_sight(self, team_id: UUID, *, sight: Sight) -> bool:
        """Whether there is such a team, not archived and within sight."""
        return await is_team_in_sight(self._connection, team_id, sight=sight)


async def newest_versions(
    connection: AsyncConnection, versions: sa.Table, rule_id: UUID, *, limit: int
) -> list[dict[str, Any]]:
    """The versions of a rule, the newest first."""
    statement = (
        sa.select(versions).where(versions.c.rule_id == rule_id).order_by(versions.c.version.desc()).limit(limit)
    )
    return [dict(row) for row in (await connection.execute(statement)).mappings()]
