"""How is an alert read for a change, and written back? Locks first, then the row; then only what changed."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.change import Change
from domain.alerts.model import OPEN_STATUSES, Alert, AlertStatus, ResolvedBy, Severity
from domain.alerts.visibility import Sight
from domain.errors import NewerAlertOpen, StaleVersion
from persistence.event_log import append_events
from persistence.locks import take_locks
from persistence.reads.visibility import visible
from persistence.tables import alerts

_FIELDS = tuple(field.name for field in fields(Alert))
ALERT_COLUMNS = tuple(alerts.c[name] for name in _FIELDS)
ONE_OPEN_PER_KEY = "uq_alerts_open_dedup_key"


def alert_of(row: sa.RowMapping) -> Alert:
    """The alert a row of ALERT_COLUMNS holds."""
    values: dict[str, Any] = {name: row[name] for name in _FIELDS}
    values["severity"] = Severity(values["severity"])
    values["status"] = AlertStatus(values["status"])
    resolved_by = values["resolved_by"]
    values["resolved_by"] = None if resolved_by is None else ResolvedBy(resolved_by)
    values["pinned"] = tuple(values["pinned"])
    values["suppressed_by"] = tuple(values["suppressed_by"])
    return Alert(**values)


def _changed_fields(change: Change) -> tuple[str, ...]:
    return tuple(name for name in _FIELDS if getattr(change.before, name) != getattr(change.after, name))


def _stored(alert: Alert, name: str) -> object:
    value: object = getattr(alert, name)
    return list(value) if isinstance(value, tuple) else value


class AlertRepository:
    """The alerts, within one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get_for_change(self, ids: Iterable[UUID], *, sight: Sight) -> dict[UUID, Alert]:
        """Lock and read the alerts of these ids that are within sight; the others are simply missing.

        Must come before the transaction's first write: see persistence/locks.py. An alert's key never changes, so
        reading the keys before the locks is safe; the rows are read after them.
        """
        wanted = list(dict.fromkeys(ids))
        keys = await self._connection.execute(
            sa.select(alerts.c.integration_id, alerts.c.dedup_key).where(alerts.c.id.in_(wanted), visible(sight))
        )
        await take_locks(self._connection, [(row.integration_id, row.dedup_key) for row in keys])
        rows = await self._connection.execute(sa.select(*ALERT_COLUMNS).where(alerts.c.id.in_(wanted), visible(sight)))
        return {row["id"]: alert_of(row) for row in rows.mappings()}

    async def newer_open(self, alert: Alert) -> UUID | None:
        """The open alert that holds this alert's dedup key, if another one does."""
        return await self._connection.scalar(
            sa.select(alerts.c.id).where(
                alerts.c.integration_id == alert.integration_id,
                alerts.c.dedup_key == alert.dedup_key,
                alerts.c.status.in_([status.value for status in OPEN_STATUSES]),
                alerts.c.id != alert.id,
            )
        )

    async def is_in_sight(self, alert_id: UUID, *, sight: Sight) -> bool:
        """Whether there is such an alert, within sight."""
        statement = sa.select(sa.exists().where(alerts.c.id == alert_id, visible(sight)))
        return bool(await self._connection.scalar(statement))

    async def save(self, changes: Sequence[Change]) -> None:
        """Write the changed columns and append the events. Changes without an event write nothing.

        When an event was recorded is the machine's own time, never the injected clock's: the log's readers leave out
        partitions by it.
        """
        effective = [change for change in changes if change.events]
        by_columns: dict[tuple[str, ...], list[Change]] = {}
        for change in effective:
            by_columns.setdefault(_changed_fields(change), []).append(change)
        for names, same in by_columns.items():
            await self._update(names, same)
        events = [event for change in effective for event in change.events]
        await append_events(self._connection, events, recorded_at=datetime.now(tz=UTC))

    async def _update(self, names: tuple[str, ...], changes: Sequence[Change]) -> None:
        """One UPDATE for all changes of the same columns; it must meet every row at the version that was read."""
        new = (
            sa.values(
                sa.column("id", alerts.c.id.type),
                sa.column("read_version", alerts.c.version.type),
                *(sa.column(name, alerts.c[name].type) for name in names),
                name="new",
            )
            .data([(c.after.id, c.before.version, *(_stored(c.after, name) for name in names)) for c in changes])
            .alias("new")
        )
        statement = (
            sa.update(alerts)
            # Cast: a column of VALUES that holds nothing but NULL is text to PostgreSQL.
            .values({name: sa.cast(new.c[name], alerts.c[name].type) for name in names})
            .where(alerts.c.id == new.c.id, alerts.c.version == new.c.read_version)
            .returning(alerts.c.id)
        )
        try:
            written = (await self._connection.execute(statement)).all()
        except IntegrityError as error:
            if ONE_OPEN_PER_KEY in str(error.orig):
                raise NewerAlertOpen(message="a newer alert of the same dedup key is open") from error
            raise
        if len(written) != len(changes):
            # Only a writer that took no lock can cause this.
            raise StaleVersion(message="the alert changed meanwhile; read it again")
