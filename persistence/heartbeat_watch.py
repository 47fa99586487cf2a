"""Which heartbeats were missed, and which are back? Their alerts, raised and resolved by the one way in.

The alert and the mark that it stands are written in one transaction, and only if the heartbeat still is as it was read:
a ping that comes between the look and the write wins.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.alerts.signal import ItemResult
from domain.heartbeats.model import Heartbeat
from domain.heartbeats.signals import is_over, missed, recovered, submission_of
from persistence.heartbeats import heartbeat_of
from persistence.own_signals import Overtaken, OwnSignals
from persistence.tables import OPEN

BATCH = 500
# An alert of the watched integration that has the labels was seen again: that is its tool's ping. Of the open ones,
# which are few: it is asked every few seconds.
_TAKE_WATCHED = sa.text(f"""
UPDATE heartbeats h
   SET last_ping_at = seen.at, due_at = seen.at + h.period + h.grace, ping_count = h.ping_count + 1,
       last_ping_from = 'integration ' || seen.name
  FROM (SELECT w.id, i.name, newest.at
          FROM heartbeats w JOIN integrations i ON i.id = w.watched_integration_id,
               LATERAL (SELECT max(a.last_seen_at) AS at FROM alerts a
                         WHERE a.integration_id = w.watched_integration_id AND {OPEN}
                           AND a.labels @> w.watched_labels) AS newest
         WHERE w.watched_integration_id IS NOT NULL AND w.archived_at IS NULL) AS seen
 WHERE h.id = seen.id AND seen.at IS NOT NULL AND (h.last_ping_at IS NULL OR h.last_ping_at < seen.at)
""")  # noqa: S608 - a constant of ours
_MISSED = "due_at <= {now} AND down_at IS NULL AND paused_at IS NULL AND archived_at IS NULL"
_BACK = (
    "down_at IS NOT NULL AND (due_at > down_at OR due_at IS NULL OR paused_at IS NOT NULL OR archived_at IS NOT NULL)"
)
_ANY = sa.text(
    f"SELECT EXISTS (SELECT FROM heartbeats WHERE {_MISSED.format(now=':now')})"  # noqa: S608 - constants
    f" OR EXISTS (SELECT FROM heartbeats WHERE {_BACK})"
)
_TURNING = (
    f"SELECT * FROM heartbeats WHERE ({_MISSED.format(now='$1')}) OR ({_BACK})"  # noqa: S608 - constants
    " ORDER BY due_at LIMIT $2"
)
_MARK_DOWN = """
UPDATE heartbeats SET down_at = due_at, alert_id = $3
 WHERE id = $1 AND due_at = $2 AND down_at IS NULL AND paused_at IS NULL AND archived_at IS NULL RETURNING id
"""
_MARK_BACK = "UPDATE heartbeats SET down_at = NULL WHERE id = $1 AND down_at = $2 RETURNING id"


async def take_watched(engine: AsyncEngine) -> None:
    """Count the signals that stand for pings."""
    async with engine.begin() as connection:
        await connection.execute(_TAKE_WATCHED)


async def any_turns(engine: AsyncEngine, *, now: datetime) -> bool:
    """Whether an alert is to be raised or resolved."""
    async with engine.connect() as connection:
        return bool(await connection.scalar(_ANY, {"now": now}))


async def turn(way: OwnSignals, *, now: datetime) -> int:
    """Raise what is overdue, resolve what is back; how many alerts turned."""
    done = 0
    for row in await way.connection.fetch(_TURNING, now, BATCH):
        done += await _turn_one(way, heartbeat_of(dict(row)), now=now)
    return done


async def _turn_one(way: OwnSignals, heartbeat: Heartbeat, *, now: datetime) -> int:
    is_back = is_over(heartbeat)
    due_at, down_at = heartbeat.due_at, heartbeat.down_at
    if not is_back and (due_at is None or down_at is not None):
        return 0
    signal = recovered(heartbeat) if is_back or due_at is None else missed(heartbeat, due_at)

    async def alongside(connection: Any, results: Sequence[ItemResult]) -> None:  # noqa: ANN401 - the store's own
        if is_back:
            marked = await connection.fetchval(_MARK_BACK, heartbeat.id, down_at)
        else:
            marked = await connection.fetchval(_MARK_DOWN, heartbeat.id, due_at, results[0].alert_id)
        if marked is None:
            raise Overtaken

    try:
        await way.store.write([replace(submission_of(heartbeat, signal, now=now), extra=alongside)])
    except Overtaken:
        return 0
    way.wrote = True
    return 1
