"""Which alerts of a piece of the log may call for somebody, or no longer do? Those something happened to that matters.

Nothing is looked for while there is neither a policy nor an escalation at work: an installation without them pays one
statement a run.
"""

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
    )
]
_ANY = sa.text("""
SELECT EXISTS (SELECT FROM escalation_policies WHERE archived_at IS NULL)
    OR EXISTS (SELECT FROM escalations WHERE state IN ('running', 'paused'))
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
_TOUCHED = sa.text("""
SELECT DISTINCT alert_id FROM alert_events
 WHERE (xid, seq) > (CAST(CAST(:from_xid AS text) AS xid8), :from_seq)
   AND (xid, seq) <= (CAST(CAST(:to_xid AS text) AS xid8), :to_seq)
   AND recorded_at >= :since AND kind = ANY(:kinds)
""").bindparams(
    sa.bindparam("from_seq", type_=sa.BigInteger),
    sa.bindparam("to_seq", type_=sa.BigInteger),
    sa.bindparam("since", type_=sa.DateTime(timezone=True)),
    sa.bindparam("kinds", type_=sa.ARRAY(sa.Text)),
)


async def alerts_to_look_at(connection: AsyncConnection, *, before: Cursor, end: Cursor) -> list[UUID]:
    """The alerts of the events after `before` up to and including `end`, as far as escalations care."""
    if not await connection.scalar(_ANY):
        return []
    return await _touched(connection, _KINDS, before=before, end=end)


async def inhibited_to_look_at(connection: AsyncConnection, *, before: Cursor, end: Cursor) -> list[UUID]:
    """The alerts of the same piece of the log that may hold others, or be held, otherwise than before."""
    if not await connection.scalar(_ANY_INHIBITION):
        return []
    return await _touched(connection, _INHIBITING_KINDS, before=before, end=end)


async def _touched(connection: AsyncConnection, kinds: list[str], *, before: Cursor, end: Cursor) -> list[UUID]:
    first, last = before.position, end.position
    values = {
        "from_xid": str(first.xid),
        "from_seq": first.seq,
        "to_xid": str(last.xid),
        "to_seq": last.seq,
        "since": before.recorded_at - RECORDED_AT_MARGIN,
        "kinds": kinds,
    }
    return list(await connection.scalars(_TOUCHED, values))
