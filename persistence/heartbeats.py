"""Where are heartbeats kept? A row each, which a ping moves in one statement; an edit leaves alone what pings wrote."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.model import OWN_INTEGRATION_IDS, Severity
from domain.alerts.visibility import Sight
from domain.heartbeats.model import Heartbeat, Watch
from persistence.among import among
from persistence.reads.visibility import is_team_in_sight, visible
from persistence.tables import heartbeats, integrations
from persistence.unless_taken import write_unless_taken

# What edits write. `due_at` is among them: another interval moves it.
_EDITED = (
    *("name", "description", "grace", "severity", "service_name", "labels", "key_digest", "key_prefix", "updated_at"),
    *("archived_at", "paused_at", "version", "due_at"),
)
_PING = sa.text("""
UPDATE heartbeats
   SET last_ping_at = greatest(last_ping_at, :now), last_ping_from = :source, ping_count = ping_count + 1,
       due_at = greatest(last_ping_at, :now) + period + grace
 WHERE key_digest = :digest AND archived_at IS NULL
RETURNING id, name
""")


class HeartbeatRepository:
    """Heartbeats, inside one transaction. Implements domain.heartbeats.actions.Heartbeats."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, heartbeat: Heartbeat) -> bool:
        """Write a new heartbeat; False when the team has one of this name."""
        fixed = {name: getattr(heartbeat, name) for name in ("id", "team_id", "created_at", "created_by")}
        return await self._written(sa.insert(heartbeats).values({**_values(heartbeat), **fixed}))

    async def locked(self, heartbeat_id: UUID, *, sight: Sight) -> Heartbeat | None:
        """The heartbeat, locked until the transaction ends; None for one out of sight or archived."""
        table = heartbeats
        mine = (table.c.id == heartbeat_id, table.c.archived_at.is_(None), visible(sight, table.c.team_id))
        row = (await self._connection.execute(sa.select(table).where(*mine).with_for_update())).mappings().one_or_none()
        return None if row is None else heartbeat_of(row)

    async def save(self, heartbeat: Heartbeat) -> bool:
        """Write an edit; False when the team has another of this name. What pings and alerts wrote stays."""
        table = heartbeats
        return await self._written(sa.update(table).where(table.c.id == heartbeat.id).values(_values(heartbeat)))

    async def number(self) -> int:
        """How many there are that are not archived."""
        counted = sa.select(sa.func.count()).select_from(heartbeats).where(heartbeats.c.archived_at.is_(None))
        return await self._connection.scalar(counted) or 0

    async def team_in_sight(self, team_id: UUID, *, sight: Sight) -> bool:
        """Whether there is such a team, not archived and within sight."""
        return await is_team_in_sight(self._connection, team_id, sight=sight)

    async def integration_in_sight(self, integration_id: UUID, *, sight: Sight) -> bool:
        """Whether there is such an integration, not archived and within sight."""
        table = integrations
        there = (
            table.c.id == integration_id,
            table.c.id.not_in(OWN_INTEGRATION_IDS),
            table.c.archived_at.is_(None),
            visible(sight, table.c.default_team_id),
        )
        return bool(await self._connection.scalar(sa.select(sa.exists().where(*there))))

    async def _written(self, statement: sa.Executable) -> bool:
        return await write_unless_taken(self._connection, statement, unique="uq_heartbeats")


async def ping(connection: AsyncConnection, digest: bytes, *, source: str | None, now: datetime) -> bool:
    """Count a ping, in the connection's transaction; False when no heartbeat has the key."""
    row = (await connection.execute(_PING, {"digest": digest, "source": source, "now": now})).one_or_none()
    return row is not None


async def list_heartbeats(
    connection: AsyncConnection,
    *,
    sight: Sight,
    ids: Sequence[UUID] | None = None,
    team_id: UUID | None = None,
    with_archived: bool = False,
) -> list[Heartbeat]:
    """Heartbeats within sight by name; of one team, or of these ids, where they are given."""
    table = heartbeats
    statement = sa.select(table).where(visible(sight, table.c.team_id)).order_by(table.c.name, table.c.id)
    if ids is not None:
        statement = statement.where(among(table.c.id, ids))
    if team_id is not None:
        statement = statement.where(table.c.team_id == team_id)
    if not with_archived:
        statement = statement.where(table.c.archived_at.is_(None))
    return [heartbeat_of(row) for row in (await connection.execute(statement)).mappings()]


def heartbeat_of(row: Mapping[Any, Any]) -> Heartbeat:
    """The heartbeat a row tells of."""
    odd = {"interval", "severity", "labels", "watch"}
    values = {name: row[name] for name in Heartbeat.__dataclass_fields__ if name not in odd}
    watched = row["watched_integration_id"]
    return Heartbeat(
        **values,
        interval=row["period"],
        severity=Severity(row["severity"]),
        labels=_json(row["labels"]),
        watch=None if watched is None else Watch(integration_id=watched, labels=_json(row["watched_labels"])),
    )


def _values(heartbeat: Heartbeat) -> dict[str, Any]:
    watch = heartbeat.watch
    return {
        **{name: getattr(heartbeat, name) for name in _EDITED},
        "severity": heartbeat.severity.value,
        "labels": dict(heartbeat.labels),
        "period": heartbeat.interval,
        "watched_integration_id": None if watch is None else watch.integration_id,
        "watched_labels": {} if watch is None else dict(watch.labels),
    }


def _json(value: Any) -> dict[str, str]:  # noqa: ANN401 - text from asyncpg, an object from the engine
    decoded: dict[str, str] = orjson.loads(value) if isinstance(value, str | bytes) else value
    return decoded
