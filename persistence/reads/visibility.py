"""How does a statement keep to the viewer's sight? One condition, the SQL form of domain/alerts/visibility.py."""

from collections.abc import Set as AbstractSet
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.visibility import Sight
from persistence.tables import alerts, teams


def visible(sight: Sight, team_id: sa.ColumnElement[object] = alerts.c.team_id) -> sa.ColumnElement[bool]:
    """The condition that `team_id` is within sight.

    It lists the few teams that are hidden, not the many that are seen: the list is read once a statement, then tested
    row by row, so an index on the sort order still serves the page.
    """
    if sight.everything:
        return sa.true()
    hidden = sa.select(teams.c.id).where(teams.c.is_private)
    if sight.team_ids:
        hidden = hidden.where(teams.c.id.not_in(sorted(sight.team_ids)))
    return sa.or_(team_id.is_(None), team_id != sa.all_(sa.func.array(hidden.scalar_subquery())))


async def teams_in_sight(connection: AsyncConnection, team_ids: AbstractSet[UUID], *, sight: Sight) -> set[UUID]:
    """Those of the teams whose alerts are within sight."""
    wanted = teams.c.id.in_(sorted(team_ids))
    return set(await connection.scalars(sa.select(teams.c.id).where(wanted, visible(sight, teams.c.id))))


async def is_team_in_sight(connection: AsyncConnection, team_id: UUID, *, sight: Sight) -> bool:
    """Whether there is such a team, not archived and within sight."""
    there = (teams.c.id == team_id, teams.c.archived_at.is_(None), visible(sight, teams.c.id))
    return bool(await connection.scalar(sa.select(sa.exists().where(*there))))
