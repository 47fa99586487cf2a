"""Where are passkeys and begun proofs kept? Public keys with their counts of use; challenges, which live minutes."""

import dataclasses
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.identity.challenges import Challenge, Purpose
from domain.identity.factors import Passkey
from domain.identity.proofs import Method
from persistence.tables import identity_challenges, passkeys

# Challenges past their time that leave with each new one: more than come, so that they never pile up.
MOST_REMOVED = 100


class PasskeyRepository:
    """Implements domain.identity.factor_ports.PasskeyStore, inside one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, passkey: Passkey) -> bool:
        """Write one; False when its credential is registered already, by whomever."""
        values = {**dataclasses.asdict(passkey), "transports": list(passkey.transports)}
        statement = insert(passkeys).values(values).on_conflict_do_nothing(index_elements=["credential_id"])
        return (await self._connection.execute(statement)).rowcount == 1

    async def of(self, user_id: UUID) -> list[Passkey]:
        """The person's, by the time they were added."""
        return await passkeys_of(self._connection, user_id)

    async def by_credential(self, credential_id: bytes) -> Passkey | None:
        """The one a device names."""
        statement = sa.select(passkeys).where(passkeys.c.credential_id == credential_id)
        row = (await self._connection.execute(statement)).mappings().one_or_none()
        return None if row is None else _passkey_of(row)

    async def used(self, passkey_id: UUID, *, sign_count: int, now: datetime) -> bool:
        """Note a use. False when the count did not grow; a device that does not count says 0 for ever."""
        table = passkeys
        grew = sa.or_(table.c.sign_count < sign_count, sa.and_(table.c.sign_count == 0, sa.literal(sign_count) == 0))
        statement = sa.update(table).where(table.c.id == passkey_id, grew)
        done = await self._connection.execute(statement.values(sign_count=sign_count, last_used_at=now))
        return done.rowcount == 1

    async def rename(self, passkey_id: UUID, *, user_id: UUID, name: str) -> bool:
        """Give one of the person's another name; False when it is not there."""
        statement = sa.update(passkeys).where(_is(passkey_id, user_id)).values(name=name)
        return (await self._connection.execute(statement)).rowcount == 1

    async def remove(self, passkey_id: UUID, *, user_id: UUID) -> bool:
        """Remove one of the person's; False when it is not there."""
        return (await self._connection.execute(sa.delete(passkeys).where(_is(passkey_id, user_id)))).rowcount == 1

    async def remove_all(self, user_id: UUID) -> None:
        """Remove the person's."""
        await self._connection.execute(sa.delete(passkeys).where(passkeys.c.user_id == user_id))


async def passkeys_of(connection: AsyncConnection, user_id: UUID) -> list[Passkey]:
    """A person's passkeys, by the time they were added."""
    statement = sa.select(passkeys).where(passkeys.c.user_id == user_id).order_by(passkeys.c.id)
    return [_passkey_of(row) for row in (await connection.execute(statement)).mappings()]


class ChallengeRepository:
    """Implements domain.identity.factor_ports.ChallengeStore, inside one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, challenge: Challenge) -> None:
        """Write one; some that are past their time leave. Those another is removing are left to it."""
        table = identity_challenges
        over = (
            sa.select(table.c.id)
            .where(table.c.expires_at <= challenge.created_at)
            .limit(MOST_REMOVED)
            .with_for_update(skip_locked=True)
        )
        await self._connection.execute(sa.delete(table).where(table.c.id.in_(over)))
        values: dict[str, Any] = {
            **dataclasses.asdict(challenge),
            "purpose": challenge.purpose.value,
            "proved": [method.value for method in challenge.proved],
        }
        await self._connection.execute(sa.insert(table).values(values))

    async def attempt(self, challenge_id: UUID) -> Challenge | None:
        """Count an answer, and show the challenge as it is now; None when it is gone."""
        table = identity_challenges
        statement = sa.update(table).where(table.c.id == challenge_id).values(attempts=table.c.attempts + 1)
        row = (await self._connection.execute(statement.returning(*table.c))).mappings().one_or_none()
        return None if row is None else _challenge_of(row)

    async def take(self, challenge_id: UUID) -> Challenge | None:
        """Use it up: of two at once, one gets it."""
        table = identity_challenges
        statement = sa.delete(table).where(table.c.id == challenge_id).returning(*table.c)
        row = (await self._connection.execute(statement)).mappings().one_or_none()
        return None if row is None else _challenge_of(row)

    async def forget_person(self, user_id: UUID) -> None:
        """End all proofs a person has begun: what was proved before a new password counts no more."""
        await self._connection.execute(sa.delete(identity_challenges).where(identity_challenges.c.user_id == user_id))


def _is(passkey_id: UUID, user_id: UUID) -> sa.ColumnElement[bool]:
    return sa.and_(passkeys.c.id == passkey_id, passkeys.c.user_id == user_id)


def _passkey_of(row: RowMapping) -> Passkey:
    return Passkey(**{**row, "transports": tuple(row["transports"])})


def _challenge_of(row: RowMapping) -> Challenge:
    values = {**row, "purpose": Purpose(row["purpose"]), "proved": tuple(Method(name) for name in row["proved"])}
    return Challenge(**values)
