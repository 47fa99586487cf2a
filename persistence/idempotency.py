"""What happens when a client sends a creating mutation twice? The second gets what the first made, for 24 hours.

The key is claimed in the transaction that creates, so there is never a key without its thing. Of two at once the
second waits for the first's commit, then finds its result. Writers of alerts take their locks before they claim:
`(xid, seq)` is the order of changes only if no write precedes the locks.
"""

import hmac
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.errors import IdempotencyConflict, InvalidInput
from persistence.tables import idempotency_keys

LIFETIME = timedelta(hours=24)
MAX_KEY = 200


class IdempotencyKeys:
    """Keys, inside one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def claim(
        self, *, actor_id: UUID, mutation: str, key: str, input_digest: bytes, now: datetime
    ) -> dict[str, Any] | None:
        """None when the key is ours now: create, then `settle`. Otherwise what the first use of it made.

        IdempotencyConflict when the key was used for another input.
        """
        if not 1 <= len(key) <= MAX_KEY:
            message = f"an idempotency key has 1 to {MAX_KEY} characters"
            raise InvalidInput(message, ("idempotencyKey",))
        table = idempotency_keys
        attempt = insert(table).values(
            actor_id=actor_id, mutation=mutation, key=key, input_digest=input_digest, result={}, created_at=now
        )
        ours = attempt.on_conflict_do_update(
            index_elements=["actor_id", "mutation", "key"],
            set_={"input_digest": attempt.excluded.input_digest, "result": {}, "created_at": now},
            where=table.c.created_at <= now - LIFETIME,
        ).returning(sa.true())
        if (await self._connection.execute(ours)).first() is not None:
            return None
        kept = (await self._connection.execute(sa.select(table).where(_is(actor_id, mutation, key)))).one()
        if not hmac.compare_digest(kept.input_digest, input_digest):
            message = "this idempotency key was used within 24 hours for another input"
            raise IdempotencyConflict(message, ("idempotencyKey",), first_used_at=kept.created_at)
        result: dict[str, Any] = kept.result
        return result

    async def settle(self, *, actor_id: UUID, mutation: str, key: str, result: dict[str, Any]) -> None:
        """Keep what was made: ids, never a secret."""
        statement = sa.update(idempotency_keys).where(_is(actor_id, mutation, key)).values(result=result)
        await self._connection.execute(statement)


def _is(actor_id: UUID, mutation: str, key: str) -> sa.ColumnElement[bool]:
    table = idempotency_keys
    return sa.and_(table.c.actor_id == actor_id, table.c.mutation == mutation, table.c.key == key)
