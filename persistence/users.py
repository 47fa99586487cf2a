"""Where are people kept? Rows of `users` and `memberships`, and the objects made of them.

An address is unique by a keyed HMAC of its normalised form, so that it can be erased and leave no index behind. The
address and the names are sealed under the person's own key: whoever reads people joins the keys (`select_people`) and
makes them with `user_of`, and there is no other way to a name. Who is erased has no key, and is shown as erased.
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
from domain.errors import NotFound
from domain.identity.model import Membership, Role, Team, User
from domain.teams.events import member_event
from persistence.locks import ADMINISTRATORS_LOCK
from persistence.person_keys import PersonKey, Vault, vault_of
from persistence.reads.teams import team_of
from persistence.seal_people import key_to_write
from persistence.tables import memberships, person_keys, teams, users
from persistence.team_events import TeamLog
from persistence.unless_taken import write_unless_taken

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
    users.c.erased_at,
    person_keys.c.wrapped,
)
_PEOPLE = users.outerjoin(person_keys, person_keys.c.user_id == users.c.id)
_IS_THERE = users.c.erased_at.is_(None)
EMAIL, FIRST_NAME, LAST_NAME = "users.email", "users.first_name", "users.last_name"


def select_people(*more: sa.ColumnElement[Any], source: sa.FromClause = _PEOPLE) -> sa.Select[Any]:
    """People with their keys, in one statement: rows for `user_of`. `source` is what `more` is read from as well."""
    return sa.select(*_USER, *more).select_from(source)


class UserRepository:
    """People and the teams they are in, inside one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def by_email(self, email_digest: bytes, *older: bytes) -> User | None:
        """The person with this address; `older` are its digests under former keys."""
        return await self._one(select_people().where(users.c.email_digest.in_([email_digest, *older])))

    async def by_id(self, user_id: UUID) -> User | None:
        """The person with this id; None for one who is erased."""
        return await self._one(select_people().where(users.c.id == user_id, _IS_THERE))

    async def _one(self, statement: sa.Select[Any]) -> User | None:
        row = (await self._connection.execute(statement)).mappings().one_or_none()
        return None if row is None else user_of(row, vault_of(self._connection))

    async def locked(self, user_id: UUID) -> User | None:
        """The person with this id, locked until the transaction ends; None for one who is erased."""
        # Not FOR UPDATE: what only refers to the person (a session, a mail) may be written meanwhile.
        statement = select_people().where(users.c.id == user_id, _IS_THERE)
        return await self._one(statement.with_for_update(key_share=True, of=users))

    async def save(self, user: User, *, email_digest: bytes | None = None) -> bool:
        """Write what changed of a locked person; with a digest when the address is another. False when it is taken."""
        key = await key_to_write(self._connection, user.id)
        if key is None:
            message = "no such person"
            raise NotFound(message)
        values = {
            **_sealed(user, key),
            "password_hash": user.password_hash,
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
        # Of two who take one address at once the second gets a refusal, and its transaction stays.
        return await write_unless_taken(
            self._connection, statement.values(email_digest=email_digest), unique="uq_users_email_digest"
        )

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
        key, wrapped = vault_of(self._connection).make(user.id)
        values = {
            "id": user.id,
            **_sealed(user, key),
            "email_digest": email_digest,
            "password_hash": user.password_hash,
            "role": user.role.value,
            "team_id": user.team_id,
            "created_at": user.created_at,
            "is_active": user.is_active,
            "version": user.version,
            "email_verified_at": user.email_verified_at,
        }
        statement = insert(users).values(values).on_conflict_do_nothing(index_elements=["email_digest"])
        if (await self._connection.execute(statement)).rowcount != 1:
            return False
        await self._connection.execute(insert(person_keys).values(user_id=user.id, wrapped=wrapped))
        return True

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
            .where(users.c.id == user.id, _IS_THERE)
            .values(last_login=user.last_login, password_hash=user.password_hash)
        )

    async def team_by_id(self, team_id: UUID) -> Team | None:
        """The team with this id, unless it is archived."""
        statement = sa.select(*teams.c).where(teams.c.id == team_id, teams.c.archived_at.is_(None))
        row = (await self._connection.execute(statement)).mappings().one_or_none()
        return None if row is None else team_of(row)

    async def is_member(self, team_id: UUID, user_id: UUID) -> bool:
        """Whether the person is a member of the team."""
        mine = sa.exists().where(memberships.c.team_id == team_id, memberships.c.user_id == user_id)
        return bool(await self._connection.scalar(sa.select(mine)))

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
    vault = vault_of(connection)
    statement = select_people().where(users.c.id.in_(list(ids)))
    found = {row["id"]: user_of(row, vault) for row in (await connection.execute(statement)).mappings()}
    return [found.get(user_id) for user_id in ids]


