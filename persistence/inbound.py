"""Was this signed call taken before? One row for each, written with what it changed: so it counts once."""

import hashlib
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from persistence.tables import inbound_calls


async def is_first(connection: AsyncConnection, source: str, name: bytes, *, now: datetime) -> bool:
    """Whether nobody took it yet: then it is ours, when this transaction commits. Of two at once the second waits."""
    statement = insert(inbound_calls).values(source=source, digest=_digest(name), received_at=now)
    return (await connection.execute(statement.on_conflict_do_nothing())).rowcount == 1


async def count_since(connection: AsyncConnection, source: str, since: datetime) -> int:
    """How many were taken from a source since then."""
    table = inbound_calls
    counted = sa.select(sa.func.count()).where(table.c.source == source, table.c.received_at > since)
    return int(await connection.scalar(counted) or 0)


async def was_taken(connection: AsyncConnection, source: str, name: bytes) -> bool:
    """Whether it was taken by a transaction that is committed."""
    taken = sa.exists().where(inbound_calls.c.source == source, inbound_calls.c.digest == _digest(name))
    return bool(await connection.scalar(sa.select(taken)))


def _digest(name: bytes) -> bytes:
    return hashlib.sha256(name).digest()
