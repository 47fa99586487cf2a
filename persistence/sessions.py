"""Where are sign-ins kept? Rows of `sessions`; and who a living session belongs to, read anew for each request."""

import dataclasses
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.errors import InvalidCredentials
from domain.identity.model import Role, Viewer
from domain.identity.sessions import Session
from domain.ports import Clock
from persistence.factors import has_factor
from persistence.person_keys import Vault, vault_of
from persistence.seal_people import key_to_read, key_to_write
from persistence.shared_lookup import SharedLookup
from persistence.tables import memberships, person_keys, sessions, users

USER_AGENT, IP_ADDRESS = "sessions.user_agent", "sessions.ip_address"
_COLUMNS = [sessions.c[field.name] for field in dataclasses.fields(Session)]


class SessionRepository:
    """Sign-ins, inside one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, session: Session) -> None:
        """Write a new session. InvalidCredentials for a person who was erased meanwhile."""
        key = await key_to_write(self._connection, session.user_id)
        if key is None:
            message = "the address, the password or the code is not right"
            raise InvalidCredentials(message)
        values = dataclasses.asdict(session)
        values["user_agent"] = key.seal(session.user_agent, column=USER_AGENT, row=session.id)
        values["ip_address"] = key.seal(session.ip_address, column=IP_ADDRESS, row=session.id)
        await self._connection.execute(sa.insert(sessions).values(values))

    async def locked(self, session_id: UUID) -> Session | None:
        """The session, locked until the transaction ends."""
        statement = _select_sessions().where(sessions.c.id == session_id).with_for_update(of=sessions)
        row = (await self._connection.execute(statement)).mappings().one_or_none()
        return None if row is None else _session_of(row, vault_of(self._connection))

    async def save(self, session: Session) -> None:
        """Write what a use or a revocation changed.

        Without the lock on the person, which comes before that on the session: of somebody who is erased in this moment
        nothing is written, or what an erased key sealed.
        """
        key = await key_to_read(self._connection, session.user_id)
        sealed = None if key is None else key.seal(session.ip_address, column=IP_ADDRESS, row=session.id)
        await self._connection.execute(
            sa.update(sessions)
            .where(sessions.c.id == session.id)
            .values(
                refresh_digest=session.refresh_digest,
                previous_digest=session.previous_digest,
                last_used_at=session.last_used_at,
                idle_expires_at=session.idle_expires_at,
                revoked_at=session.revoked_at,
                ip_address=sealed,
            )
        )

    async def revoke_all(self, user_id: UUID, *, now: datetime, keep: UUID | None = None) -> list[UUID]:
        """End all of a person's sessions but `keep`; the ids of those that ended now."""
        statement = (
            sa.update(sessions)
            .where(sessions.c.user_id == user_id, _is_alive(now), sessions.c.id.is_distinct_from(keep))
            .values(revoked_at=now)
            .returning(sessions.c.id)
        )
        return sorted(await self._connection.scalars(statement))


