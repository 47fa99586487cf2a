"""Where are accounts at other providers kept? Rows of `identities`; and what makes a sign-in through them count once.

What has expired is taken away with the next of its kind: there is never more of it than minutes' worth.
"""

import dataclasses
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.identity.identities import HandOver, Identity
from persistence.tables import federation_codes, federation_flows, identities, users

_IDENTITY = tuple(identities.c[field.name] for field in dataclasses.fields(Identity))
_CODE = tuple(federation_codes.c[field.name] for field in dataclasses.fields(HandOver))


class IdentityRepository:
    """Accounts at providers, inside one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def by_subject(self, provider: str, subject: str) -> Identity | None:
        """The account of this subject."""
        statement = sa.select(*_IDENTITY).where(identities.c.provider == provider, identities.c.subject == subject)
        row = (await self._connection.execute(statement)).mappings().one_or_none()
        return None if row is None else Identity(**row)

    async def of_user(self, user_id: UUID, *, lock: bool = False) -> Sequence[Identity]:
        """A person's accounts. `lock` holds up a second change of them until the transaction ends."""
        if lock:  # the person, not the rows: two that each leave the other one would leave none
            await self._connection.execute(sa.select(users.c.id).where(users.c.id == user_id).with_for_update())
        return (await identities_of(self._connection, [user_id]))[user_id]

    async def add(self, identity: Identity) -> bool:
        """Write a new account; False when it is linked already."""
        statement = insert(identities).values(dataclasses.asdict(identity)).on_conflict_do_nothing()
        return (await self._connection.execute(statement)).rowcount == 1

    async def used(self, identity_id: UUID, *, now: datetime) -> None:
        """Note that it was used."""
        statement = sa.update(identities).where(identities.c.id == identity_id).values(last_used_at=now)
        await self._connection.execute(statement)

    async def remove(self, identity_id: UUID) -> None:
        """Unlink it."""
        await self._connection.execute(sa.delete(identities).where(identities.c.id == identity_id))

    async def is_address_proved(self, user_id: UUID) -> bool:
        """Whether the person proved here that the address is theirs."""
        statement = sa.select(sa.exists().where(users.c.id == user_id, users.c.email_verified_at.is_not(None)))
        return bool(await self._connection.scalar(statement))

    async def address_is_proved(self, user_id: UUID, *, now: datetime) -> None:
        """Note that a provider proved it."""
        await self._connection.execute(sa.update(users).where(users.c.id == user_id).values(email_verified_at=now))

    async def spend_flow(self, flow_id: UUID, *, expires_at: datetime, now: datetime) -> bool:
        """Whether a sign-in at a provider comes back for the first time."""
        await self._connection.execute(sa.delete(federation_flows).where(federation_flows.c.expires_at < now))
        statement = insert(federation_flows).values(id=flow_id, expires_at=expires_at).on_conflict_do_nothing()
        return (await self._connection.execute(statement)).rowcount == 1

    async def hand_over(self, code: HandOver, *, now: datetime) -> None:
        """Keep a code."""
        await self._connection.execute(sa.delete(federation_codes).where(federation_codes.c.expires_at < now))
        await self._connection.execute(insert(federation_codes).values(dataclasses.asdict(code)))

    async def take_over(self, digest: bytes, *, now: datetime) -> HandOver | None:
        """The hand-over of a code, once."""
        statement = sa.delete(federation_codes).where(federation_codes.c.digest == digest).returning(*_CODE)
        row = (await self._connection.execute(statement)).mappings().one_or_none()
        return None if row is None or row["expires_at"] <= now else HandOver(**row)


async def identities_of(connection: AsyncConnection, user_ids: Sequence[UUID]) -> dict[UUID, list[Identity]]:
    """People's accounts at providers, the first linked first."""
    statement = sa.select(*_IDENTITY).where(identities.c.user_id.in_(list(user_ids))).order_by(identities.c.id)
    found: dict[UUID, list[Identity]] = {user_id: [] for user_id in user_ids}
    for row in (await connection.execute(statement)).mappings():
        found[row["user_id"]].append(Identity(**row))
    return found
