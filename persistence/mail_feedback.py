"""What became of a mail after it left? Written down with its notifications in one transaction, and only ever forward.

Sent, delivered, opened; a mail that comes back failed, also after a mailbox said that it was delivered, for only then
its people are told by another way. One that was opened arrived, whatever comes later.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.escalations.model import Notification, NotificationState
from domain.mail.feedback import Feedback, Step
from persistence.contacts import disable_method
from persistence.falling_back import give_up
from persistence.notification_rows import notification_of
from persistence.tables import notifications, outgoing_mail

_MAILED, _SENT = NotificationState.MAILED.value, NotificationState.SENT.value
_DELIVERED = NotificationState.DELIVERED.value
_ERASED = {"recipient": None, "content": None}


async def note_feedback(engine: AsyncEngine, feedback: Feedback, *, now: datetime) -> bool:
    """What a provider called back; False when it is about no mail of ours. What is late changes nothing."""
    table = outgoing_mail
    async with engine.begin() as connection:
        statement = sa.select(table).where(table.c.id == feedback.mail_id).with_for_update()
        row = (await connection.execute(statement)).mappings().one_or_none()
        if row is None:
            return False
        if feedback.is_address:
            await _give_up_address(connection, feedback, now=now)
        if row["opened_at"] is not None or row["failed_at"] is not None:
            return True
        if feedback.step is Step.FAILED:
            await _fail(connection, feedback, now=now)
        elif feedback.step is Step.OPENED or row["delivered_at"] is None:
            await _arrived(connection, feedback, row, now=now)
    return True


async def _arrived(connection: AsyncConnection, feedback: Feedback, row: sa.RowMapping, *, now: datetime) -> None:
    """Delivered at least; the answer of the sender itself may still be on its way."""
    values: dict[str, Any] = {
        "sent_at": row["sent_at"] or now,
        "delivered_at": row["delivered_at"] or now,
        "last_error": None,
        **_ERASED,
    }
    is_opened = feedback.step is Step.OPENED
    if is_opened:
        values["opened_at"] = now
    await connection.execute(sa.update(outgoing_mail).where(outgoing_mail.c.id == feedback.mail_id).values(values))
    before = [_MAILED, _SENT, *([_DELIVERED] if is_opened else [])]
    state = NotificationState.READ if is_opened else NotificationState.DELIVERED
    await connection.execute(
        sa.update(notifications)
        .where(notifications.c.mail_id == feedback.mail_id, notifications.c.state.in_(before))
        .values(state=state.value, settled_at=now, problem=None)
    )


async def _fail(connection: AsyncConnection, feedback: Feedback, *, now: datetime) -> None:
    bounced = {"bounced_at": now} if feedback.is_address else {}
    await connection.execute(
        sa.update(outgoing_mail)
        .where(outgoing_mail.c.id == feedback.mail_id)
        .values(failed_at=now, last_error=feedback.reason, **bounced, **_ERASED)
    )
    failed = await _told_by(connection, feedback, [_MAILED, _SENT, _DELIVERED])
    await give_up(connection, failed, feedback.reason, now=now)


async def _give_up_address(connection: AsyncConnection, feedback: Feedback, *, now: datetime) -> None:
    """The contact method, where it is one; the address of an account is all there is to reach its person by."""
    methods = {one.contact_method_id for one in await _told_by(connection, feedback, None)}
    for method_id in methods:
        if method_id is not None:
            await disable_method(connection, method_id, f"mail came back: {feedback.reason}", now=now)


async def _told_by(connection: AsyncConnection, feedback: Feedback, states: list[str] | None) -> list[Notification]:
    """The notifications that the mail carried."""
    statement = sa.select(notifications).where(notifications.c.mail_id == feedback.mail_id)
    if states is not None:
        statement = statement.where(notifications.c.state.in_(states))
    return [notification_of(row) for row in (await connection.execute(statement)).mappings()]
