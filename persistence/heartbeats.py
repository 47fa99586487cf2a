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
from persistence.of_teams import OfTeamsRepository, listed
from persistence.reads.visibility import visible
from persistence.tables import heartbeats, integrations

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


class HeartbeatRepository(OfTeamsRepository[Heartbeat]):
    """Heartbeats, inside one transaction; an edit leaves what pings and alerts wrote.

    Implements domain.heartbeats.actions.Heartbeats.
    """

    table = heartbeats
    unique = "uq_heartbeats"

    def _thing_of(self, row: Mapping[Any, Any]) -> Heartbeat:
        return heartbeat_of(row)

    def _values(self, heartbeat: Heartbeat) -> dict[str, Any]:
        return _values(heartbeat)

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
    statement = listed(heartbeats, sight=sight, ids=ids, team_id=team_id, with_archived=with_archived)
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
