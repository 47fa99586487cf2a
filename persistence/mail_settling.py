"""What became of the mail that notifications wait for? It is copied to them; what failed is told by what is left."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.escalations.model import NotificationState
from persistence.contacts import disable_method
from persistence.falling_back import give_up
from persistence.notification_rows import notification_of
from persistence.tables import notifications, outgoing_mail

_MAILED = NotificationState.MAILED.value
BATCH = 500


async def settle(engine: AsyncEngine, *, now: datetime) -> int:
    """Copy what became of the mails to the notifications they carried; how many are settled by it."""
    table, mail = notifications, outgoing_mail
    statement = (
        sa.update(table)
        .where(table.c.state == _MAILED, table.c.mail_id == mail.c.id, mail.c.sent_at.is_not(None))
        .values(state=NotificationState.SENT.value, settled_at=mail.c.sent_at, problem=None)
    )
    async with engine.begin() as connection:
        settled = (await connection.execute(statement)).rowcount
    return settled + await _settle_failed(engine, now=now)


async def _settle_failed(engine: AsyncEngine, *, now: datetime) -> int:
    """Mail that could not be sent: its people are told by what is left, and an address that refuses is given up."""
    table, mail = notifications, outgoing_mail
    statement = (
        sa.select(table, mail.c.last_error, mail.c.bounced_at)
        .join(mail, mail.c.id == table.c.mail_id)
        .where(table.c.state == _MAILED, mail.c.failed_at.is_not(None))
        .limit(BATCH)
        .with_for_update(of=table, skip_locked=True)
    )
    async with engine.begin() as connection:
        rows = (await connection.execute(statement)).mappings().all()
        for row in rows:
            one, reason = notification_of(row), row["last_error"] or "the mail was not sent"
            if one.contact_method_id is not None and row["bounced_at"] is not None:
                await disable_method(connection, one.contact_method_id, f"mail was refused: {reason}", now=now)
            await give_up(connection, [one], reason, now=now)
    return len(rows)
