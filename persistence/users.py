"""Where are people and teams kept? Rows of `users`, `teams` and `memberships`, and the objects made of them.

An address is unique by a keyed HMAC of its normalised form, so that it can be erased and leave no index behind.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.events import SYSTEM, Actor
from domain.alerts.visibility import Sight
from domain.identity.model import Membership, Role, Team, User
from domain.teams.events import member_event
from persistence.locks import ADMINISTRATORS_LOCK
from persistence.tables import memberships, teams, users
from persistence.team_events import TeamLog

_USER = (
    users.c.id,
    users.c.email,
    users.c.password_hash,
    users.c.first_name,
    users.c.last_name,
    users.c.role,
    users.c.team_id,
    users.c.created_at,
    users.c.last_login,
    users.c.is_active,
    users.c.version,
    users.c.email_verified_at,
)
_TEAM = tuple(teams.c)


class UserRepository:
    """People and teams, inside one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def by_email(self, email_digest: bytes, *older: bytes) -> User | None:
        """The person with this address; `older` are its digests under former keys."""
        return await self._one(sa.select(*_USER).where(users.c.email_digest.in_([email_digest, *older])))

    async def by_id(self, user_id: UUID) -> User | None:
        """The person with this id."""
        return await self._one(sa.select(*_USER).where(users.c.id == user_id))

    async def _one(self, statement: sa.Select[Any]) -> User | None:
        row = (await self._connection.execute(statement)).mappings().one_or_none()
        return None if row is None else user_of(row)

    async def locked(self, user_id: UUID) -> User | None:
        """The person with this id, locked until the transaction ends."""
        # Not FOR UPDATE: what only refers to the person (a session, a mail) may be written meanwhile.
        return await self._one(sa.select(*_USER).where(users.c.id == user_id).with_for_update(key_share=True))

    async def save(self, user: User, *, email_digest: bytes | None = None) -> bool:
        """Write what changed of a locked person; with a digest when the address is another. False when it is taken."""
        values = {
            "email": user.email,
            "password_hash": user.password_hash,
            "first_name": user.first_name,
            "last_name": user.last_name,
            "role": user.role.value,
            "team_id": user.team_id,
            "is_active": user.is_active,
            "version": user.version,
            "email_verified_at": user.email_verified_at,
        }
        statement = sa.update(users).where(users.c.id == user.id).values(values)
        if email_digest is None:
            await self._connection.execute(statement)
            return True
        try:
            # In a savepoint: of two who take one address at once the second gets a refusal, and its transaction stays.
            async with self._connection.begin_nested():
                await self._connection.execute(statement.values(email_digest=email_digest))
        except sa.exc.IntegrityError:
            return False
        return True

    async def lock_administrators(self) -> None:
        """Wait for whoever else takes an administrator away, until the transaction ends."""
        await self._connection.execute(sa.select(sa.func.pg_advisory_xact_lock(ADMINISTRATORS_LOCK)))

    async def other_administrator(self, user_id: UUID) -> bool:
        """Whether anybody else is an administrator and may sign in. Ask under `lock_administrators`."""
        other = sa.exists().where(users.c.role == Role.ADMIN.value, users.c.is_active, users.c.id != user_id)
        return bool(await self._connection.scalar(sa.select(other)))

    async def any_admin(self) -> bool:
        """Whether there is an administrator at all."""
        found = await self._connection.scalar(
            sa.select(sa.exists().where(users.c.role == Role.ADMIN.value, users.c.is_active))
        )
        return bool(found)

    async def add(self, user: User, *, email_digest: bytes, older_digests: Sequence[bytes] = ()) -> bool:
        """Write a new person; False when the address is taken, be it under a former key."""
        if older_digests and await self.by_email(*older_digests):
            return False
        values = {
            "id": user.id,
            "email": user.email,
            "email_digest": email_digest,
            "password_hash": user.password_hash,
            "first_name": user.first_name,
            "last_name": user.last_name,
            "role": user.role.value,
            "team_id": user.team_id,
            "created_at": user.created_at,
            "is_active": user.is_active,
            "version": user.version,
            "email_verified_at": user.email_verified_at,
        }
        statement = insert(users).values(values).on_conflict_do_nothing(index_elements=["email_digest"])
        return (await self._connection.execute(statement)).rowcount == 1

    async def renew_digest(self, user_id: UUID, email_digest: bytes) -> None:
        """Write the digest of the address under the current key, where it was under a former one."""
        await self._connection.execute(
            sa.update(users)
            .where(users.c.id == user_id, users.c.email_digest != email_digest)
            .values(email_digest=email_digest)
        )

    async def signed_in(self, user: User) -> None:
        """Note the time of the sign-in, and the password hash where it was made anew with today's parameters."""
        await self._connection.execute(
            sa.update(users)
            .where(users.c.id == user.id)
            .values(last_login=user.last_login, password_hash=user.password_hash)
        )

    async def team_by_id(self, team_id: UUID) -> Team | None:
        """The team with this id, unless it is archived."""
        statement = sa.select(*_TEAM).where(teams.c.id == team_id, teams.c.archived_at.is_(None))
        row = (await self._connection.execute(statement)).mappings().one_or_none()
        return None if row is None else team_of(row)

    async def put_member(self, membership: Membership, *, by: Actor = SYSTEM, at: datetime | None = None) -> None:
        """Make a person a member of a team, or change the role there. A first team becomes the primary one.

        The log of teams tells of it, whoever asks for it and why.
        """
        is_mine = (memberships.c.team_id == membership.team_id, memberships.c.user_id == membership.user_id)
        before = await self._connection.scalar(sa.select(memberships.c.role).where(*is_mine))
        if before != membership.role.value:
            event = member_event(membership, before, by=by, at=at or membership.created_at)
            await TeamLog(self._connection).append(event)
        statement = insert(memberships).values(
            team_id=membership.team_id,
            user_id=membership.user_id,
            role=membership.role.value,
            created_at=membership.created_at,
        )
        await self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=["team_id", "user_id"], set_={"role": statement.excluded.role}
            )
        )
        await self._connection.execute(
            sa.update(users)
            .where(users.c.id == membership.user_id, users.c.team_id.is_(None))
            .values(team_id=membership.team_id)
        )


