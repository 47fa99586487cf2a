"""Where are people's links kept? One row for a person and a purpose, found by the digest of what was mailed."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.identity.one_time import OneTimeToken, Purpose
from persistence.sealing import sealer_of
from persistence.tables import one_time_tokens

NEW_ADDRESS = "one_time_tokens.new_address"
_TABLE = one_time_tokens


class OneTimeTokenRepository:
    """Links, inside one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def issued(self, user_id: UUID, purpose: Purpose) -> OneTimeToken | None:
        """The person's link for this purpose, be it too old."""
        statement = sa.select(_TABLE).where(_TABLE.c.user_id == user_id, _TABLE.c.purpose == purpose.value)
        return self._one((await self._connection.execute(statement)).mappings().one_or_none())

    async def put(self, token: OneTimeToken) -> None:
        """Keep it, in the place of an older one."""
        values = {
            "user_id": token.user_id,
            "purpose": token.purpose.value,
            "digest": token.digest,
            "new_address": None,
            "issued_at": token.issued_at,
            "expires_at": token.expires_at,
            "issues": token.issues,
        }
        if token.new_address is not None:
            sealer = sealer_of(self._connection)
            values["new_address"] = sealer.seal(token.new_address, column=NEW_ADDRESS, row=token.user_id)
        statement = insert(_TABLE).values(values)
        changed = {name: statement.excluded[name] for name in values if name not in {"user_id", "purpose"}}
        await self._connection.execute(
            statement.on_conflict_do_update(index_elements=["user_id", "purpose"], set_=changed)
        )

    async def find(self, digest: bytes, *, now: datetime) -> OneTimeToken | None:
        """The link with this digest that still works."""
        statement = sa.select(_TABLE).where(_TABLE.c.digest == digest, _TABLE.c.expires_at > now)
        return self._one((await self._connection.execute(statement)).mappings().one_or_none())

    async def use(self, digest: bytes, *, now: datetime) -> OneTimeToken | None:
        """The same, and it works no more. The second of two at once waits for the row, and finds it gone."""
        statement = sa.delete(_TABLE).where(_TABLE.c.digest == digest, _TABLE.c.expires_at > now).returning(*_TABLE.c)
        return self._one((await self._connection.execute(statement)).mappings().one_or_none())

    async def void(self, user_id: UUID) -> None:
        """End all links of a person."""
        await self._connection.execute(sa.delete(_TABLE).where(_TABLE.c.user_id == user_id))

    def _one(self, row: sa.RowMapping | None) -> OneTimeToken | None:
        if row is None:
            return None
        sealed = row["new_address"]
        address = None
        if sealed is not None:
            address = sealer_of(self._connection).unseal(sealed, column=NEW_ADDRESS, row=row["user_id"])
        return OneTimeToken(
            user_id=row["user_id"],
            purpose=Purpose(row["purpose"]),
            digest=row["digest"],
            issued_at=row["issued_at"],
            expires_at=row["expires_at"],
            issues=row["issues"],
            new_address=address,
        )
