"""How is the one log written and read? Timeline and outbox in one append-only table.

A `bigserial` cursor loses events: a later number can commit first. So a reader goes by `(xid, seq)` and stops before the
oldest transaction still running (`pg_snapshot_xmin`): everything below it is finished, whatever order it committed in.
"""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.events import AlertEvent
from persistence.tables import alert_events

# The relay listens here. A hint only: it also looks by itself, so a lost notice costs a quarter of a second.
EVENTS_CHANNEL = "tocsin_events"


async def append_events(connection: AsyncConnection, events: Sequence[AlertEvent], *, recorded_at: datetime) -> None:
    """Write events in their order, inside the caller's transaction, which already holds the alerts' locks."""
    if not events:
        return
    await connection.execute(
        sa.insert(alert_events),
        [
            {
                "recorded_at": recorded_at,
                "id": event.id,
                "alert_id": event.alert_id,
                "kind": event.kind.value,
                "occurred_at": event.occurred_at,
                "actor_kind": event.actor.kind.value,
                "actor_id": event.actor.id,
                "version": event.version,
                "severity": event.severity.value,
                "status": event.status.value,
                "data": event.data,
            }
            for event in events
        ],
    )
    await connection.execute(sa.select(sa.func.pg_notify(EVENTS_CHANNEL, "")))
