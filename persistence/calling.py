"""Which alerts of a piece of the log may call for somebody, or no longer do? Those something happened to that matters.

Nothing is looked for while there is neither a policy nor an escalation at work: an installation without them pays one
statement a run.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.cursor import Cursor
from domain.alerts.events import AlertEventKind
from persistence.event_log import RECORDED_AT_MARGIN

# A comment, an attachment, a repeat calls for nobody.
_KINDS = [
    kind.value
    for kind in (
        AlertEventKind.OPENED,
        AlertEventKind.REOPENED,
        AlertEventKind.ACKNOWLEDGED,
        AlertEventKind.UNACKNOWLEDGED,
        AlertEventKind.INVESTIGATING,
        AlertEventKind.RESOLVED,
        AlertEventKind.UPDATED,
        AlertEventKind.MOVED,
        AlertEventKind.SNOOZED,
        AlertEventKind.WOKEN,
        AlertEventKind.SUPPRESSED,
        AlertEventKind.UNSUPPRESSED,
        AlertEventKind.FLAPPING_STARTED,
        AlertEventKind.FLAPPING_ENDED,
        AlertEventKind.PAUSE_ENDED,
        AlertEventKind.GROUPED,
        AlertEventKind.UNGROUPED,
    )
]
_ANY = sa.text("""
SELECT EXISTS (SELECT FROM escalation_policies WHERE archived_at IS NULL)
    OR EXISTS (SELECT FROM escalations WHERE state IN ('running', 'paused'))
    OR EXISTS (SELECT FROM escalations WHERE is_standing)
    OR EXISTS (SELECT FROM routing_rules)
    -- Every step fired: whom they told hears of the end, also when no policy is left.
    OR EXISTS (SELECT FROM escalations WHERE state = 'exhausted')
""")
_INHIBITING_KINDS = [
    kind.value
    for kind in (
        AlertEventKind.OPENED,
        AlertEventKind.REOPENED,
        AlertEventKind.RESOLVED,
        AlertEventKind.UPDATED,
    )
]
_ANY_INHIBITION = sa.text("SELECT EXISTS (SELECT FROM inhibition_rules WHERE enabled AND archived_at IS NULL)")
_OF_PIECE = """
SELECT DISTINCT alert_id FROM alert_events
 WHERE (xid, seq) > (CAST(CAST(:from_xid AS text) AS xid8), :from_seq)
   AND (xid, seq) <= (CAST(CAST(:to_xid AS text) AS xid8), :to_seq)
   AND recorded_at >= :since"""
_BOUNDS = (
    sa.bindparam("from_seq", type_=sa.BigInteger),
    sa.bindparam("to_seq", type_=sa.BigInteger),
    sa.bindparam("since", type_=sa.DateTime(timezone=True)),
)
_TOUCHED = sa.text(f"{_OF_PIECE} AND kind = ANY(:kinds)").bindparams(
    *_BOUNDS, sa.bindparam("kinds", type_=sa.ARRAY(sa.Text))
)
# Who is told of it, or whom quiet hours keep from hearing of what is worse by now.
_ANY_WORSENED = sa.text("""
SELECT EXISTS (SELECT FROM routing_rules WHERE is_enabled AND archived_at IS NULL AND 'worsened' = ANY(events))
    OR EXISTS (SELECT FROM notifications WHERE state = 'held')
""")
_WORSENED = sa.text(
    _OF_PIECE
    + """ AND kind = 'updated' AND alert_id = ANY(:ids)
   AND CAST(data #>> '{changes,severity,1}' AS alert_severity) > CAST(data #>> '{changes,severity,0}' AS alert_severity)
"""
).bindparams(*_BOUNDS, sa.bindparam("ids", type_=sa.ARRAY(sa.Uuid)))


async def alerts_to_look_at(connection: AsyncConnection, *, before: Cursor, end: Cursor) -> list[UUID]:
    """The alerts of the events after `before` up to and including `end`, as far as escalations care."""
    if not await connection.scalar(_ANY):
        return []
    return await _touched(connection, _KINDS, before=before, end=end)


async def worsened_among(
    connection: AsyncConnection, alert_ids: Sequence[UUID], *, before: Cursor, end: Cursor
) -> set[UUID]:
    """Those of the alerts whose severity was raised in the same piece of the log."""
    if not alert_ids or not await connection.scalar(_ANY_WORSENED):
        return set()
    values = {**_piece(before, end), "ids": list(alert_ids)}
    return set(await connection.scalars(_WORSENED, values))


async def inhibited_to_look_at(connection: AsyncConnection, *, before: Cursor, end: Cursor) -> list[UUID]:
    """The alerts of the same piece of the log that may hold others, or be held, otherwise than before."""
    if not await connection.scalar(_ANY_INHIBITION):
        return []
    return await _touched(connection, _INHIBITING_KINDS, before=before, end=end)


async def _touched(connection: AsyncConnection, kinds: list[str], *, before: Cursor, end: Cursor) -> list[UUID]:
    return list(await connection.scalars(_TOUCHED, {**_piece(before, end), "kinds": kinds}))


def _piece(before: Cursor, end: Cursor) -> dict[str, Any]:
    first, last = before.position, end.position
    return {
        "from_xid": str(first.xid),
        "from_seq": first.seq,
        "to_xid": str(last.xid),
        "to_seq": last.seq,
        "since": before.recorded_at - RECORDED_AT_MARGIN,
    }
