"""How are silences kept, and their marks on open alerts written? Set-based, under the exclusive silences lock.

Every writer of an alert holds that lock shared (locks.py), so who holds it exclusively needs no lock on single alerts:
ten thousand of them would not fit the server's lock table. The order of transaction ids holds all the same: the lock
comes before this transaction's first write, and after every earlier writer's COMMIT.
"""

from collections.abc import Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Self, TypeAlias
from uuid import UUID

import asyncpg
import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.alerts.model import AlertStatus, Severity
from domain.silences.actions import apply_due
from domain.silences.marks import Mark, OpenAlert
from domain.silences.matchers import matchers_from_json
from domain.silences.model import Silence, SilenceState
from persistence.audit import AuditTrail
from persistence.event_log import append_events
from persistence.label_conditions import equality_conditions
from persistence.locks import take_locks
from persistence.tables import OPEN, alerts, silences

_FIELDS = (
    "id", "integration_id", "matchers", "starts_at", "ends_at", "created_by", "comment", "updated_at", "version",
    "applied",
)  # fmt: skip
SILENCE_COLUMNS = tuple(silences.c[name] for name in _FIELDS)
_OPEN_ALERT = tuple(
    alerts.c[name] for name in ("id", "integration_id", "labels", "suppressed_by", "version", "severity", "status")
)
_STANDING = silences.c.applied != SilenceState.EXPIRED.value
_IS_OPEN = sa.text("alerts." + OPEN)
# One statement carries this many marks: beyond it a single message to the server would be tens of megabytes.
_CHUNK = 5_000
Row: TypeAlias = sa.RowMapping | asyncpg.Record


def silence_of(row: Row) -> Silence:
    """The silence a row holds; from SQLAlchemy (matchers decoded) or from asyncpg (as text)."""
    values = {name: row[name] for name in _FIELDS}
    matchers = values["matchers"]
    values["matchers"] = matchers_from_json(orjson.loads(matchers) if isinstance(matchers, str) else matchers)
    values["applied"] = SilenceState(values["applied"])
    return Silence(**values)


async def standing_silences(connection: AsyncConnection) -> list[Silence]:
    """All silences that are not over; read while the silences lock is held, to mark an alert by them."""
    rows = await connection.execute(sa.select(*SILENCE_COLUMNS).where(_STANDING))
    return [silence_of(row) for row in rows.mappings()]


class StandingSilences:
    """The silences that are not over, for a transaction that changes an alert's labels."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def standing(self) -> list[Silence]:
        """All of them; read while the silences lock is held."""
        return await standing_silences(self._connection)


async def listed_silences(
    connection: AsyncConnection, *, integration_id: UUID | None, ended_after: datetime, silence_id: UUID | None = None
) -> list[Silence]:
    """The silences of a scope that stand or ended after a time; or the one of that id."""
    query = sa.select(*SILENCE_COLUMNS).where(_of_scope(integration_id), silences.c.ends_at > ended_after)
    if silence_id is not None:
        query = query.where(silences.c.id == silence_id)
    rows = await connection.execute(query)
    return [silence_of(row) for row in rows.mappings()]


class SilenceStore:
    """The silences, and the marks they leave on open alerts, within one transaction that holds the silences lock."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, silence_id: UUID, *, integration_id: UUID | None) -> Silence | None:
        """The silence, when it is of this scope."""
        rows = await self._connection.execute(
            sa.select(*SILENCE_COLUMNS).where(silences.c.id == silence_id, _of_scope(integration_id))
        )
        row = rows.mappings().one_or_none()
        return None if row is None else silence_of(row)

    async def count_standing(self, *, integration_id: UUID | None) -> int:
        """How many silences of the scope are pending or active."""
        count = await self._connection.scalar(
            sa.select(sa.func.count()).select_from(silences).where(_STANDING, _of_scope(integration_id))
        )
        return int(count or 0)

    async def due(self, now: datetime) -> list[Silence]:
        """Those whose start or end has passed and is not applied yet, the earliest first."""
        rows = await self._connection.execute(
            sa.select(*SILENCE_COLUMNS).where(_is_due(now)).order_by(silences.c.starts_at, silences.c.id)
        )
        return [silence_of(row) for row in rows.mappings()]

    async def add(self, silence: Silence) -> None:
        """Keep a new one."""
        await self._connection.execute(
            sa.insert(silences).values(created_at=silence.updated_at, **_stored(silence)),
        )

    async def save(self, silence: Silence) -> None:
        """Keep the new state of a known one."""
        values = _stored(silence)
        await self._connection.execute(sa.update(silences).where(silences.c.id == values.pop("id")).values(**values))

    async def open_alerts(self, silence: Silence) -> list[OpenAlert]:
        """The open alerts it may hold. Equality is decided here; the domain decides the rest on what is left."""
        conditions = equality_conditions(silence.matchers)
        if silence.integration_id is not None:
            conditions.append(alerts.c.integration_id == silence.integration_id)
        return await self._alerts(*conditions)

    async def marked_alerts(self, silence_id: UUID) -> list[OpenAlert]:
        """The open alerts that carry its mark."""
        return await self._alerts(alerts.c.suppressed_by.contains(sa.cast([silence_id], pg.ARRAY(pg.UUID))))

    async def _alerts(self, *conditions: sa.ColumnElement[bool]) -> list[OpenAlert]:
        rows = await self._connection.execute(sa.select(*_OPEN_ALERT).where(_IS_OPEN, *conditions))
        return [_open_alert(row) for row in rows.mappings()]

    async def write_marks(self, marks: Sequence[Mark], *, recorded_at: datetime) -> None:
        """Change the alerts' marks and append the events."""
        for start in range(0, len(marks), _CHUNK):
            chunk = marks[start : start + _CHUNK]
            await self._connection.execute(
                _WRITE_MARKS,
                {
                    "ids": [mark.alert_id for mark in chunk],
                    "holders": [",".join(map(str, mark.suppressed_by)) for mark in chunk],
                    "now": recorded_at,
                },
            )
            await append_events(self._connection, [mark.event for mark in chunk], recorded_at=recorded_at)


