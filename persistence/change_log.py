"""How is the log of what seldom changes written and read? As the log of alerts is: by (xid, seq), in safe order.

Teams, alert rules and groups have one each (team_events.py, rule_events.py, group_events.py); its subject is the column
that says of which.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

import asyncpg
import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.cursor import Cursor
from domain.alerts.events import Actor, ActorKind, LogPosition


class Entry(Protocol):
    """What every such log says of a change, beside its subject."""

    @property
    def id(self) -> UUID:
        """Of the entry."""
        ...

    @property
    def kind(self) -> StrEnum:
        """What happened."""
        ...

    @property
    def occurred_at(self) -> datetime:
        """When."""
        ...

    @property
    def actor(self) -> Actor:
        """By whom."""
        ...

    @property
    def data(self) -> dict[str, Any]:
        """What the kind needs."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeLog:
    """One such log. `channel` is notified of each change: a hint only, whoever listens also looks by itself.

    None for a log that nobody follows.
    """

    table: sa.Table
    subject: str
    channel: str | None = None

    async def append(self, connection: AsyncConnection, events: Sequence[Entry]) -> None:
        """Write events in their order. When they were recorded is the database's time, never an injected clock's."""
        if not events:
            return
        rows = [
            {
                "recorded_at": sa.func.clock_timestamp(),
                "id": event.id,
                self.subject: getattr(event, self.subject),
                "kind": event.kind.value,
                "occurred_at": event.occurred_at,
                "actor_kind": event.actor.kind.value,
                "actor_id": event.actor.id,
                "data": event.data,
            }
            for event in events
        ]
        await connection.execute(sa.insert(self.table).values(rows))
        if self.channel is not None:
            await connection.execute(sa.select(sa.func.pg_notify(self.channel, "")))

    async def read(self, pool: asyncpg.Pool, cursor: Cursor, *, limit: int) -> list[asyncpg.Record]:
        """The next rows after the cursor, at most `limit`, in the order every reader sees them."""
        statement = f"""
        SELECT xid, seq, recorded_at, id, {self.subject}, kind, occurred_at, actor_kind, actor_id, data::text AS data
          FROM {self.table.name}
         WHERE (xid, seq) > ($1::xid8, $2::bigint) AND xid < pg_snapshot_xmin(pg_current_snapshot())
         ORDER BY xid, seq
         LIMIT $3
        """  # noqa: S608 - names are constants of the program
        found: list[asyncpg.Record] = await pool.fetch(statement, cursor.position.xid, cursor.position.seq, limit)
        return found


def told(row: asyncpg.Record) -> dict[str, Any]:
    """What a row says in every such log, as fields of an event; its subject and kind are the caller's."""
    return {
        "id": row["id"],
        "occurred_at": row["occurred_at"],
        "actor": Actor(ActorKind(row["actor_kind"]), row["actor_id"]),
        "data": orjson.loads(row["data"]),
    }


def position(row: asyncpg.Record) -> LogPosition:
    """Where a row stands in its log."""
    return LogPosition(row["xid"], row["seq"])
