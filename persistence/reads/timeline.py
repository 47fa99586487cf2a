"""What happened to these alerts? Pages of their timelines and the decisions on them, for many alerts in one statement.

A look at one alert's events goes by (alert_id, xid, seq) in each partition; the time the alert's id was made says which
partitions cannot hold any, so an alert of today never reads the log of two years.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.decisions import DecisionKind
from domain.alerts.events import LogPosition, RecordedEvent
from domain.alerts.explanation import RecordedDecision
from domain.alerts.passing import TAKEN_BACK
from domain.ids import id_time
from persistence.event_log import recorded_event_of
from persistence.tables import alert_events

# An id is made before its events are recorded, but maybe by the clock of another host.
_MARGIN = timedelta(days=1)
_START = datetime(1970, 1, 1, tzinfo=UTC)
_UUID_7 = 7
# Of a long life the first and the newest events are looked at for decisions: repeats carry none.
DECISIONS_FROM_FIRST = 20
DECISIONS_FROM_LAST = 200
# Of one alert so many events are looked through for what is to be taken back: the first change of a field counts. One
# that flaps has thousands, of which few change any of these.
MOST_LOOKED_THROUGH = 2000

_EVENT_COLUMNS = (
    "xid, seq, recorded_at, id, alert_id, kind, occurred_at, actor_kind, actor_id, version, "
    "severity::text AS severity, status::text AS status, data::text AS data"
)


def _wanted(alert_ids: Sequence[UUID]) -> dict[str, Any]:
    return {"ids": list(alert_ids), "since": [_since(alert_id) for alert_id in alert_ids]}


def _since(alert_id: UUID) -> datetime:
    return id_time(alert_id) - _MARGIN if alert_id.version == _UUID_7 else _START


def _statement(text: str, **types: sa.types.TypeEngine[Any]) -> sa.TextClause:
    return sa.text(text).bindparams(
        sa.bindparam("ids", type_=pg.ARRAY(pg.UUID(as_uuid=True))),
        sa.bindparam("since", type_=pg.ARRAY(sa.DateTime(timezone=True))),
        *(sa.bindparam(name, type_=type_) for name, type_ in types.items()),
    )


async def read_timelines(
    connection: AsyncConnection,
    alert_ids: Sequence[UUID],
    *,
    limit: int,
    after: LogPosition | None = None,
    before: LogPosition | None = None,
    backward: bool = False,
) -> dict[UUID, list[RecordedEvent]]:
    """The first `limit` events of each alert beyond `after`; when `backward`, the last ones, in reverse order."""
    conditions = ""
    arguments = {**_wanted(alert_ids), "limit": limit}
    for name, position, operator in (("after", after, ">"), ("before", before, "<")):
        if position is not None:
            conditions += f" AND (xid, seq) {operator} (:{name}_xid\\:\\:text\\:\\:xid8, :{name}_seq)"
            arguments |= {f"{name}_xid": str(position.xid), f"{name}_seq": position.seq}
    direction = "DESC" if backward else "ASC"
    statement = _statement(
        f"""
        SELECT event.* FROM unnest(:ids, :since) AS wanted(wanted_id, since) CROSS JOIN LATERAL (
            SELECT {_EVENT_COLUMNS} FROM alert_events
             WHERE alert_id = wanted_id AND recorded_at >= since{conditions}
             ORDER BY xid {direction}, seq {direction} LIMIT :limit) AS event
         ORDER BY alert_id, xid {direction}, seq {direction}
        """,  # noqa: S608 - put together from the constants above
        limit=sa.BigInteger(),
    )
    rows = await connection.execute(statement, arguments)
    found: dict[UUID, list[RecordedEvent]] = {alert_id: [] for alert_id in alert_ids}
    for row in rows.mappings():
        found[row["alert_id"]].append(recorded_event_of(row))
    return found


async def events_by_ids(connection: AsyncConnection, keys: Sequence[tuple[UUID, UUID]]) -> dict[UUID, RecordedEvent]:
    """Events by (alert id, event id); the alert's id finds the partition and the index."""
    statement = _statement(
        f"""
        SELECT event.* FROM unnest(:ids, :since, :events) AS wanted(wanted_id, since, event_id)
         CROSS JOIN LATERAL (
            SELECT {_EVENT_COLUMNS} FROM alert_events
             WHERE alert_id = wanted_id AND recorded_at >= since AND id = event_id) AS event
        """,  # noqa: S608 - put together from the constants above
        events=pg.ARRAY(pg.UUID(as_uuid=True)),
    )
    arguments = {**_wanted([alert_id for alert_id, _ in keys]), "events": [event_id for _, event_id in keys]}
    rows = await connection.execute(statement, arguments)
    return {row["id"]: recorded_event_of(row) for row in rows.mappings()}


