"""How do pings become durable? All that wait go into one statement, and each is answered after its COMMIT.

So a thousand jobs that ping at the full hour cost a few transactions, and an unknown key costs a place in one.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncEngine

MAX_WAITING = 10_000
# Of keys that nobody vouches for yet: whoever makes keys up by the thousand leaves room for the pings of real jobs.
MAX_UNKNOWN = MAX_WAITING // 2
MAX_BATCH = 1_000
# The rows are locked in one order, for another process writes pings of the same heartbeats. A ping that comes late
# moves nothing back.
_PING = sa.text("""
WITH said AS (SELECT * FROM unnest(:digests, :moments, :sources, :counts) AS s(digest, at, source, pings)),
mine AS (SELECT h.id FROM heartbeats h JOIN said ON said.digest = h.key_digest
          WHERE h.archived_at IS NULL ORDER BY h.id FOR UPDATE OF h)
UPDATE heartbeats h
   SET last_ping_at = greatest(h.last_ping_at, said.at), ping_count = h.ping_count + said.pings,
       due_at = greatest(h.last_ping_at, said.at) + h.period + h.grace,
       last_ping_from = CASE WHEN h.last_ping_at >= said.at THEN h.last_ping_from ELSE said.source END
  FROM mine, said WHERE h.id = mine.id AND said.digest = h.key_digest
RETURNING h.key_digest
""").bindparams(
    sa.bindparam("digests", type_=pg.ARRAY(pg.BYTEA)),
    sa.bindparam("moments", type_=pg.ARRAY(sa.DateTime(timezone=True))),
    sa.bindparam("sources", type_=pg.ARRAY(sa.Text)),
    sa.bindparam("counts", type_=pg.ARRAY(sa.BigInteger)),
)


class PingsFull(Exception):
    """As many pings wait as may."""


@dataclass(slots=True)
class _Waiting:
    """The pings of one key that wait: the last of them, and how many they are."""

    at: datetime
    source: str | None
    answer: asyncio.Future[bool]
    count: int = 1


@dataclass(slots=True)
class PingQueue:
    """The pings of one process."""

    engine: AsyncEngine
    _waiting: dict[bytes, _Waiting] = field(default_factory=dict)
    _flushing: asyncio.Task[None] | None = None

    async def ping(self, digest: bytes, *, source: str | None, now: datetime, is_known: bool = False) -> bool:
        """Count a ping; True after COMMIT, False when no heartbeat has the key. `is_known`: it had one before.

        Raises PingsFull, and what the store raises: then nothing was written.
        """
        waiting = self._waiting.get(digest)
        if waiting is not None:
            waiting.at, waiting.source, waiting.count = now, source, waiting.count + 1
        elif len(self._waiting) >= (MAX_WAITING if is_known else MAX_UNKNOWN):
            raise PingsFull
        else:
            waiting = _Waiting(now, source, asyncio.get_running_loop().create_future())
            # Whoever waited may have gone away by the time it fails.
            waiting.answer.add_done_callback(lambda answer: answer.cancelled() or answer.exception())
            self._waiting[digest] = waiting
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._flush())
        return await asyncio.shield(waiting.answer)

    async def _flush(self) -> None:
        while self._waiting:
            batch = {digest: self._waiting.pop(digest) for digest in list(self._waiting)[:MAX_BATCH]}
            try:
                known = await self._write(batch)
            except Exception as error:  # noqa: BLE001 - each who waits is told
                for waiting in batch.values():
                    waiting.answer.set_exception(error)
                continue
            for digest, waiting in batch.items():
                waiting.answer.set_result(digest in known)

    async def _write(self, batch: Mapping[bytes, _Waiting]) -> set[bytes]:
        async with self.engine.begin() as connection:
            found = await connection.scalars(
                _PING,
                {
                    "digests": list(batch),
                    "moments": [waiting.at for waiting in batch.values()],
                    "sources": [waiting.source for waiting in batch.values()],
                    "counts": [waiting.count for waiting in batch.values()],
                },
            )
            return set(found)
