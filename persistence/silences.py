"""How are silences kept, and their marks on open alerts written? Set-based, under the exclusive silences lock.

Every writer of an alert holds that lock shared (locks.py), so who holds it exclusively needs no lock on single alerts:
ten thousand of them would not fit the server's lock table. The order of transaction ids holds all the same: the lock
comes before this transaction's first write, and after every earlier writer's COMMIT.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg
import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.events import Actor, ActorKind
from domain.alerts.model import AlertStatus, Severity
from domain.room import Numbers
from domain.silences.marks import Mark, OpenAlert
from domain.silences.matchers import matchers_from_json
from domain.silences.model import FROM_THE_FIRST, Silence, SilenceState
from persistence.event_log import append_events
from persistence.label_conditions import equality_conditions
from persistence.of_teams import count_of
from persistence.people_directory import PeopleDirectory
from persistence.silence_conditions import kept_condition
from persistence.tables import OPEN, alert_rules, alerts, silences

_PLAIN = (
    "id", "integration_id", "starts_at", "ends_at", "created_by", "comment", "updated_at", "version", "team_id",
    "holds_private", "window_id", "occurrence_at", "swept_after",
)  # fmt: skip
_FIELDS = (*_PLAIN, "matchers", "condition", "applied", "actor_kind", "actor_id")
SILENCE_COLUMNS = tuple(silences.c[name] for name in _FIELDS)
_OPEN_ALERT = (
    "id", "integration_id", "team_id", "labels", "suppressed_by", "version", "severity", "status", "title", "source",
    "service_name", "dedup_key", "started_at",
)  # fmt: skip
OPEN_ALERT_COLUMNS = tuple(alerts.c[name] for name in _OPEN_ALERT)
_STANDING = silences.c.applied != SilenceState.EXPIRED.value
_IS_OPEN = sa.text("alerts." + OPEN)
_IS_MARKED: sa.ColumnElement[bool] = alerts.c.suppressed_by != sa.literal_column("'{}'", alerts.c.suppressed_by.type)
# One statement carries this many marks: beyond it a single message to the server would be tens of megabytes.
_CHUNK = 5_000
Row: TypeAlias = sa.RowMapping | asyncpg.Record


def silence_of(row: Row) -> Silence:
    """The silence a row holds; from SQLAlchemy (matchers decoded) or from asyncpg (as text)."""
    matchers, condition, actor_kind = row["matchers"], row["condition"], row["actor_kind"]
    return Silence(
        matchers=matchers_from_json(orjson.loads(matchers) if isinstance(matchers, str) else matchers),
        condition=None if condition is None else kept_condition(condition),
        applied=SilenceState(row["applied"]),
        actor=None if actor_kind is None else Actor(ActorKind(actor_kind), row["actor_id"]),
        **{name: row[name] for name in _PLAIN},
    )


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

    async def teams_of_rules(self, marks: AbstractSet[UUID]) -> dict[UUID, UUID]:
        """The team of each mark that is a team's alert rule."""
        if not marks:
            return {}
        whose = sa.select(alert_rules.c.id, alert_rules.c.team_id)
        mine = whose.where(alert_rules.c.id.in_(sorted(marks)), alert_rules.c.team_id.is_not(None))
        return {row.id: row.team_id for row in await self._connection.execute(mine)}


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

    async def find(self, silence_id: UUID) -> Silence | None:
        """The silence, of whatever scope."""
        rows = await self._connection.execute(sa.select(*SILENCE_COLUMNS).where(silences.c.id == silence_id))
        row = rows.mappings().one_or_none()
        return None if row is None else silence_of(row)

    async def count_standing(self, *, integration_id: UUID | None, team_id: UUID | None) -> Numbers:
        """How many silences of the scope, and of the team within it, are pending or active, those of windows aside."""
        mine = (_STANDING, _of_scope(integration_id), silences.c.window_id.is_(None))
        return await count_of(self._connection, silences, team_id, *mine)

    async def due(self, now: datetime, *, limit: int) -> list[Silence]:
        """Those whose start or end has passed and is not applied yet, earliest first; then those with marks to set."""
        order = (silences.c.swept_after.is_not(None), silences.c.starts_at, silences.c.id)
        rows = await self._connection.execute(
            sa.select(*SILENCE_COLUMNS).where(is_due(now)).order_by(*order).limit(limit)
        )
        return [silence_of(row) for row in rows.mappings()]

    async def private_teams(self) -> frozenset[UUID]:
        """The teams whose alerts only their members and administrators see."""
        return await PeopleDirectory(self._connection).private_teams()

    async def add(self, silence: Silence) -> None:
        """Keep a new one."""
        await self._connection.execute(
            sa.insert(silences).values(created_at=silence.updated_at, **_stored(silence)),
        )

    async def save(self, silence: Silence) -> None:
        """Keep the new state of a known one."""
        values = _stored(silence)
        await self._connection.execute(sa.update(silences).where(silences.c.id == values.pop("id")).values(**values))

    async def open_alerts(self, silence: Silence, *, limit: int) -> list[OpenAlert]:
        """The next open alerts it may hold. Equality is decided here; the domain decides the rest on what is left."""
        conditions = equality_conditions(silence.matchers)
        if silence.integration_id is not None:
            conditions.append(alerts.c.integration_id == silence.integration_id)
        if silence.team_id is not None:
            conditions.append(alerts.c.team_id == silence.team_id)
        return await self._alerts(silence, *conditions, limit=limit)

    async def marked_alerts(self, silence: Silence, *, limit: int) -> list[OpenAlert]:
        """The next open alerts that carry its mark."""
        carried = alerts.c.suppressed_by.contains(sa.cast([silence.id], pg.ARRAY(pg.UUID)))
        return await self._alerts(silence, carried, _IS_MARKED, limit=limit)

    async def _alerts(self, silence: Silence, *conditions: sa.ColumnElement[bool], limit: int) -> list[OpenAlert]:
        after = alerts.c.id > (silence.swept_after or FROM_THE_FIRST)
        # Ordered last: by the ids' own index all alerts that were ever resolved would be walked through.
        found = sa.select(*OPEN_ALERT_COLUMNS).where(_IS_OPEN, after, *conditions).offset(0).subquery()
        rows = await self._connection.execute(sa.select(found).order_by(found.c.id).limit(limit))
        return [open_alert_of(row) for row in rows.mappings()]

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


