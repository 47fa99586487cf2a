"""How is kept what may be a team's and has a name? Added and saved unless the name is taken, locked within sight."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Generic, Protocol, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.visibility import Sight
from domain.room import Numbers
from persistence.among import among
from persistence.reads.visibility import is_team_in_sight, visible
from persistence.unless_taken import write_unless_taken


class Named(Protocol):
    """What has an id."""

    @property
    def id(self) -> UUID:
        """Of the row."""
        ...


Thing = TypeVar("Thing", bound=Named)
# Written once; no edit changes it. Not every table has all of them.
FIXED = ("id", "team_id", "kind", "created_at", "created_by")


class OfTeamsRepository(Generic[Thing]):
    """The rows of one table, inside one transaction. A subclass says which, and how a row and a thing are each other.

    The table has `team_id`, `name`, `archived_at`; `unique` names the index that keeps two of one name apart.
    """

    table: ClassVar[sa.Table]
    unique: ClassVar[str]

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    def _thing_of(self, row: Mapping[Any, Any]) -> Thing:
        raise NotImplementedError

    def _values(self, thing: Thing) -> dict[str, Any]:
        """What an edit writes."""
        raise NotImplementedError

    async def add(self, thing: Thing) -> bool:
        """Write a new one; False when the team has one of this name."""
        fixed = {name: getattr(thing, name) for name in FIXED if name in self.table.c}
        return await self._written(sa.insert(self.table).values({**fixed, **self._values(thing)}))

    async def locked(self, thing_id: UUID, *, sight: Sight) -> Thing | None:
        """The one of this id, locked until the transaction ends; None for one out of sight or archived."""
        columns = self.table.c
        mine = (columns.id == thing_id, columns.archived_at.is_(None), visible(sight, columns.team_id))
        statement = sa.select(self.table).where(*mine).with_for_update()
        row = (await self._connection.execute(statement)).mappings().one_or_none()
        return None if row is None else self._thing_of(row)

    async def save(self, thing: Thing) -> bool:
        """Write an edit; False when the team has another of this name."""
        return await self._written(sa.update(self.table).where(self.table.c.id == thing.id).values(self._values(thing)))

    async def numbers(self, team_id: UUID | None) -> Numbers:
        """How many there are that are not archived, of all and of the team, or of none."""
        return await count_of(self._connection, self.table, team_id, self.table.c.archived_at.is_(None))

    async def team_in_sight(self, team_id: UUID, *, sight: Sight) -> bool:
        """Whether there is such a team, not archived and within sight."""
        return await is_team_in_sight(self._connection, team_id, sight=sight)

    async def _written(self, statement: sa.Executable) -> bool:
        return await write_unless_taken(self._connection, statement, unique=self.unique)


async def count_of(
    connection: AsyncConnection, table: sa.Table, team_id: UUID | None, *conditions: sa.ColumnElement[bool]
) -> Numbers:
    """How many rows fulfil the conditions, of all and of the team, or of none."""
    theirs = sa.func.count().filter(table.c.team_id.is_not_distinct_from(team_id))
    counted = await connection.execute(sa.select(sa.func.count(), theirs).select_from(table).where(*conditions))
    return Numbers(*counted.one())


def listed(
    table: sa.Table,
    *,
    sight: Sight,
    ids: Sequence[UUID] | None = None,
    team_id: UUID | None = None,
    with_archived: bool = False,
) -> sa.Select[Any]:
    """The rows within sight by name; of one team, or of these ids, where they are given."""
    statement = sa.select(table).where(visible(sight, table.c.team_id)).order_by(table.c.name, table.c.id)
    if ids is not None:
        statement = statement.where(among(table.c.id, ids))
    if team_id is not None:
        statement = statement.where(table.c.team_id == team_id)
    if not with_archived:
        statement = statement.where(table.c.archived_at.is_(None))
    return statement