async def users_by_ids(connection: AsyncConnection, ids: Sequence[UUID]) -> list[User | None]:
    """People in the order of their ids; None where there is nobody."""
    statement = sa.select(*_USER).where(users.c.id.in_(list(ids)))
    found = {row["id"]: user_of(row) for row in (await connection.execute(statement)).mappings()}
    return [found.get(user_id) for user_id in ids]


async def page_of_users(
    connection: AsyncConnection, *, limit: int, after: UUID | None, before: UUID | None, backward: bool
) -> list[User]:
    """Up to `limit + 1` people from the first created on (ids are UUIDv7), in reverse when `backward`."""
    statement = sa.select(*_USER).limit(limit + 1).order_by(users.c.id.desc() if backward else users.c.id)
    if after is not None:
        statement = statement.where(users.c.id > after)
    if before is not None:
        statement = statement.where(users.c.id < before)
    return [user_of(row) for row in (await connection.execute(statement)).mappings()]


async def count_users(connection: AsyncConnection) -> int:
    """How many people there are."""
    return int(await connection.scalar(sa.select(sa.func.count()).select_from(users)) or 0)


async def teams_in_sight(connection: AsyncConnection, sight: Sight, ids: Sequence[UUID] | None = None) -> list[Team]:
    """The teams a viewer may see, by name: public ones, one's own, all for an administrator."""
    statement = sa.select(*_TEAM).where(teams.c.archived_at.is_(None)).order_by(teams.c.name)
    if ids is not None:
        statement = statement.where(teams.c.id.in_(list(ids)))
    if not sight.everything:
        statement = statement.where(sa.or_(sa.not_(teams.c.is_private), teams.c.id.in_(sorted(sight.team_ids))))
    return [team_of(row) for row in (await connection.execute(statement)).mappings()]


async def teams_by_ids(connection: AsyncConnection, ids: Sequence[UUID]) -> list[Team | None]:
    """Teams in the order of their ids, whoever asks: only for what the caller may see in any case."""
    statement = sa.select(*_TEAM).where(teams.c.id.in_(list(ids)))
    found = {row["id"]: team_of(row) for row in (await connection.execute(statement)).mappings()}
    return [found.get(team_id) for team_id in ids]


async def members_of(connection: AsyncConnection, team_ids: Sequence[UUID]) -> dict[UUID, list[tuple[Role, User]]]:
    """The members of teams with their role there, by the time they joined."""
    statement = (
        sa.select(memberships.c.team_id, memberships.c.role.label("team_role"), *_USER)
        .join(users, users.c.id == memberships.c.user_id)
        .where(memberships.c.team_id.in_(list(team_ids)))
        .order_by(memberships.c.created_at, users.c.id)
    )
    found: dict[UUID, list[tuple[Role, User]]] = {team_id: [] for team_id in team_ids}
    for row in (await connection.execute(statement)).mappings():
        # Two columns are called team_id; the membership's is the first of the row.
        found[row[memberships.c.team_id]].append((Role(row["team_role"]), user_of(row)))
    return found


def user_of(row: RowMapping) -> User:
    """The person a row tells of."""
    return User(
        id=row[users.c.id],
        email=row[users.c.email],
        password_hash=row[users.c.password_hash],
        first_name=row[users.c.first_name],
        last_name=row[users.c.last_name],
        role=Role(row[users.c.role]),
        team_id=row[users.c.team_id],
        created_at=row[users.c.created_at],
        last_login=row[users.c.last_login],
        is_active=row[users.c.is_active],
        version=row[users.c.version],
        email_verified_at=row[users.c.email_verified_at],
    )


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
    )
