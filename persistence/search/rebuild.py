"""How is the index built anew? Beside the old one, from PostgreSQL, while the relay's consumer goes on writing.

First the log's place is noted, then every alert is read, then the alias is switched; from here on the consumer writes
to the new index. What it wrote to the old one meanwhile is in the log between the noted place and the present one, so
those alerts are written once more. Numbers of the documents make it all harmless to repeat.
"""

import secrets
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import asyncpg
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.alerts.cursor import Cursor
from domain.alerts.model import Alert
from persistence.alerts import ALERT_COLUMNS, alert_of
from persistence.event_log import LogReader
from persistence.search.index import AlertIndex
from persistence.search.reading import read_piece
from persistence.tables import alerts

if TYPE_CHECKING:
    from uuid import UUID

BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a rebuild is. `total` is what the table held at its begin."""

    written: int
    refused: int
    total: int
    seconds: float


async def rebuild(
    engine: AsyncEngine, pool: asyncpg.Pool, index: AlertIndex, *, tell: Callable[[Progress], None] = lambda _: None
) -> Progress:
    """Build a new index and put it behind the alias."""
    reader = LogReader(pool)
    place = (await reader.state()).head
    name = f"{index.alias}-{time.time_ns() // 1_000_000}-{secrets.token_hex(2)}"
    started, written, refused = time.monotonic(), 0, 0
    async with engine.connect() as connection:
        total = await connection.scalar(sa.select(sa.func.count()).select_from(alerts)) or 0
    await index.create(name)
    try:
        async for batch in _batches(engine):
            refused += await index.write(batch, into=name)
            written += len(batch)
            tell(Progress(written=written, refused=refused, total=total, seconds=time.monotonic() - started))
        await index.switch(name)
    except BaseException:
        await index.drop(name)
        raise
    refused += await _write_again(pool, reader, index, since=place)
    done = Progress(written=written, refused=refused, total=total, seconds=time.monotonic() - started)
    tell(done)
    return done


async def _batches(engine: AsyncEngine) -> AsyncIterator[list[Alert]]:
    """All alerts by id, each batch by a statement of its own: a long one would hold up the log's readers."""
    last: UUID | None = None
    while True:
        statement = sa.select(*ALERT_COLUMNS).order_by(alerts.c.id).limit(BATCH)
        if last is not None:
            statement = statement.where(alerts.c.id > last)
        async with engine.connect() as connection:
            rows = [alert_of(row) for row in (await connection.execute(statement)).mappings()]
        if not rows:
            return
        yield rows
        last = rows[-1].id


async def _write_again(pool: asyncpg.Pool, reader: LogReader, index: AlertIndex, *, since: Cursor) -> int:
    """What changed between the noted place and now may be in the old index alone."""
    end = (await reader.state()).head.position
    place, refused = since, 0
    while place.position < end:
        reached, _ = await reader.reach(place, limit=BATCH)
        if reached is None:
            break
        refused += await index.write(await read_piece(pool, before=place, end=reached))
        place = reached
    return refused
