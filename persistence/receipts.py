"""What became of a post, and what was rejected of it? Read back for people, replayed, and kept within bounds."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.alerts.signal import Outcome
from domain.alerts.visibility import Sight
from domain.audit.addresses import AddressForm
from domain.audit.model import AuditEntry
from domain.ids import id_time
from domain.integrations.model import Integration
from domain.integrations.receipts import ReceiptItem, ReceiptRecord, RejectedRecord
from persistence.creation_records import CreationRecords
from persistence.integrations import list_integrations
from persistence.reads.visibility import visible
from persistence.tables import alerts, integrations, receipts, rejected_items, signals

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


async def find_receipt(connection: AsyncConnection, receipt_id: UUID, *, sight: Sight) -> ReceiptRecord | None:
    """The receipt of this id as the viewer may see it: without the items whose alert is out of sight.

    None when there is none, its month has been dropped, its integration is out of sight, or all its items are.
    """
    receipt = await _receipt(connection, receipt_id, sight=sight)
    if receipt is None or sight.everything:
        return receipt
    hidden = await connection.scalar(
        sa.select(sa.func.count()).select_from(signals).where(_of(receipt), sa.not_(_in_sight(sight)))
    )
    if hidden and hidden >= receipt.accepted + receipt.rejected:
        return None
    return replace(receipt, accepted=receipt.accepted - (hidden or 0))


async def _receipt(connection: AsyncConnection, receipt_id: UUID, *, sight: Sight) -> ReceiptRecord | None:
    try:
        made_at = id_time(receipt_id)
    except (ValueError, OverflowError):  # not one of ours: its first bits are no time
        return None
    for before, after in _WINDOWS:
        rows = await connection.execute(
            sa.select(receipts).where(
                receipts.c.id == receipt_id,
                receipts.c.received_at.between(made_at - before, made_at + after),
                _integration_in_sight(receipts.c.integration_id, sight),
            )
        )
        row = rows.mappings().one_or_none()
        if row is not None:
            return ReceiptRecord(**row)
    return None


def _of(receipt: ReceiptRecord) -> sa.ColumnElement[bool]:
    return sa.and_(signals.c.received_at == receipt.received_at, signals.c.receipt_id == receipt.id)


def _in_sight(sight: Sight) -> sa.ColumnElement[bool]:
    """The condition that a signal is about no alert, or about one within sight."""
    if sight.everything:
        return sa.true()
    seen = sa.exists().where(alerts.c.id == signals.c.alert_id, visible(sight))
    return sa.or_(signals.c.alert_id.is_(None), seen)


def _integration_in_sight(integration_id: sa.ColumnElement[UUID], sight: Sight) -> sa.ColumnElement[bool]:
    """The condition that an integration is within sight; what it posted and what was rejected of it is so too."""
    if sight.everything:
        return sa.true()
    return sa.exists().where(integrations.c.id == integration_id, visible(sight, integrations.c.default_team_id))


async def receipt_items(
    connection: AsyncConnection, receipt: ReceiptRecord, *, sight: Sight, after: int, limit: int
) -> list[ReceiptItem]:
    """What became of the receipt's items within sight whose index is greater than `after`, in order."""
    taken = await connection.execute(
        sa.select(signals.c.item, signals.c.outcome, signals.c.reason, signals.c.alert_id)
        .where(_of(receipt), signals.c.item > after, _in_sight(sight))
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
    connection: AsyncConnection, integration_id: UUID, *, sight: Sight, after: tuple[datetime, UUID] | None, limit: int
) -> list[RejectedRecord]:
    """An integration's rejected items, the newest first; none of one that is out of sight."""
    place = sa.tuple_(rejected_items.c.received_at, rejected_items.c.id)
    query = sa.select(rejected_items).where(_rejected_of(integration_id, sight))
    if after is not None:
        query = query.where(place < sa.tuple_(*map(sa.literal, after)))
    query = query.order_by(rejected_items.c.received_at.desc(), rejected_items.c.id.desc()).limit(limit)
    return [_rejected(row) for row in (await connection.execute(query)).mappings()]


async def count_rejected(connection: AsyncConnection, integration_id: UUID, *, sight: Sight) -> int:
    """How many rejected items of an integration are kept; their number is capped, so counting is cheap."""
    query = sa.select(sa.func.count()).select_from(rejected_items)
    return int(await connection.scalar(query.where(_rejected_of(integration_id, sight))) or 0)


def _rejected_of(integration_id: UUID, sight: Sight) -> sa.ColumnElement[bool]:
    mine = rejected_items.c.integration_id == integration_id
    return sa.and_(mine, _integration_in_sight(rejected_items.c.integration_id, sight))


class Rejections:
    """Implements the port of domain/integrations/replay.py."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def get(self, ids: Sequence[UUID]) -> dict[UUID, RejectedRecord]:
        """The items of these ids."""
        async with self._engine.connect() as connection:
            rows = await connection.execute(sa.select(rejected_items).where(rejected_items.c.id.in_(ids)))
            return {row["id"]: _rejected(row) for row in rows.mappings()}

    async def integrations(self, ids: Sequence[UUID], *, sight: Sight) -> dict[UUID, Integration]:
        """Their integrations within sight, without secrets: a replay was proved genuine when it arrived."""
        async with self._engine.connect() as connection:
            found = await list_integrations(connection, sight=sight, ids=ids, with_archived=True)
        return {integration.id: integration for integration in found}


class ReplayRecords:
    """Implements the port of domain/integrations/replay.py, over the ingest queue's asyncpg connection."""

    def __init__(self, addresses: AddressForm) -> None:
        self._creation = CreationRecords(addresses)

    async def settle(self, connection: object, *, rejection_id: UUID, receipt_id: UUID, entry: AuditEntry) -> bool:
        """Mark the item and write the audit row; False when it was replayed meanwhile."""
        queue = cast("asyncpg.Connection", connection)
        if not await queue.fetchval(_SETTLE, rejection_id, entry.occurred_at, receipt_id):
            return False
        return await self._creation.write(connection, entry=entry, once=None, result={})


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
