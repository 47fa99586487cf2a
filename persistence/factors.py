"""Where are second factors kept? Sealed secrets, digests of recovery codes, guesses; and what a session proved.

What may be used once is used up by one conditional UPDATE: of two at once, one finds it done.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.identity.factors import Factors, Totp
from domain.identity.guessing import Guesses
from domain.identity.proofs import Method
from domain.ids import new_id
from persistence.tables import code_guesses, passkeys, recovery_codes, sessions, totp_secrets, users


def has_factor(user_id: sa.ColumnElement[UUID]) -> sa.ColumnElement[bool]:
    """Whether a person has a second factor that counts, as part of a larger statement."""
    app = sa.exists().where(totp_secrets.c.user_id == user_id, totp_secrets.c.confirmed_at.is_not(None))
    return sa.or_(app, sa.exists().where(passkeys.c.user_id == user_id))


class FactorRepository:
    """Implements domain.identity.factor_ports.FactorStore, inside one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def lock(self, user_id: UUID) -> None:
        """Wait for other changes of this person's factors. Rows that only refer to the person are not held up."""
        await self._connection.execute(
            sa.select(users.c.id).where(users.c.id == user_id).with_for_update(key_share=True)
        )

    async def of(self, user_id: UUID) -> Factors:
        """What the person has."""
        found = await factors_of(self._connection, [user_id])
        return found[user_id]

    async def totp(self, user_id: UUID) -> Totp | None:
        """The secret that counts."""
        return await self._totp(user_id, totp_secrets.c.confirmed_at.is_not(None))

    async def pending_totp(self, user_id: UUID) -> Totp | None:
        """The secret that waits for its first code."""
        return await self._totp(user_id, totp_secrets.c.confirmed_at.is_(None))

    async def _totp(self, user_id: UUID, which: sa.ColumnElement[bool]) -> Totp | None:
        statement = sa.select(totp_secrets).where(totp_secrets.c.user_id == user_id, which)
        row = (await self._connection.execute(statement)).mappings().one_or_none()
        return None if row is None else Totp(**row)

    async def begin_totp(self, totp: Totp) -> None:
        """Write a secret that waits, in place of one that waited."""
        table = totp_secrets
        await self._connection.execute(
            sa.delete(table).where(table.c.user_id == totp.user_id, table.c.confirmed_at.is_(None))
        )
        await self._connection.execute(
            sa.insert(table).values(
                id=totp.id, user_id=totp.user_id, sealed_secret=totp.sealed_secret, created_at=totp.created_at
            )
        )

    async def confirm_totp(self, totp: Totp) -> None:
        """Let a secret count, in place of the one that did."""
        table = totp_secrets
        await self._connection.execute(
            sa.delete(table).where(table.c.user_id == totp.user_id, table.c.confirmed_at.is_not(None))
        )
        await self._connection.execute(
            sa.update(table)
            .where(table.c.id == totp.id)
            .values(confirmed_at=totp.confirmed_at, last_step=totp.last_step)
        )

    async def use_step(self, totp_id: UUID, step: int) -> bool:
        """Note that a code of this step was taken; False when it or a later one was taken already."""
        table = totp_secrets
        statement = (
            sa.update(table)
            .where(table.c.id == totp_id, sa.func.coalesce(table.c.last_step, -1) < step)
            .values(last_step=step)
        )
        return (await self._connection.execute(statement)).rowcount == 1

    async def remove_totp(self, user_id: UUID) -> None:
        """Remove the person's secrets."""
        await self._connection.execute(sa.delete(totp_secrets).where(totp_secrets.c.user_id == user_id))

    async def put_recovery_codes(self, user_id: UUID, digests: Sequence[bytes], now: datetime) -> None:
        """Keep these in place of those there were."""
        await self.remove_recovery_codes(user_id)
        rows = [{"id": new_id(), "user_id": user_id, "digest": digest, "created_at": now} for digest in digests]
        await self._connection.execute(sa.insert(recovery_codes), rows)

    async def use_recovery_code(self, user_id: UUID, digests: Sequence[bytes], now: datetime) -> bool:
        """Use up the code one of these is the digest of; False when there is none, or it is used."""
        table = recovery_codes
        statement = (
            sa.update(table)
            .where(table.c.user_id == user_id, table.c.digest.in_(list(digests)), table.c.used_at.is_(None))
            .values(used_at=now)
        )
        return (await self._connection.execute(statement)).rowcount == 1

    async def remove_recovery_codes(self, user_id: UUID) -> None:
        """Remove the person's codes."""
        await self._connection.execute(sa.delete(recovery_codes).where(recovery_codes.c.user_id == user_id))

    async def guesses(self, user_id: UUID) -> Guesses:
        """The person's guesses, locked until the transaction ends."""
        table = code_guesses
        await self._connection.execute(insert(table).values(user_id=user_id).on_conflict_do_nothing())
        statement = sa.select(table.c.failures, table.c.blocked_until).where(table.c.user_id == user_id)
        row = (await self._connection.execute(statement.with_for_update())).one()
        return Guesses(row.failures, row.blocked_until)

    async def save_guesses(self, user_id: UUID, guesses: Guesses) -> None:
        """Write them."""
        await self._connection.execute(
            sa.update(code_guesses)
            .where(code_guesses.c.user_id == user_id)
            .values(failures=guesses.failures, blocked_until=guesses.blocked_until)
        )

    async def proved(self, session_id: UUID, methods: Sequence[Method], now: datetime) -> None:
        """Note that a session proved this, now, besides what it proved before."""
        added = sa.cast([method.value for method in methods], pg.ARRAY(sa.Text))
        both = sa.func.unnest(sessions.c.proved_by.op("||")(added)).column_valued("method")
        distinct = sa.select(sa.func.array_agg(sa.distinct(both))).scalar_subquery()
        await self._connection.execute(
            sa.update(sessions).where(sessions.c.id == session_id).values(proved_at=now, proved_by=distinct)
        )


async def factors_of(connection: AsyncConnection, user_ids: Sequence[UUID]) -> dict[UUID, Factors]:
    """What these people have, by person."""
    app = sa.exists().where(totp_secrets.c.user_id == users.c.id, totp_secrets.c.confirmed_at.is_not(None))
    keys = sa.select(sa.func.count()).where(passkeys.c.user_id == users.c.id).scalar_subquery()
    codes = (
        sa.select(sa.func.count())
        .where(recovery_codes.c.user_id == users.c.id, recovery_codes.c.used_at.is_(None))
        .scalar_subquery()
    )
    statement = sa.select(users.c.id, app.label("app"), keys.label("keys"), codes.label("codes")).where(
        users.c.id.in_(list(user_ids))
    )
    found = {user_id: Factors() for user_id in user_ids}
    for row in await connection.execute(statement):
        found[row.id] = Factors(has_totp=row.app, passkeys=row[2], recovery_codes_left=row.codes)
    return found
