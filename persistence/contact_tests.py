"""How is a contact method tried? By a notification like any other, about no alert."""

from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.contacts.model import ContactKind
from domain.errors import TooManyAttempts
from domain.escalations.model import Notification, NotificationKind
from domain.ids import new_id
from persistence.escalations import notification_row
from persistence.tables import notifications

SPACING = timedelta(minutes=1)


async def queue_contact_test(
    connection: AsyncConnection, user_id: UUID, method_id: UUID, kind: ContactKind | None, *, now: datetime
) -> Notification:
    """A message that says that it is a test; TooManyAttempts when there was one a moment ago."""
    table = notifications
    newest = await connection.scalar(
        sa.select(sa.func.max(table.c.created_at)).where(
            table.c.user_id == user_id, table.c.kind == NotificationKind.TEST.value
        )
    )
    if newest is not None and newest > now - SPACING:
        wait = newest + SPACING - now
        message = "a test was sent a moment ago"
        raise TooManyAttempts(message, ("contactMethodId",), retry_after_seconds=max(1, round(wait.total_seconds())))
    made = Notification(
        id=new_id(),
        kind=NotificationKind.TEST,
        why="you try the contact method",
        created_at=now,
        user_id=user_id,
        contact_method_id=None if kind is None else method_id,
        contact_kind=(kind or ContactKind.EMAIL).value,
        next_attempt_at=now,
    )
    await connection.execute(sa.insert(table).values(notification_row(made)))
    return made
