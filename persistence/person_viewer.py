"""For whom does a signed link answer? For the person it names, with today's role and teams, and no session."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.identity.model import NOBODY, Role, Viewer
from persistence.among import among
from persistence.sessions import TEAM_ROLES, team_roles_of
from persistence.tables import users


async def viewer_of_person(connection: AsyncConnection, user_id: UUID) -> Viewer | None:
    """The viewer; None for one who may not sign in."""
    return (await viewers_of_people(connection, [user_id])).get(user_id)


async def viewers_of_people(connection: AsyncConnection, user_ids: Collection[UUID]) -> dict[UUID, Viewer]:
    """The viewers; those who may not sign in are missing."""
    columns = (users.c.id, users.c.role, TEAM_ROLES.label("team_roles"))
    statement = sa.select(*columns).where(among(users.c.id, user_ids), users.c.is_active)
    return {row.id: _viewer_of(row) for row in await connection.execute(statement)}


def _viewer_of(row: Any) -> Viewer:  # noqa: ANN401 - a row
    team_roles = team_roles_of(row.team_roles)
    return Viewer(
        user_id=row.id,
        role=Role(row.role),
        session_id=NOBODY,
        team_ids=frozenset(team_id for team_id, _ in team_roles),
        team_roles=team_roles,
    )
