"""How is the log of alert rules written and read? As the log of teams is: by (xid, seq), in safe order."""

import asyncpg
import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.cursor import Cursor
from domain.alerts.events import Actor, ActorKind, LogPosition
from domain.rules.events import AlertRuleEvent, AlertRuleEventKind, RecordedAlertRuleEvent
from persistence.tables import alert_rule_events

# A hint only: whoever listens also looks by itself.
RULE_EVENTS_CHANNEL = "tocsin_alert_rule_events"

_READ = """
SELECT xid, seq, recorded_at, id, rule_id, kind, occurred_at, actor_kind, actor_id, data::text AS data
  FROM alert_rule_events
 WHERE (xid, seq) > ($1::xid8, $2::bigint) AND xid < pg_snapshot_xmin(pg_current_snapshot())
 ORDER BY xid, seq
 LIMIT $3
"""


class RuleLog:
    """The log, inside one transaction that holds the lock of all rules: so its order is that of the changes."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def append(self, *events: AlertRuleEvent) -> None:
        """Write events in their order. When they were recorded is the database's time, never an injected clock's."""
        if not events:
            return
        rows = [
            {
                "recorded_at": sa.func.clock_timestamp(),
                "id": event.id,
                "rule_id": event.rule_id,
                "kind": event.kind.value,
                "occurred_at": event.occurred_at,
                "actor_kind": event.actor.kind.value,
                "actor_id": event.actor.id,
                "data": event.data,
            }
            for event in events
        ]
        await self._connection.execute(sa.insert(alert_rule_events).values(rows))
        await self._connection.execute(sa.select(sa.func.pg_notify(RULE_EVENTS_CHANNEL, "")))


async def read_rule_events(pool: asyncpg.Pool, cursor: Cursor, *, limit: int) -> list[RecordedAlertRuleEvent]:
    """The next events after the cursor, at most `limit`, in the order every reader sees them."""
    rows = await pool.fetch(_READ, cursor.position.xid, cursor.position.seq, limit)
    return [_event_of(row) for row in rows]


def _event_of(row: asyncpg.Record) -> RecordedAlertRuleEvent:
    event = AlertRuleEvent(
        id=row["id"],
        rule_id=row["rule_id"],
        kind=AlertRuleEventKind(row["kind"]),
        occurred_at=row["occurred_at"],
        actor=Actor(ActorKind(row["actor_kind"]), row["actor_id"]),
        data=orjson.loads(row["data"]),
    )
    return RecordedAlertRuleEvent(
        event=event, position=LogPosition(row["xid"], row["seq"]), recorded_at=row["recorded_at"]
    )