# An array of arrays must be rectangular in PostgreSQL, so the holders of each alert travel as text.
_WRITE_MARKS = sa.text(
    """
    UPDATE alerts SET suppressed_by = string_to_array(mark.holders, ',')::uuid[], version = version + 1,
           updated_at = greatest(updated_at, :now)
      FROM unnest(:ids, :holders) AS mark(id, holders) WHERE alerts.id = mark.id
    """
).bindparams(
    sa.bindparam("ids", type_=pg.ARRAY(pg.UUID(as_uuid=True))),
    sa.bindparam("holders", type_=pg.ARRAY(sa.Text)),
    sa.bindparam("now", type_=sa.DateTime(timezone=True)),
)


class SilenceUnitOfWork:
    """One change of silences: a transaction whose first statement takes the silences lock exclusively."""

    silences: SilenceStore
    audit: AuditTrail

    def __init__(self, engine: AsyncEngine) -> None:
        self._pending = engine.connect()

    async def __aenter__(self) -> Self:
        self._connection = await self._pending.__aenter__()
        try:
            await take_locks(self._connection, [], silences="exclusive")
        except BaseException as error:
            await self._pending.__aexit__(type(error), error, error.__traceback__)
            raise
        self.silences = SilenceStore(self._connection)
        self.audit = AuditTrail(self._connection)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._pending.__aexit__(kind, error, trace)

    async def commit(self) -> None:
        """Make it durable. When this raises because the connection was lost, the outcome is unknown."""
        await self._connection.commit()


async def apply_due_silences(engine: AsyncEngine, now: datetime) -> int:
    """Apply the starts and ends that have passed, in a transaction of its own; the number of silences it moved.

    Looks first without the lock: it would hold up all ingest, and mostly nothing is due.
    """
    async with engine.connect() as connection:
        if not await connection.scalar(sa.select(sa.exists().where(_is_due(now)))):
            return 0
    async with SilenceUnitOfWork(engine) as work:
        moved = await apply_due(work, now=now)
        await work.commit()
    return moved


def _of_scope(integration_id: UUID | None) -> sa.ColumnElement[bool]:
    return silences.c.integration_id.is_not_distinct_from(integration_id)


def _is_due(now: datetime) -> sa.ColumnElement[bool]:
    starting = sa.and_(silences.c.applied == SilenceState.PENDING.value, silences.c.starts_at <= now)
    ending = sa.and_(_STANDING, silences.c.ends_at <= now)
    return sa.or_(starting, ending)


def _stored(silence: Silence) -> dict[str, Any]:
    values: dict[str, Any] = {name: getattr(silence, name) for name in _FIELDS}
    values["matchers"] = [matcher.as_json() for matcher in silence.matchers]
    values["applied"] = silence.applied.value
    return values


def _open_alert(row: Row) -> OpenAlert:
    return OpenAlert(
        id=row["id"],
        integration_id=row["integration_id"],
        labels=row["labels"],
        suppressed_by=tuple(row["suppressed_by"]),
        version=row["version"],
        severity=Severity(row["severity"]),
        status=AlertStatus(row["status"]),
    )
