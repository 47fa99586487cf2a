"""How is the one log written and read? Timeline and outbox in one append-only table.

A `bigserial` cursor loses events: a later number can commit first. So a reader goes by `(xid, seq)` and stops before
the oldest transaction still running (`pg_snapshot_xmin`): all below it is finished, whatever order it committed in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg
import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.cursor import MAX_NUMBER, Cursor, LogState
from domain.alerts.events import Actor, ActorKind, AlertEvent, AlertEventKind, LogPosition, RecordedEvent
from domain.alerts.model import AlertStatus, Severity
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


# How much earlier than the event at the cursor a later one may say it was recorded. Transaction ids, not clocks, order
# the log: a writer reads its clock, waits for the alerts' locks, and only then is given its id. So an event that comes
# later in the log can carry the earlier time, by as long as a transaction lives (seconds: statements and idling inside
# one are limited, see engine.py) plus the difference of two hosts' clocks. Too small a margin loses events for ever; a
# generous one costs nothing, for partitions are months: on the first day of a month two are read instead of one.
RECORDED_AT_MARGIN = timedelta(days=1)
# Beyond this many, "how many events behind" says no more than "very far".
MAX_COUNTED_LAG = 10_000

_READ = """
SELECT xid, seq, recorded_at, id, alert_id, kind, occurred_at, actor_kind, actor_id, version,
       severity::text AS severity, status::text AS status, data::text AS data
  FROM alert_events
 WHERE (xid, seq) > ($1::xid8, $2::bigint)
   AND xid < pg_snapshot_xmin(pg_current_snapshot())
   AND recorded_at >= $3
 ORDER BY xid, seq
 LIMIT $4
"""
# So many changes of an alert beyond an event are looked through for a move. An alert with thousands, while the relay
# catches up, would be looked through for each of them: of one that changed more often nothing is told either.
MOST_LOOKED_THROUGH = 5
# The same for who hands events on: as they are, with what filters ask most of their alerts. Each alert is looked up by
# its key: the OFFSET keeps the planner from reading them all. Of one whose service or team is another since the event,
# nothing is told: who asks for that of then must not be passed over.
_LINES = f"""
SELECT e.xid, e.seq, e.recorded_at, e.id, e.alert_id, e.kind, e.occurred_at, e.actor_kind, e.actor_id, e.version,
       e.severity::text AS severity, e.status::text AS status, e.data::text AS data,
       a.service_name, a.source, a.team_id, a.integration_id
  FROM (SELECT * FROM alert_events
         WHERE (xid, seq) > ($1::xid8, $2::bigint)
           AND xid < pg_snapshot_xmin(pg_current_snapshot())
           AND recorded_at >= $3
         ORDER BY xid, seq
         LIMIT $4) AS e
  LEFT JOIN LATERAL (SELECT service_name, source, team_id, integration_id FROM alerts
                      WHERE id = e.alert_id
                        AND (version <= e.version OR version <= e.version + {MOST_LOOKED_THROUGH} AND NOT EXISTS (
                            SELECT FROM alert_events AS later
                             WHERE later.alert_id = e.alert_id AND (later.xid, later.seq) > (e.xid, e.seq)
                               AND later.recorded_at >= $3 AND later.data -> 'changes' ?| '{{service_name,team_id}}'))
                     OFFSET 0) AS a ON true
 ORDER BY e.xid, e.seq
"""  # noqa: S608 - a number of this file
# How far that is, and how many they are: answered from the primary key alone.
_REACH = """
SELECT xid, seq, recorded_at, count(*) OVER () AS number
  FROM (SELECT xid, seq, recorded_at
          FROM alert_events
         WHERE (xid, seq) > ($1::xid8, $2::bigint)
           AND xid < pg_snapshot_xmin(pg_current_snapshot())
           AND recorded_at >= $3
         ORDER BY xid, seq
         LIMIT $4) AS places
 ORDER BY xid DESC, seq DESC
 LIMIT 1
"""
_STATE = """
SELECT epoch, pg_snapshot_xmin(snapshot) AS xmin, pg_snapshot_xmax(snapshot) AS xmax, clock_timestamp() AS now
  FROM log_epoch, pg_current_snapshot() AS snapshot
"""
# Without the bound of safe order: events that wait behind a long transaction are part of the lag.
_LAG = """
SELECT consumer, behind.events, behind.seconds
  FROM relay_cursors AS place, LATERAL (
       SELECT count(*) AS events, coalesce(extract(epoch FROM clock_timestamp() - min(ahead.recorded_at)), 0) AS seconds
         FROM (SELECT recorded_at FROM alert_events
                WHERE (xid, seq) > (place.xid, place.seq) AND recorded_at >= place.recorded_at - $1::interval
                ORDER BY xid, seq LIMIT $2) AS ahead
       ) AS behind
