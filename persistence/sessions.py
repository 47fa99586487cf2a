"""Where are sign-ins kept? Rows of `sessions`; and who a living session belongs to, read anew for each request."""

import asyncio
import dataclasses
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.identity.model import Role, Viewer
from domain.identity.sessions import Session
from domain.ports import Clock
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


_VIEWERS = (
    sa.select(sessions.c.id.label("session_id"), users.c.id, users.c.role, _TEAM_IDS)
    .join(sessions, sessions.c.user_id == users.c.id)
    .where(
        sessions.c.id == sa.any_(sa.bindparam("session_ids", type_=pg.ARRAY(sessions.c.id.type))),
        sessions.c.revoked_at.is_(None),
        sessions.c.idle_expires_at > sa.bindparam("now", type_=sessions.c.idle_expires_at.type),
        sessions.c.expires_at > sa.bindparam("now", type_=sessions.c.expires_at.type),
        users.c.is_active,
    )
)


async def viewers_of_sessions(
    connection: AsyncConnection, session_ids: Sequence[UUID], *, now: datetime
) -> dict[UUID, Viewer]:
    """Who each living session belongs to, with today's role and teams; one whose person may not enter is missing."""
    rows = await connection.execute(_VIEWERS, {"session_ids": list(session_ids), "now": now})
    return {
        row.session_id: Viewer(
            user_id=row.id, role=Role(row.role), session_id=row.session_id, team_ids=frozenset(row.team_ids)
        )
        for row in rows
    }


async def viewer_of_session(connection: AsyncConnection, session_id: UUID, *, now: datetime) -> Viewer | None:
    """The same for one session; None when it ended."""
    return (await viewers_of_sessions(connection, [session_id], now=now)).get(session_id)


class ViewerLookup:
    """Who does a session belong to, for requests that come by the hundred? Those that wait are one statement.

    Each is answered by a statement that began after it came, so a session that ended before is seen as ended: what is
    shared is the way to the database, never an answer of the past.
    """

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._waiting: list[tuple[UUID, asyncio.Future[Viewer | None]]] = []
        self._asking: asyncio.Task[None] | None = None

    async def viewer(self, session_id: UUID) -> Viewer | None:
        """The viewer; None when the session ended."""
        answer: asyncio.Future[Viewer | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((session_id, answer))
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask())
        return await answer

    async def _ask(self) -> None:
        """Ask for all who wait, until nobody does."""
        try:
            while self._waiting:
                asked, self._waiting = self._waiting, []
                try:
                    found = await self.look_up(list({session_id for session_id, _ in asked}))
                except Exception as error:  # noqa: BLE001 - it is told to each who asked
                    _tell(asked, error)
                else:
                    for session_id, answer in asked:
                        if not answer.done():  # a request that was given up no longer waits
                            answer.set_result(found.get(session_id))
        finally:
            self._asking = None

    async def look_up(self, session_ids: list[UUID]) -> dict[UUID, Viewer]:
        """One statement, now."""
        async with self._engine.connect() as connection:
            return await viewers_of_sessions(connection, session_ids, now=self._clock.now())


def _tell(asked: "list[tuple[UUID, asyncio.Future[Viewer | None]]]", error: Exception) -> None:
    for _, answer in asked:
        if not answer.done():
            answer.set_exception(error)