async def page_of_users(
    connection: AsyncConnection,
    *,
    limit: int,
    after: UUID | None,
    before: UUID | None,
    backward: bool,
    where: Sequence[sa.ColumnElement[bool]] = (),
) -> list[User]:
    """Up to `limit + 1` people from the first created on (ids are UUIDv7), in reverse when `backward`.

    Who is erased is among what was done, not among who there is.
    """
    statement = select_people().where(_IS_THERE, *where).limit(limit + 1)
    statement = statement.order_by(users.c.id.desc() if backward else users.c.id)
    if after is not None:
        statement = statement.where(users.c.id > after)
    if before is not None:
        statement = statement.where(users.c.id < before)
    vault = vault_of(connection)
    return [user_of(row, vault) for row in (await connection.execute(statement)).mappings()]


async def count_users(connection: AsyncConnection, *, where: Sequence[sa.ColumnElement[bool]] = ()) -> int:
    """How many people there are."""
    return int(await connection.scalar(sa.select(sa.func.count()).select_from(users).where(_IS_THERE, *where)) or 0)


async def members_of(connection: AsyncConnection, team_ids: Sequence[UUID]) -> dict[UUID, list[tuple[Role, User]]]:
    """The members of teams with their role there, by the time they joined."""
    statement = (
        sa.select(memberships.c.team_id, memberships.c.role.label("team_role"), *_USER)
        .select_from(_PEOPLE.join(memberships, memberships.c.user_id == users.c.id))
        .where(memberships.c.team_id.in_(list(team_ids)))
        .order_by(memberships.c.created_at, users.c.id)
    )
    found: dict[UUID, list[tuple[Role, User]]] = {team_id: [] for team_id in team_ids}
    vault = vault_of(connection)
    for row in (await connection.execute(statement)).mappings():
        # Two columns are called team_id; the membership's is the first of the row.
        found[row[memberships.c.team_id]].append((Role(row["team_role"]), user_of(row, vault)))
    return found


def _sealed(user: User, key: PersonKey) -> dict[str, bytes | None]:
    """The columns that are kept under the person's key."""
    return {
        "email": key.seal(user.email, column=EMAIL, row=user.id),
        "first_name": key.seal(user.first_name, column=FIRST_NAME, row=user.id),
        "last_name": key.seal(user.last_name, column=LAST_NAME, row=user.id),
    }


def user_of(row: RowMapping, vault: Vault) -> User:
    """The person a row tells of."""
    user_id, erased_at = row[users.c.id], row[users.c.erased_at]
    opener = vault.opener(user_id, row[person_keys.c.wrapped], is_erased=erased_at is not None)
    return User(
        id=user_id,
        email=opener.open(row[users.c.email], column=EMAIL, row=user_id) or "",
        password_hash=row[users.c.password_hash],
        first_name=opener.open(row[users.c.first_name], column=FIRST_NAME, row=user_id) or "",
        last_name=opener.open(row[users.c.last_name], column=LAST_NAME, row=user_id) or "",
        erased_at=erased_at,
        role=Role(row[users.c.role]),
        team_id=row[users.c.team_id],
        created_at=row[users.c.created_at],
        last_login=row[users.c.last_login],
        is_active=row[users.c.is_active],
        version=row[users.c.version],
        email_verified_at=row[users.c.email_verified_at],
    )
