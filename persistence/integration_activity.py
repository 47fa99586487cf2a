"""When did each integration last post? Noted in memory at every post, written at most once in ten seconds each."""

import asyncio
from datetime import datetime
from uuid import UUID

import asyncpg
import structlog

log = structlog.get_logger(__name__)

FLUSH_SECONDS = 10.0
# Several processes may have seen the same integration: the latest time stays. Sorted, so that two of them never wait
# for each other's rows in opposite order.
_WRITE = """
INSERT INTO integration_activity (integration_id, last_seen_at)
SELECT * FROM unnest($1::uuid[], $2::timestamptz[]) AS seen(id, at) ORDER BY id
ON CONFLICT (integration_id) DO UPDATE SET last_seen_at = excluded.last_seen_at
 WHERE integration_activity.last_seen_at < excluded.last_seen_at
"""


class IntegrationActivity:
    """What was seen since the last write. The hot path only sets an element of `seen`."""

    seen: dict[UUID, datetime]

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self.seen = {}

    async def flush_for_ever(self) -> None:
        """Write what was seen, every ten seconds."""
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            await self.flush()

    async def flush(self) -> None:
        """Write what was seen. A database that is down costs the times of this interval, nothing else."""
        if not self.seen:
            return
        seen, self.seen = self.seen, {}
        try:
            async with self._pool.acquire(timeout=1) as connection:
                await connection.execute(_WRITE, list(seen), list(seen.values()))
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            log.warning("the last-seen times could not be written", error=repr(error))
