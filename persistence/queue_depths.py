"""How much is due and waits, and since when? Of steps, of notifications and of each outbox."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class Depth:
    """One queue: how much is due, and since when the first of it."""

    queue: str
    waiting: int
    oldest: datetime | None


_DEPTHS = sa.text("""
SELECT 'steps' AS queue, count(*) AS waiting, min(next_at) AS oldest FROM escalations
 WHERE state = 'running' AND next_at <= :now
UNION ALL
SELECT 'people', count(*), min(coalesce(next_attempt_at, created_at)) FROM notifications
 WHERE user_id IS NOT NULL AND state IN ('queued', 'held') AND (next_attempt_at IS NULL OR next_attempt_at <= :now)
UNION ALL
SELECT 'channels', count(*), min(next_attempt_at) FROM notifications
 WHERE channel_id IS NOT NULL AND state = 'queued' AND next_attempt_at <= :now
UNION ALL
SELECT 'mail', count(*), min(next_attempt_at) FROM outgoing_mail
 WHERE sent_at IS NULL AND failed_at IS NULL AND next_attempt_at <= :now
UNION ALL
SELECT 'texts', count(*), min(next_attempt_at) FROM text_messages
 WHERE sent_at IS NULL AND failed_at IS NULL AND next_attempt_at <= :now
""").bindparams(sa.bindparam("now", type_=sa.DateTime(timezone=True)))


async def queue_depths(connection: AsyncConnection, *, now: datetime) -> list[Depth]:
    """All of them, each by its own index."""
    return [Depth(*row) for row in await connection.execute(_DEPTHS, {"now": now})]
