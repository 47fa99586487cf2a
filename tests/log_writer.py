"""How does a test put events into the log, in transactions it steers itself?"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import orjson

from domain.alerts.events import AlertEventKind
from domain.alerts.model import AlertStatus, Severity
from domain.ids import new_id
from persistence.direct import DirectConnection

_INSERT_EVENT = """
INSERT INTO alert_events (recorded_at, id, alert_id, kind, occurred_at, actor_kind, version, severity, status, data)
VALUES ($1, $2, $3, $4, $5, 'system', $6, $7, $8, $9)
"""
_INSERT_ALERT = """
INSERT INTO alerts (id, title, severity, status, source, service_name, created_at, updated_at, started_at, last_seen_at,
                    integration_id, dedup_key, dedup_recipe, team_id, expires_at, snoozed_until)
VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $7, '00000000-0000-7000-8000-000000000001', $9, 'by hand', $10, $11, $12)
"""


async def insert_alert(
    connection: DirectConnection,
    *,
    created_at: datetime | None = None,
    started_at: datetime | None = None,
    severity: Severity = Severity.HIGH,
    status: AlertStatus = AlertStatus.ACTIVE,
    source: str = "prometheus",
    service_name: str | None = "shop",
    team_id: UUID | None = None,
    expires_at: datetime | None = None,
    snoozed_until: datetime | None = None,
    title: str = "disk full",
) -> UUID:
    """One row of `alerts`, without an event."""
    alert_id = new_id()
    created = created_at or datetime.now(tz=UTC)
    await connection.execute(
        _INSERT_ALERT,
        alert_id, title, severity.value, status.value, source, service_name, created, started_at or created,
        f"test:1:{uuid4()}", team_id, expires_at, snoozed_until,
    )  # fmt: skip
    return alert_id


async def insert_event(
    connection: DirectConnection,
    *,
    alert_id: UUID | None = None,
    kind: AlertEventKind = AlertEventKind.OPENED,
    occurred_at: datetime | None = None,
    recorded_at: datetime | None = None,
    severity: Severity = Severity.HIGH,
    status: AlertStatus = AlertStatus.ACTIVE,
    version: int = 1,
    data: dict[str, Any] | None = None,
) -> UUID:
    """One row of `alert_events`, in whatever transaction the connection is in."""
    event_id = new_id()
    now = datetime.now(tz=UTC)
    await connection.execute(
        _INSERT_EVENT,
        recorded_at or now, event_id, alert_id or new_id(), kind.value, occurred_at or now, version, severity.value,
        status.value, orjson.dumps(data or {}).decode(),
    )  # fmt: skip
    return event_id


async def insert_events(connection: DirectConnection, count: int) -> list[UUID]:
    """Several events of as many alerts."""
    return [await insert_event(connection) for _ in range(count)]


async def insert_told_alert(connection: DirectConnection, *, severity: Severity = Severity.HIGH) -> UUID:
    """An alert and the event that it opened, in one transaction."""
    async with connection.transaction():
        alert_id = await insert_alert(connection, severity=severity)
        await insert_event(connection, alert_id=alert_id, severity=severity)
    return alert_id


async def logged_ids(connection: DirectConnection) -> Sequence[UUID]:
    """The ids of all events, in the order of the log."""
    return [row["id"] for row in await connection.fetch("SELECT id FROM alert_events ORDER BY xid, seq")]
