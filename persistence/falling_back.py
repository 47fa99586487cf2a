"""What if a person cannot be told by one contact method? The next is tried at once, and both are on the record."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.escalations.model import CALLS, Notification, NotificationKind, NotificationState
from domain.ids import new_id
from persistence.contact_wishes import wishes_of
from persistence.escalations import notification_row
from persistence.tables import notifications


async def give_up(connection: AsyncConnection, failed: Sequence[Notification], reason: str, *, now: datetime) -> None:
    """Settle them as failed, and tell their people by what is left."""
    table = notifications
    for one in failed:
        await connection.execute(
            sa.update(table)
            .where(table.c.id == one.id)
            .values(state=NotificationState.FAILED.value, settled_at=now, problem=reason[:500])
        )
        is_page = one.kind in CALLS and (one.escalation_id or one.routing_id) is not None
        if one.user_id is not None and (is_page or one.kind is NotificationKind.SWAP_ASKED):
            await tell_by_next(connection, one, one.user_id, reason="another contact method failed", now=now)


async def tell_by_next(
    connection: AsyncConnection, failed: Notification, user_id: UUID, *, reason: str, now: datetime
) -> None:
    """Bring forward what was to come later by the person's rule; else take a method that was not tried."""
    table = notifications
    of_step = sa.and_(
        table.c.alert_id == failed.alert_id,
        table.c.escalation_id.is_not_distinct_from(failed.escalation_id),
        table.c.position.is_not_distinct_from(failed.position),
        table.c.routing_id.is_not_distinct_from(failed.routing_id),
        table.c.user_id == user_id,
        *(() if failed.swap_id is None else (table.c.swap_id == failed.swap_id, table.c.kind == failed.kind.value)),
    )
    rows = (await connection.execute(sa.select(table).where(of_step).order_by(table.c.next_attempt_at))).all()
    later = next((row for row in rows if row.state == NotificationState.QUEUED.value), None)
    if later is not None:
        if later.next_attempt_at is not None and later.next_attempt_at > now:
            await connection.execute(sa.update(table).where(table.c.id == later.id).values(next_attempt_at=now))
        return
    tried = {row.contact_method_id or user_id for row in rows}
    ways = (await wishes_of(connection, [user_id]))[user_id].ways
    way = next((way for way in ways if way.method_id not in tried), None)
    if way is None:
        return  # the escalation goes on to its next step
    row = notification_row(
        Notification(
            id=new_id(),
            kind=failed.kind,
            why=f"{failed.why}; {reason}",
            created_at=now,
            alert_id=failed.alert_id,
            episode=failed.episode,
            user_id=user_id,
            escalation_id=failed.escalation_id,
            position=failed.position,
            routing_id=failed.routing_id,
            group_id=failed.group_id,
            swap_id=failed.swap_id,
            next_attempt_at=now,
            contact_method_id=None if way.method_id == user_id else way.method_id,
            contact_kind=way.kind.value,
        )
    )
    await connection.execute(insert(table).on_conflict_do_nothing(), row)