def _is_alive(now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(sessions.c.revoked_at.is_(None), sessions.c.idle_expires_at > now, sessions.c.expires_at > now)


async def page_of_sessions(
    connection: AsyncConnection,
    user_id: UUID,
    *,
    now: datetime,
    limit: int,
    after: UUID | None,
    before: UUID | None,
    backward: bool,
) -> list[Session]:
    """Up to `limit + 1` living sessions of a person, the newest first (ids are UUIDv7); in reverse when `backward`."""
    order = sessions.c.id if backward else sessions.c.id.desc()
    statement = _select_sessions().where(sessions.c.user_id == user_id, _is_alive(now)).order_by(order).limit(limit + 1)
    if after is not None:
        statement = statement.where(sessions.c.id < after)
    if before is not None:
        statement = statement.where(sessions.c.id > before)
    vault = vault_of(connection)
    return [_session_of(row, vault) for row in (await connection.execute(statement)).mappings()]


async def count_sessions(connection: AsyncConnection, user_id: UUID, *, now: datetime) -> int:
    """How many living sessions a person has."""
    statement = sa.select(sa.func.count()).select_from(sessions).where(sessions.c.user_id == user_id, _is_alive(now))
    return int(await connection.scalar(statement) or 0)


async def addresses_used(connection: AsyncConnection, email_digest: bytes, *, since: datetime, limit: int) -> list[str]:
    """Where the person with this address has signed in from since, by their newest sessions, ended ones too."""
    statement = (
        _select_sessions()
        .where(users.c.email_digest == email_digest, sessions.c.created_at > since)
        .order_by(sessions.c.id.desc())
        .limit(limit)
    )
    vault = vault_of(connection)
    found = [_session_of(row, vault) for row in (await connection.execute(statement)).mappings()]
    return [session.ip_address for session in found if session.ip_address is not None]


def _select_sessions() -> sa.Select[Any]:
    """Sessions with the keys of their people: rows for `_session_of`."""
    people = sessions.join(users, users.c.id == sessions.c.user_id)
    keys = people.outerjoin(person_keys, person_keys.c.user_id == sessions.c.user_id)
    return sa.select(*_COLUMNS, users.c.erased_at, person_keys.c.wrapped).select_from(keys)


def _session_of(row: RowMapping, vault: Vault) -> Session:
    """The session a row tells of, with where it came from."""
    values = {column.name: row[column] for column in _COLUMNS}
    is_erased = row[users.c.erased_at] is not None
    opener = vault.opener(row[sessions.c.user_id], row[person_keys.c.wrapped], is_erased=is_erased)
    values["user_agent"] = opener.open(values["user_agent"], column=USER_AGENT, row=values["id"])
    values["ip_address"] = opener.open(values["ip_address"], column=IP_ADDRESS, row=values["id"])
    return Session(**values)


# "id role" of each team: one array, read by `team_roles_of`.
TEAM_ROLES = (
    sa.select(sa.func.array_agg(sa.cast(memberships.c.team_id, sa.Text) + " " + sa.cast(memberships.c.role, sa.Text)))
    .where(memberships.c.user_id == users.c.id)
    .scalar_subquery()
)


def team_roles_of(texts: Sequence[str] | None) -> frozenset[tuple[UUID, Role]]:
    """The roles within teams that a row tells of."""
    return _team_roles(tuple(sorted(texts or ())))


# Sessions are read anew all the time, and thousands are of the same few people: they share what is the same.
@lru_cache(maxsize=1024)
def _team_roles(texts: tuple[str, ...]) -> frozenset[tuple[UUID, Role]]:
    return frozenset((UUID(team_id), Role(role)) for team_id, role in (text.split(" ") for text in texts))


@lru_cache(maxsize=1024)
def _team_ids(team_roles: frozenset[tuple[UUID, Role]]) -> frozenset[UUID]:
    return frozenset(team_id for team_id, _ in team_roles)


@lru_cache(maxsize=64)
def _proofs(names: tuple[str, ...]) -> frozenset[str]:
    return frozenset(names)


_VIEWERS = (
    sa.select(
        sessions.c.id.label("session_id"),
        users.c.id,
        users.c.role,
        TEAM_ROLES.label("team_roles"),
        # A session of before this was kept proved a password when it began.
        sa.func.coalesce(sessions.c.proved_at, sessions.c.created_at).label("proved_at"),
        sessions.c.proved_by,
        has_factor(users.c.id).label("has_factor"),
    )
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
    return {row.session_id: _viewer_of(row) for row in rows}


def _viewer_of(row: sa.Row[tuple[object, ...]]) -> Viewer:
    team_roles = team_roles_of(row.team_roles)
    return Viewer(
        user_id=row.id,
        role=Role(row.role),
        session_id=row.session_id,
        team_ids=_team_ids(team_roles),
        team_roles=team_roles,
        proved_at=row.proved_at,
        proved_by=_proofs(tuple(row.proved_by)),
        has_factor=row.has_factor,
    )


async def viewer_of_session(connection: AsyncConnection, session_id: UUID, *, now: datetime) -> Viewer | None:
    """The same for one session; None when it ended."""
    return (await viewers_of_sessions(connection, [session_id], now=now)).get(session_id)


class ViewerLookup(SharedLookup[UUID, Viewer]):
    """Who does a session belong to, for requests that come by the hundred?"""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        super().__init__()
        self._engine = engine
        self._clock = clock

    async def viewer(self, session_id: UUID) -> Viewer | None:
        """The viewer; None when the session ended."""
        return await self.find(session_id)

    async def look_up(self, session_ids: list[UUID]) -> dict[UUID, Viewer]:
        """One statement, now."""
        async with self._engine.connect() as connection:
            return await viewers_of_sessions(connection, session_ids, now=self._clock.now())