def _of_scope(integration_id: UUID | None) -> sa.ColumnElement[bool]:
    return silences.c.integration_id.is_not_distinct_from(integration_id)


def is_due(now: datetime) -> sa.ColumnElement[bool]:
    """The condition that a silence must begin or end, or that its marks are unfinished."""
    starting = sa.and_(silences.c.applied == SilenceState.PENDING.value, silences.c.starts_at <= now)
    ending = sa.and_(_STANDING, silences.c.ends_at <= now)
    return sa.or_(starting, ending, silences.c.swept_after.is_not(None))


def _stored(silence: Silence) -> dict[str, Any]:
    return {
        **{name: getattr(silence, name) for name in _PLAIN},
        "matchers": [matcher.as_json() for matcher in silence.matchers],
        "condition": None if silence.condition is None else silence.condition.text,
        "applied": silence.applied.value,
        "actor_kind": None if silence.actor is None else silence.actor.kind.value,
        "actor_id": None if silence.actor is None else silence.actor.id,
    }


def open_alert_of(row: Row) -> OpenAlert:
    """What marking needs of an alert."""
    values = {name: row[name] for name in _OPEN_ALERT}
    values["suppressed_by"] = tuple(values["suppressed_by"])
    values["severity"], values["status"] = Severity(values["severity"]), AlertStatus(values["status"])
    return OpenAlert(**values)