"""
# When the oldest event was written that a consumer has not taken yet.
_OLDEST_AFTER = """
SELECT coalesce((SELECT recorded_at FROM alert_events
                  WHERE (xid, seq) > (place.xid, place.seq) AND recorded_at >= place.recorded_at - $2::interval
                  ORDER BY xid, seq LIMIT 1), clock_timestamp())
  FROM relay_cursors AS place WHERE consumer = $1
"""
# The same for a place that is kept nowhere: that of an API process.
_SECONDS_AFTER = """
SELECT coalesce(extract(epoch FROM clock_timestamp() - min(ahead.recorded_at)), 0)::float8
  FROM (SELECT recorded_at FROM alert_events
         WHERE (xid, seq) > ($1::xid8, $2::bigint) AND recorded_at >= $3
         ORDER BY xid, seq LIMIT $4) AS ahead
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """How far a consumer is behind the log. `events` stops counting at MAX_COUNTED_LAG."""

    consumer: str
    events: int
    seconds: float


def recorded_event_of(row: asyncpg.Record | sa.RowMapping) -> RecordedEvent:
    """The event a row of the log holds."""
    event = AlertEvent(
        id=row["id"],
        alert_id=row["alert_id"],
        kind=AlertEventKind(row["kind"]),
        occurred_at=row["occurred_at"],
        actor=Actor(ActorKind(row["actor_kind"]), row["actor_id"]),
        version=row["version"],
        severity=Severity(row["severity"]),
        status=AlertStatus(row["status"]),
        data=orjson.loads(row["data"]),
    )
    return RecordedEvent(event=event, position=LogPosition(row["xid"], row["seq"]), recorded_at=row["recorded_at"])


class LogReader:
    """The log in safe order. Reads the primary only: a replica's snapshot says nothing about who still writes."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def state(self) -> LogState:
        """The log's epoch and the place after everything that is finished now."""
        row = await self._pool.fetchrow(_STATE)
        if row is None:
            message = "log_epoch is empty: the database was not migrated"
            raise RuntimeError(message)
        head = Cursor(epoch=row["epoch"], position=LogPosition(row["xmin"] - 1, MAX_NUMBER), recorded_at=row["now"])
        return LogState(head=head, next_xid=row["xmax"], now=row["now"])

    async def read_after(self, cursor: Cursor, *, limit: int) -> list[RecordedEvent]:
        """The next events after the cursor, at most `limit`, in the order every reader sees them."""
        rows = await self._pool.fetch(
            _READ, cursor.position.xid, cursor.position.seq, _earliest(cursor.recorded_at), limit
        )
        return [recorded_event_of(row) for row in rows]

    async def lines_after(self, cursor: Cursor, *, limit: int) -> list[asyncpg.Record]:
        """The next events as rows, with what is told of their alerts, to be handed on by stream_message.py."""
        rows: list[asyncpg.Record] = await self._pool.fetch(
            _LINES, cursor.position.xid, cursor.position.seq, _earliest(cursor.recorded_at), limit
        )
        return rows

    async def reach(self, cursor: Cursor, *, limit: int) -> tuple[Cursor | None, int]:
        """How far the next events go, at most `limit`, and how many they are: for who does not look at them here."""
        row = await self._pool.fetchrow(
            _REACH, cursor.position.xid, cursor.position.seq, _earliest(cursor.recorded_at), limit
        )
        if row is None:
            return None, 0
        xid, seq, recorded_at, number = row
        return Cursor(epoch=cursor.epoch, position=LogPosition(xid, seq), recorded_at=recorded_at), number

    async def lags(self) -> list[Lag]:
        """How far each consumer that ever ran is behind."""
        rows = await self._pool.fetch(_LAG, RECORDED_AT_MARGIN, MAX_COUNTED_LAG)
        return [
            Lag(consumer=row["consumer"], events=row["events"], seconds=max(0.0, float(row["seconds"]))) for row in rows
        ]

    async def taken_until(self, consumer: str) -> datetime | None:
        """What was written before, the consumer has taken: now, if it has taken all. None for one that never ran."""
        found: datetime | None = await self._pool.fetchval(_OLDEST_AFTER, consumer, RECORDED_AT_MARGIN)
        return found

    async def seconds_behind(self, cursor: Cursor) -> float:
        """How long the oldest event after the place has waited; 0 when there is none."""
        seconds: float = await self._pool.fetchval(
            _SECONDS_AFTER,
            cursor.position.xid,
            cursor.position.seq,
            _earliest(cursor.recorded_at),
            MAX_COUNTED_LAG,
        )
        return max(0.0, seconds)


def _earliest(recorded_at: datetime) -> datetime:
    return recorded_at - RECORDED_AT_MARGIN
