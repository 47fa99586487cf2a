"""Which open alerts are assigned to somebody who cannot see them, or who may no longer sign in?

The SQL form of what domain/alerts/actions/release.py looks at once more under the locks.
"""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.identity.model import Role
from persistence.tables import OPEN, alerts, memberships, teams, users


async def unseen_by_their_people(connection: AsyncConnection, *, limit: int) -> list[UUID]:
    """Their ids, the oldest first."""
    is_member = sa.exists().where(
        memberships.c.team_id == alerts.c.team_id, memberships.c.user_id == alerts.c.assigned_to
    )
    is_hidden = sa.and_(teams.c.is_private, users.c.role != Role.ADMIN.value, sa.not_(is_member))
    statement = (
        sa.select(alerts.c.id)
        .select_from(
            alerts.join(users, users.c.id == alerts.c.assigned_to).outerjoin(teams, teams.c.id == alerts.c.team_id)
        )
        .where(
            sa.text(f"alerts.{OPEN}"),
            alerts.c.assigned_to.is_not(None),
            sa.or_(sa.not_(users.c.is_active), sa.func.coalesce(is_hidden, sa.false())),
        )
        .order_by(alerts.c.id)
        .limit(limit)
    )
    return list(await connection.scalars(statement))
