"""Where are exports of personal data kept in hand? Rows of `data_exports`; the files are in the object store.

A job claims one for a while; what a job that died had claimed is claimed again, with the next number. Only the newest
number may finish, so of two jobs on one export one file counts, and the other is removed.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.privacy.exports import MAX_ATTEMPTS, DataExport, ExportState
from persistence.tables import data_exports

CLAIM = timedelta(minutes=30)
# What the chunks of a file are bound to (persistence/sealed_files.py).
FILE_COLUMN = "data_exports.file"
_COLUMNS = tuple(
    data_exports.c[name]
    for name in (
        "id",
        "user_id",
        "requested_by",
        "requested_at",
        "state",
        "attempts",
        "finished_at",
        "expires_at",
        "object_key",
        "size_bytes",
    )
)
_IS_WAITING = data_exports.c.state == ExportState.WAITING.value


class DataExportRepository:
    """Exports, inside one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def newest(self, *, user_id: UUID, requested_by: UUID) -> DataExport | None:
        """The newest one for this pair that is being made or ready. Two requests at once take turns."""
        turn = sa.func.pg_advisory_xact_lock(sa.func.hashtext(f"data_exports {user_id} {requested_by}"))
        await self._connection.execute(sa.select(turn))
        statement = sa.select(*_COLUMNS).where(
            data_exports.c.state.in_([ExportState.WAITING.value, ExportState.READY.value]),
            data_exports.c.user_id == user_id,
            data_exports.c.requested_by == requested_by,
        )
        statement = statement.order_by(data_exports.c.id.desc()).limit(1)
        row = (await self._connection.execute(statement)).mappings().one_or_none()
        return None if row is None else export_of(row)

    async def add(self, export: DataExport) -> None:
        """Write a new one."""
        await self._connection.execute(
            sa.insert(data_exports).values(
                id=export.id,
                user_id=export.user_id,
                requested_by=export.requested_by,
                requested_at=export.requested_at,
                state=export.state.value,
            )
        )


async def exports_of(connection: AsyncConnection, *, viewer_id: UUID, limit: int) -> list[DataExport]:
    """What this viewer's exports are, the newest first: of their own data, and those they asked for."""
    statement = (
        sa.select(*_COLUMNS)
        .where(sa.or_(data_exports.c.user_id == viewer_id, data_exports.c.requested_by == viewer_id))
        .order_by(data_exports.c.id.desc())
        .limit(limit)
    )
    return [export_of(row) for row in (await connection.execute(statement)).mappings()]


async def export_by_id(connection: AsyncConnection, export_id: UUID) -> DataExport | None:
    """The export with this id, whoever asks."""
    statement = sa.select(*_COLUMNS).where(data_exports.c.id == export_id)
    row = (await connection.execute(statement)).mappings().one_or_none()
    return None if row is None else export_of(row)


async def claim_export(connection: AsyncConnection, *, now: datetime) -> DataExport | None:
    """The oldest that nobody works on, ours for a while; None when there is none."""
    due = (
        sa.select(data_exports.c.id)
        .where(_IS_WAITING, _is_free(now), data_exports.c.attempts < MAX_ATTEMPTS)
        .order_by(data_exports.c.requested_at)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    statement = (
        sa.update(data_exports)
        .where(data_exports.c.id == due)
        .values(claimed_until=now + CLAIM, attempts=data_exports.c.attempts + 1)
        .returning(*_COLUMNS)
    )
    row = (await connection.execute(statement)).mappings().one_or_none()
    return None if row is None else export_of(row)


def _is_free(now: datetime) -> sa.ColumnElement[bool]:
    return sa.or_(data_exports.c.claimed_until.is_(None), data_exports.c.claimed_until <= now)


async def give_up_exports(connection: AsyncConnection, *, now: datetime) -> None:
    """Let those fail whose jobs died as often as is tried."""
    statement = sa.update(data_exports).where(_IS_WAITING, _is_free(now), data_exports.c.attempts >= MAX_ATTEMPTS)
    await connection.execute(statement.values(state=ExportState.FAILED.value, finished_at=now, claimed_until=None))


async def release_export(connection: AsyncConnection, export: DataExport, *, now: datetime) -> None:
    """It did not work out: the next job may try at once, unless it was tried often enough."""
    is_over = export.attempts >= MAX_ATTEMPTS
    values: dict[str, Any] = {"claimed_until": now + timedelta(minutes=1)}
    if is_over:
        values |= {"state": ExportState.FAILED.value, "finished_at": now, "claimed_until": None}
    await connection.execute(sa.update(data_exports).where(*_still_ours(export)).values(values))


async def finish_export(
    connection: AsyncConnection, export: DataExport, *, object_key: str, size_bytes: int, now: datetime, life: timedelta
) -> bool:
    """The file is there. False when it counts for nothing: another job was faster, or the person was erased."""
    statement = (
        sa.update(data_exports)
        .where(*_still_ours(export))
        .values(
            state=ExportState.READY.value,
            finished_at=now,
            expires_at=now + life,
            object_key=object_key,
            size_bytes=size_bytes,
            claimed_until=None,
        )
    )
    return (await connection.execute(statement)).rowcount == 1


def _still_ours(export: DataExport) -> Sequence[sa.ColumnElement[bool]]:
    return data_exports.c.id == export.id, _IS_WAITING, data_exports.c.attempts == export.attempts


async def expire_exports(connection: AsyncConnection, *, now: datetime, limit: int) -> list[str]:
    """Mark what is past its time; the keys of the files that are to go."""
    due = (
        sa.select(data_exports.c.id, data_exports.c.object_key)
        .where(data_exports.c.state == ExportState.READY.value, data_exports.c.expires_at <= now)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = (await connection.execute(due)).all()
    if rows:
        statement = sa.update(data_exports).where(data_exports.c.id.in_([row.id for row in rows]))
        await connection.execute(statement.values(state=ExportState.EXPIRED.value, object_key=None))
    return [row.object_key for row in rows if row.object_key is not None]


def export_of(row: sa.RowMapping) -> DataExport:
    """The export a row tells of."""
    values: dict[str, Any] = {column.name: row[column] for column in _COLUMNS}
    return DataExport(**values | {"state": ExportState(values["state"])})
