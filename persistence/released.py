"""What if an alert worsens while quiet hours hold what tells of it? What they no longer hold goes at once."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.contacts.planning import hold_of, rests_of
from domain.escalations.model import NotificationState
from persistence.among import among
from persistence.contact_wishes import preferences_of
from persistence.escalations import subjects_of
from persistence.quiet_hours import resting
from persistence.tables import notifications

_HELD, _QUEUED = NotificationState.HELD.value, NotificationState.QUEUED.value


async def release_held(connection: AsyncConnection, alert_ids: Collection[UUID], *, now: datetime) -> int:
    """Queue what is held about these alerts and would not be, as severe as they are now; how many."""
    if not alert_ids:
        return 0
    table = notifications
    statement = (
        sa.select(table.c.id, table.c.alert_id, table.c.user_id, table.c.held_reason)
        .where(among(table.c.alert_id, alert_ids), table.c.state == _HELD, table.c.user_id.is_not(None))
        .with_for_update(skip_locked=True)
    )
    rows = (await connection.execute(statement)).all()
    if not rows:
        return 0
    subjects = await subjects_of(connection, {row.alert_id for row in rows})
    wanted = await preferences_of(connection, {row.user_id for row in rows})
    rests = await resting(connection, subjects)
    released = 0
    for row in rows:
        subject = subjects.get(row.alert_id)
        if subject is None:
            continue
        if hold_of(rests_of(wanted[row.user_id], rests.get(subject.id)), subject.severity, now) is not None:
            continue
        reason = f"{row.held_reason or 'held'}; let go, for it is {subject.severity.value} by now"
        values = {"state": _QUEUED, "next_attempt_at": now, "problem": None, "held_reason": reason, "held_until": now}
        await connection.execute(sa.update(table).where(table.c.id == row.id).values(values))
        released += 1
    return released
