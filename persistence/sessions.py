"""Where are sign-ins kept? Rows of `sessions`; and who a living session belongs to, read anew for each request."""

import dataclasses
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.identity.model import Role, Viewer
from domain.identity.sessions import Session
from persistence.tables import memberships, sessions, users

_COLUMNS = [sessions.c[field.name] for field in dataclasses.fields(Session)]


class SessionRepository:
    """Sign-ins, inside one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, session: Session) -> None:
        """Write a new session."""
        await self._connection.execute(sa.insert(sessions).values(dataclasses.asdict(session)))

    async def locked(self, session_id: UUID) -> Session | None:
        """The session, locked until the transaction ends."""
        statement = sa.select(*_COLUMNS).where(sessions.c.id == session_id).with_for_update()
        row = (await self._connection.execute(statement)).mappings().one_or_none()
        if row is None:
            return None
        values = dict(row)
        values["ip_address"] = None if row["ip_address"] is None else str(row["ip_address"])
        return Session(**values)

    async def save(self, session: Session) -> None:
        """Write what a use or a revocation changed."""
        await self._connection.execute(
            sa.update(sessions)
            .where(sessions.c.id == session.id)
            .values(
                refresh_digest=session.refresh_digest,
                previous_digest=session.previous_digest,
                last_used_at=session.last_used_at,
                idle_expires_at=session.idle_expires_at,
                revoked_at=session.revoked_at,
            )
        )


_TEAM_IDS = (
    sa.select(sa.func.coalesce(sa.func.array_agg(memberships.c.team_id), sa.text("'{}'::uuid[]")))
    .where(memberships.c.user_id == users.c.id)
    .scalar_subquery()
    .label("team_ids")
)


async def viewers_of_sessions(
    connection: AsyncConnection, session_ids: Sequence[UUID], *, now: datetime
) -> dict[UUID, Viewer]:
    """Who each living session belongs to, with today's role and teams; one whose person may not enter is missing."""
    statement = (
        sa.select(sessions.c.id.label("session_id"), users.c.id, users.c.role, _TEAM_IDS)
        .join(sessions, sessions.c.user_id == users.c.id)
        .where(
            sessions.c.id.in_(session_ids),
            sessions.c.revoked_at.is_(None),
            sessions.c.idle_expires_at > now,
            sessions.c.expires_at > now,
            users.c.is_active,
        )
    )
    return {
        row.session_id: Viewer(
            user_id=row.id, role=Role(row.role), session_id=row.session_id, team_ids=frozenset(row.team_ids)
        )
        for row in await connection.execute(statement)
    }


async def viewer_of_session(connection: AsyncConnection, session_id: UUID, *, now: datetime) -> Viewer | None:
    """The same for one session; None when it ended."""
    return (await viewers_of_sessions(connection, [session_id], now=now)).get(session_id)
