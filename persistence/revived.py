"""What if a rule's page was dropped before it left, and its alert calls for somebody again? It waits for its turn anew.

A rule decides once for an opening. A page that a silence, a snooze or an answer overtook on its way was told to nobody:
when that ends, it is owed still. Who was told of the opening by another page meanwhile is not told again.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.contacts.planning import hold_of, rests_of
from domain.escalations.engine import Subject
from domain.escalations.model import NotificationKind, NotificationState
from persistence.among import among
from persistence.contact_wishes import preferences_of
from persistence.quiet_hours import resting
from persistence.tables import notifications

_DROPPED, _HELD, _QUEUED = (
    state.value for state in (NotificationState.DROPPED, NotificationState.HELD, NotificationState.QUEUED)
)
_GONE = [_DROPPED, NotificationState.FAILED.value]
_PAGE = NotificationKind.PAGE.value


async def revive_dropped(connection: AsyncConnection, calling: Mapping[UUID, Subject], *, now: datetime) -> int:
    """Queue what was dropped about these alerts, which call for somebody; how many."""
    if not calling:
        return 0
    rows = await _owed(connection, calling)
    if not rows:
        return 0
    wanted = await preferences_of(connection, {row.user_id for row in rows if row.user_id is not None})
    rests = await resting(connection, calling)
    for row in rows:
        values: dict[str, object] = {"state": _QUEUED, "settled_at": None, "problem": None, "next_attempt_at": now}
        hold = None
        if row.user_id is not None:
            rest = rests_of(wanted[row.user_id], rests.get(row.alert_id))
            hold = hold_of(rest, calling[row.alert_id].severity, now)
        if hold is not None:
            held = {"problem": hold.reason, "held_reason": hold.reason, "held_until": hold.until}
            values |= {"state": _HELD, "next_attempt_at": hold.until, **held}
        await connection.execute(sa.update(notifications).where(notifications.c.id == row.id).values(values))
    return len(rows)


async def _owed(connection: AsyncConnection, calling: Mapping[UUID, Subject]) -> list[Any]:
    table, other = notifications, notifications.alias("told")
    who = sa.func.coalesce(other.c.user_id, other.c.channel_id)
    is_told = sa.exists().where(
        other.c.alert_id == table.c.alert_id,
        other.c.episode == table.c.episode,
        other.c.kind == _PAGE,
        other.c.state.not_in(_GONE),
        who == sa.func.coalesce(table.c.user_id, table.c.channel_id),
    )
    statement = (
        sa.select(table.c.id, table.c.alert_id, table.c.episode, table.c.user_id)
        .where(
            among(table.c.alert_id, calling),
            table.c.kind == _PAGE,
            table.c.state == _DROPPED,
            table.c.routing_id.is_not(None),
            table.c.mailed_at.is_(None),
            table.c.attempts == 0,
            ~is_told,
        )
        .with_for_update(of=table, skip_locked=True)
    )
    return [row for row in await connection.execute(statement) if row.episode == calling[row.alert_id].episode]
