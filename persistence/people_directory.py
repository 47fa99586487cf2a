"""Who may be given an alert? A look at users and teams, inside the transaction that gives it."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.visibility import EVERYTHING, Sight
from domain.identity.model import Role
from persistence.tables import memberships, teams, users


class PeopleDirectory:
    """Users and teams as the transaction sees them."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def sight_of(self, user_id: UUID) -> Sight | None:
        """How far a user sees; None when there is no such active user."""
        statement = (
            sa.select(users.c.role, sa.func.array_agg(memberships.c.team_id).label("team_ids"))
            .select_from(users.outerjoin(memberships, memberships.c.user_id == users.c.id))
            .where(users.c.id == user_id, users.c.is_active)
            .group_by(users.c.id)
        )
        row = (await self._connection.execute(statement)).one_or_none()
        if row is None:
            return None
        if Role(row.role) is Role.ADMIN:
            return EVERYTHING
        return Sight(team_ids=frozenset(team_id for team_id in row.team_ids if team_id is not None))

    async def private_teams(self) -> frozenset[UUID]:
        """The teams whose alerts only their members and administrators see."""
        return frozenset(await self._connection.scalars(sa.select(teams.c.id).where(teams.c.is_private)))

    async def team_exists(self, team_id: UUID) -> bool:
        """Whether there is such a team, and it is not archived."""
        found = await self._connection.scalar(
            sa.select(sa.exists().where(teams.c.id == team_id, teams.c.archived_at.is_(None)))
        )
        return bool(found)