async def count_events(connection: AsyncConnection, alert_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many events each alert's timeline has."""
    rows = await connection.execute(
        sa.select(alert_events.c.alert_id, sa.func.count())
        .where(
            alert_events.c.alert_id.in_(alert_ids),
            alert_events.c.recorded_at >= min(map(_since, alert_ids), default=_START),
        )
        .group_by(alert_events.c.alert_id)
    )
    counts = {alert_id: int(number) for alert_id, number in rows}
    return {alert_id: counts.get(alert_id, 0) for alert_id in alert_ids}


async def changes_after(
    connection: AsyncConnection, alert_ids: Sequence[UUID], after: LogPosition, *, since: datetime
) -> dict[UUID, list[tuple[LogPosition, Mapping[str, Any]]]]:
    """What events of these alerts changed beyond a place in the log, whose event was recorded at `since`: in order.

    Only events that change what is taken back (domain/alerts/passing.py).
    """
    statement = _statement(
        """
        SELECT event.* FROM unnest(:ids, :since) AS wanted(wanted_id, since) CROSS JOIN LATERAL (
            SELECT alert_id, xid, seq, data -> 'changes' AS changes FROM alert_events
             WHERE alert_id = wanted_id AND recorded_at >= since AND kind <> 'repeated'
               AND (xid, seq) > (:after_xid\\:\\:text\\:\\:xid8, :after_seq)
             ORDER BY xid, seq LIMIT :limit) AS event
         WHERE changes ?| :names
         ORDER BY alert_id, xid, seq
        """,
        limit=sa.BigInteger(),
        names=pg.ARRAY(sa.Text()),
    )
    earliest = since - _MARGIN
    arguments = {
        "ids": list(alert_ids),
        "since": [max(earliest, _since(alert_id)) for alert_id in alert_ids],
        "after_xid": str(after.xid),
        "after_seq": after.seq,
        "limit": MOST_LOOKED_THROUGH,
        "names": list(TAKEN_BACK),
    }
    found: dict[UUID, list[tuple[LogPosition, Mapping[str, Any]]]] = {alert_id: [] for alert_id in alert_ids}
    for row in (await connection.execute(statement, arguments)).mappings():
        found[row["alert_id"]].append((LogPosition(row["xid"], row["seq"]), row["changes"]))
    return found


async def read_decisions(connection: AsyncConnection, alert_ids: Sequence[UUID]) -> dict[UUID, list[RecordedDecision]]:
    """The decisions on each alert, oldest first."""
    statement = _statement(
        """
        SELECT event.alert_id, event.id, event.occurred_at, event.data -> 'decisions' AS decisions
          FROM unnest(:ids, :since) AS wanted(wanted_id, since) CROSS JOIN LATERAL (
            (SELECT * FROM alert_events WHERE alert_id = wanted_id AND recorded_at >= since
              ORDER BY xid, seq LIMIT :first)
            UNION
            (SELECT * FROM alert_events WHERE alert_id = wanted_id AND recorded_at >= since
              ORDER BY xid DESC, seq DESC LIMIT :last)) AS event
         WHERE event.data ? 'decisions'
         ORDER BY event.alert_id, event.xid, event.seq
        """,
        first=sa.BigInteger(),
        last=sa.BigInteger(),
    )
    rows = await connection.execute(
        statement, {**_wanted(alert_ids), "first": DECISIONS_FROM_FIRST, "last": DECISIONS_FROM_LAST}
    )
    found: dict[UUID, list[RecordedDecision]] = {alert_id: [] for alert_id in alert_ids}
    for row in rows.mappings():
        found[row["alert_id"]].extend(_decision(row, entry) for entry in row["decisions"])
    return found


def _decision(row: sa.RowMapping, entry: Mapping[str, Any]) -> RecordedDecision:
    return RecordedDecision(
        kind=DecisionKind(entry["kind"]),
        reason=entry["reason"],
        inputs=entry["inputs"],
        event_id=row["id"],
        decided_at=row["occurred_at"],
    )
