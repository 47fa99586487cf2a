"""How is the log of teams written and read? As the log of alerts is: by (xid, seq), in safe order (event_log.py)."""

import asyncpg
import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.cursor import Cursor
from domain.alerts.events import Actor, ActorKind, LogPosition
from domain.teams.events import RecordedTeamEvent, TeamEvent, TeamEventKind
from persistence.tables import team_events

# A hint only: whoever listens also looks by itself.
TEAM_EVENTS_CHANNEL = "tocsin_team_events"

_READ = """
SELECT xid, seq, recorded_at, id, team_id, kind, occurred_at, actor_kind, actor_id, data::text AS data
  FROM team_events
 WHERE (xid, seq) > ($1::xid8, $2::bigint) AND xid < pg_snapshot_xmin(pg_current_snapshot())
 ORDER BY xid, seq
 LIMIT $3
"""


class TeamLog:
    """The log, inside one transaction that holds the lock of all teams: so its order is that of the changes."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def append(self, *events: TeamEvent) -> None:
        """Write events in their order. When they were recorded is the database's time, never an injected clock's."""
        if not events:
            return
        rows = [
            {
                "recorded_at": sa.func.clock_timestamp(),
                "id": event.id,
                "team_id": event.team_id,
                "kind": event.kind.value,
                "occurred_at": event.occurred_at,
                "actor_kind": event.actor.kind.value,
                "actor_id": event.actor.id,
                "data": event.data,
            }
            for event in events
        ]
        await self._connection.execute(sa.insert(team_events).values(rows))
        await self._connection.execute(sa.select(sa.func.pg_notify(TEAM_EVENTS_CHANNEL, "")))


async def read_team_events(pool: asyncpg.Pool, cursor: Cursor, *, limit: int) -> list[RecordedTeamEvent]:
    """The next events after the cursor, at most `limit`, in the order every reader sees them."""
    rows = await pool.fetch(_READ, cursor.position.xid, cursor.position.seq, limit)
    return [_event_of(row) for row in rows]


def _event_of(row: asyncpg.Record) -> RecordedTeamEvent:
    event = TeamEvent(
        id=row["id"],
        team_id=row["team_id"],
        kind=TeamEventKind(row["kind"]),
        occurred_at=row["occurred_at"],
        actor=Actor(ActorKind(row["actor_kind"]), row["actor_id"]),
        data=orjson.loads(row["data"]),
    )
    return RecordedTeamEvent(event=event, position=LogPosition(row["xid"], row["seq"]), recorded_at=row["recorded_at"])
