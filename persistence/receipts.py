"""What became of a post, and what was rejected of it? Read back for people, replayed, and kept within bounds."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.alerts.signal import Outcome
from domain.audit.model import AuditEntry
from domain.ids import id_time
from domain.integrations.model import Integration
from domain.integrations.receipts import ReceiptItem, ReceiptRecord, RejectedRecord
from persistence.creation_records import CreationRecords
from persistence.integrations import list_integrations
from persistence.tables import receipts, rejected_items, signals

if TYPE_CHECKING:
    import asyncpg

# A receipt's id is made within the same moment as its time of arrival; the second window is for a process that stalled
# between the two. Without a window the search would look into every month.
_WINDOWS = (
    (timedelta(milliseconds=50), timedelta(milliseconds=50)),
    (timedelta(minutes=1), timedelta(seconds=5)),
)
_TRIM_BATCH = 1_000
_SETTLE = """
UPDATE rejected_items SET replayed_at = $2, replay_receipt_id = $3 WHERE id = $1 AND replayed_at IS NULL RETURNING true
"""


async def find_receipt(connection: AsyncConnection, receipt_id: UUID) -> ReceiptRecord | None:
    """The receipt of this id; None when there is none, or its month has been dropped."""
    try:
        made_at = id_time(receipt_id)
    except (ValueError, OverflowError):  # not one of ours: its first bits are no time
        return None
    for before, after in _WINDOWS:
        rows = await connection.execute(
            sa.select(receipts).where(
                receipts.c.id == receipt_id, receipts.c.received_at.between(made_at - before, made_at + after)
            )
        )
        row = rows.mappings().one_or_none()
        if row is not None:
            return ReceiptRecord(**row)
    return None


async def receipt_items(
    connection: AsyncConnection, receipt: ReceiptRecord, *, after: int, limit: int
) -> list[ReceiptItem]:
    """What became of the receipt's items whose index is greater than `after`, in order."""
    taken = await connection.execute(
        sa.select(signals.c.item, signals.c.outcome, signals.c.reason, signals.c.alert_id)
        .where(
            signals.c.received_at == receipt.received_at,
            signals.c.receipt_id == receipt.id,
            signals.c.item > after,
        )
        .order_by(signals.c.item)
        .limit(limit)
    )
    refused = await connection.execute(
        sa.select(rejected_items)
        .where(rejected_items.c.receipt_id == receipt.id, rejected_items.c.item > after)
        .order_by(rejected_items.c.item)
        .limit(limit)
    )
    found = [
        ReceiptItem(index=row.item, outcome=Outcome(row.outcome), reason=row.reason, alert_id=row.alert_id)
        for row in taken
    ]
    found += [
        ReceiptItem(index=kept.item, outcome=Outcome.REJECTED, reason=kept.message, rejection=kept)
        for kept in map(_rejected, refused.mappings())
    ]
    return sorted(found, key=lambda item: item.index)[:limit]


async def rejected_page(
    connection: AsyncConnection, integration_id: UUID, *, after: tuple[datetime, UUID] | None, limit: int
) -> list[RejectedRecord]:
    """An integration's rejected items, the newest first."""
    place = sa.tuple_(rejected_items.c.received_at, rejected_items.c.id)
    query = sa.select(rejected_items).where(rejected_items.c.integration_id == integration_id)
    if after is not None:
        query = query.where(place < sa.tuple_(*map(sa.literal, after)))
    query = query.order_by(rejected_items.c.received_at.desc(), rejected_items.c.id.desc()).limit(limit)
    return [_rejected(row) for row in (await connection.execute(query)).mappings()]


async def count_rejected(connection: AsyncConnection, integration_id: UUID) -> int:
    """How many rejected items of an integration are kept; their number is capped, so counting is cheap."""
    query = sa.select(sa.func.count()).select_from(rejected_items)
    return int(await connection.scalar(query.where(rejected_items.c.integration_id == integration_id)) or 0)


class Rejections:
    """Implements the port of domain/integrations/replay.py."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def get(self, ids: Sequence[UUID]) -> dict[UUID, RejectedRecord]:
        """The items of these ids."""
        async with self._engine.connect() as connection:
            rows = await connection.execute(sa.select(rejected_items).where(rejected_items.c.id.in_(ids)))
            return {row["id"]: _rejected(row) for row in rows.mappings()}

    async def integrations(self, ids: Sequence[UUID]) -> dict[UUID, Integration]:
        """Their integrations, without secrets: a replay was proved genuine when it arrived."""
        async with self._engine.connect() as connection:
            found = await list_integrations(connection, ids=ids, with_archived=True)
        return {integration.id: integration for integration in found}


class ReplayRecords:
    """Implements the port of domain/integrations/replay.py, over the ingest queue's asyncpg connection."""

    async def settle(self, connection: object, *, rejection_id: UUID, receipt_id: UUID, entry: AuditEntry) -> bool:
        """Mark the item and write the audit row; False when it was replayed meanwhile."""
        queue = cast("asyncpg.Connection", connection)
        if not await queue.fetchval(_SETTLE, rejection_id, entry.occurred_at, receipt_id):
            return False
        return await CreationRecords().write(connection, entry=entry, once=None, result={})


async def trim_rejected(engine: AsyncEngine, *, most: int) -> int:
    """Delete the oldest rejected items of every integration that has more than `most`; the number of rows."""
    crowded = (
        sa.select(rejected_items.c.integration_id)
        .group_by(rejected_items.c.integration_id)
        .having(sa.func.count() > most)
    )
    async with engine.connect() as connection:
        integration_ids = list(await connection.scalars(crowded))
    deleted = 0
    for integration_id in integration_ids:
        deleted += await _trim(engine, integration_id, most)
    return deleted


async def _trim(engine: AsyncEngine, integration_id: UUID, most: int) -> int:
    """In batches: one statement over a backlog would hold its locks for long."""
    mine = rejected_items.c.integration_id == integration_id
    newest_first = (rejected_items.c.received_at.desc(), rejected_items.c.id.desc())
    deleted = 0
    while True:
        surplus = sa.select(rejected_items.c.id).where(mine).order_by(*newest_first).offset(most).limit(_TRIM_BATCH)
        async with engine.begin() as connection:
            count = (
                await connection.execute(sa.delete(rejected_items).where(rejected_items.c.id.in_(surplus)))
            ).rowcount
        deleted += count
        if count < _TRIM_BATCH:
            return deleted


def _rejected(row: sa.RowMapping) -> RejectedRecord:
    return RejectedRecord(**{**row, "path": tuple(row["path"])})
