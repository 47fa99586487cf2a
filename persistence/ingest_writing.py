"""How is what a batch made written? One statement for nearly all of it, and one each for what is rare."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from domain.alerts.ingest import Ingested, Item
from domain.alerts.problem import Problem
from domain.alerts.signal import RejectedItem
from domain.alerts.submission import Submission
from domain.correlation.placing import Placing
from domain.ids import new_id
from domain.inhibition.holding import Holding
from persistence.group_placing import write_placing
from persistence.ingest_rows import write_arguments
from persistence.ingest_sql import EARLY_RESOLVES_SQL, EARLY_RESOLVES_USED_SQL, REJECTED_SQL, WRITE_SQL
from persistence.inhibition import write_holding


@dataclass(frozen=True, slots=True)
class Batch:
    """What came in, and what was made of it."""

    submissions: Sequence[Submission]
    items: Sequence[Item]
    ingested: Ingested
    groups: Placing | None
    inhibiting: Holding | None


async def write_batch(connection: asyncpg.Connection, batch: Batch, *, now: datetime, max_rejected_bytes: int) -> None:
    """Write all of it, within the transaction that has locked the keys."""
    await connection.fetch(WRITE_SQL, *write_arguments(batch.submissions, batch.items, batch.ingested, now=now))
    await _write_early_resolves(connection, batch.ingested.problems, now)
    for item in batch.items:
        if isinstance(item.content, RejectedItem):
            await _write_rejected(connection, item, item.content, most=max_rejected_bytes)
    if batch.groups is not None and batch.groups.has_changes:
        await write_placing(connection, batch.groups, now=now)
    if batch.inhibiting is not None and batch.inhibiting.noted:
        await write_holding(connection, batch.inhibiting, now=now)


async def _write_early_resolves(connection: asyncpg.Connection, problems: Sequence[Problem], now: datetime) -> None:
    changed = [problem for problem in problems if problem.early_resolve_changed]
    waiting = [(p, p.early_resolve) for p in changed if p.early_resolve is not None]
    used = [problem for problem in changed if problem.early_resolve is None]
    if waiting:
        await connection.execute(
            EARLY_RESOLVES_SQL,
            [problem.integration_id for problem, _ in waiting],
            [problem.dedup_key for problem, _ in waiting],
            [moment.source_time for _, moment in waiting],
            [moment.received_at for _, moment in waiting],
            now,
        )
    if used:
        await connection.execute(
            EARLY_RESOLVES_USED_SQL,
            [problem.integration_id for problem in used],
            [problem.dedup_key for problem in used],
        )


async def _write_rejected(connection: asyncpg.Connection, item: Item, content: RejectedItem, *, most: int) -> None:
    await connection.execute(
        REJECTED_SQL,
        new_id(),
        item.submission.receipt_id,
        item.index,
        item.submission.integration.id,
        item.submission.received_at,
        content.message.replace("\x00", "\\0"),
        [part.replace("\x00", "\\0") for part in content.path],
        content.raw[:most],
        len(content.raw) > most,
    )
