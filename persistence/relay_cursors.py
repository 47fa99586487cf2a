"""Where in the log is each consumer? A row a consumer, moved only by the holder of the newest lease."""

import asyncpg

from domain.alerts.cursor import Cursor
from domain.alerts.events import LogPosition
from persistence.direct import DirectConnection
from persistence.leases import Lease, LeaseLost

# Consumers whose places others ask for: who searches, and who looks at the numbers of a minute.
SEARCH_CONSUMER, METRICS_CONSUMER = "search", "metrics"
# The row is locked by this statement: what an earlier holder was just committing is either in what it returns, or
# finds the newer token and fails.
_CLAIM = """
INSERT INTO relay_cursors AS place (consumer, epoch, xid, seq, recorded_at, token, updated_at)
VALUES ($1, $2, $3::xid8, $4, $5, $6, clock_timestamp())
ON CONFLICT (consumer) DO UPDATE SET token = excluded.token, epoch = excluded.epoch
 WHERE place.token <= excluded.token
RETURNING epoch, xid, seq, recorded_at
"""
# Waits for no disk: a crash that forgets a move forgets what was added with it, and the run is given again.
_MOVE = """
UPDATE relay_cursors
   SET epoch = $2, xid = $3::xid8, seq = $4, recorded_at = $5, updated_at = clock_timestamp()
 WHERE consumer = $1 AND token = $6
RETURNING consumer, set_config('synchronous_commit', 'off', true)
"""


class RelayCursors:
    """The consumers' places."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def claim(self, consumer: str, lease: Lease, *, start: Cursor) -> Cursor:
        """Take over the consumer's place; `start` is used for one that never ran.

        A restored database keeps its places (they were saved with the log); they only get the log's new epoch.
        Raises LeaseLost when a newer holder was here.
        """
        row = await self._pool.fetchrow(_CLAIM, consumer, *_columns(start), lease.token)
        if row is None:
            raise LeaseLost(lease.name, lease.token)
        return Cursor(epoch=row["epoch"], position=LogPosition(row["xid"], row["seq"]), recorded_at=row["recorded_at"])

    @staticmethod
    async def move(connection: DirectConnection, consumer: str, lease: Lease, *, to: Cursor) -> None:
        """Move the place within the connection's transaction. Raises LeaseLost when it is no longer ours to move."""
        if await connection.fetchval(_MOVE, consumer, *_columns(to), lease.token) is None:
            raise LeaseLost(lease.name, lease.token)


def _columns(cursor: Cursor) -> tuple[object, ...]:
    return cursor.epoch, cursor.position.xid, cursor.position.seq, cursor.recorded_at
