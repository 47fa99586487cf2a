"""For whom does a signed link answer? For the person it names, with today's role and teams, and no session."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.identity.model import NOBODY, Role, Viewer
from persistence.sessions import TEAM_ROLES, team_roles_of
from persistence.tables import users


async def viewer_of_person(connection: AsyncConnection, user_id: UUID) -> Viewer | None:
    """The viewer; None for one who may not sign in."""
    statement = sa.select(users.c.role, TEAM_ROLES.label("team_roles")).where(users.c.id == user_id, users.c.is_active)
    row = (await connection.execute(statement)).one_or_none()
    if row is None:
        return None
    team_roles = team_roles_of(row.team_roles)
    return Viewer(
        user_id=user_id,
        role=Role(row.role),
        session_id=NOBODY,
        team_ids=frozenset(team_id for team_id, _ in team_roles),
        team_roles=team_roles,
    )
