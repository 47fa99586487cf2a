"""Which teams are there? Those within a viewer's sight by name, those of given ids, and the object a row tells of."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.visibility import Sight
from domain.identity.model import Team
from persistence.reads.visibility import visible
from persistence.tables import teams


async def visible_teams(
    connection: AsyncConnection, sight: Sight, ids: Sequence[UUID] | None = None, *, with_archived: bool = False
) -> list[Team]:
    """The teams a viewer may see, by name: public ones, one's own, all for an administrator."""
    statement = sa.select(*teams.c).where(visible(sight, teams.c.id)).order_by(teams.c.name)
    if not with_archived:
        statement = statement.where(teams.c.archived_at.is_(None))
    if ids is not None:
        statement = statement.where(teams.c.id.in_(list(ids)))
    return [team_of(row) for row in (await connection.execute(statement)).mappings()]


async def teams_by_ids(connection: AsyncConnection, ids: Sequence[UUID]) -> list[Team | None]:
    """Teams in the order of their ids, whoever asks: only for what the caller may see in any case."""
    statement = sa.select(*teams.c).where(teams.c.id.in_(list(ids)))
    found = {row["id"]: team_of(row) for row in (await connection.execute(statement)).mappings()}
    return [found.get(team_id) for team_id in ids]


def team_of(row: RowMapping) -> Team:
    """The team a row tells of."""
    return Team(
        id=row[teams.c.id],
        name=row[teams.c.name],
        slug=row[teams.c.slug],
        is_private=row[teams.c.is_private],
        created_at=row[teams.c.created_at],
        description=row[teams.c.description],
        archived_at=row[teams.c.archived_at],
        handed_over_to=row[teams.c.handed_over_to],
        version=row[teams.c.version],
        pause_seconds=row[teams.c.pause_seconds],
    )
