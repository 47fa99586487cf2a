"""What if a provider stays away? Pages that wait for it are told by another way as well, once; they are not given up.

When it comes back they leave after all: somebody may be told twice, never not at all.
"""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.channels.circuit import PATIENCE, Circuit
from domain.escalations.model import CALLS, Notification, NotificationKind, NotificationState
from persistence.circuits import troubled_circuits
from persistence.falling_back import tell_by_next
from persistence.notification_rows import notification_of
from persistence.tables import notifications, outgoing_mail, text_messages

BATCH = 200
# What calls for somebody, and what somebody is asked: news can wait.
_ASKING = [kind.value for kind in (*sorted(CALLS), NotificationKind.SWAP_ASKED)]


async def go_around(engine: AsyncEngine, *, now: datetime) -> int:
    """Tell by another way what waits for a provider that is away; how many pages."""
    async with engine.begin() as connection:
        away = [one for one in await troubled_circuits(connection) if _is_long(one, now=now)]
        if not away:
            return 0
        pages = await _waiting(connection, away, now=now)
        for page in pages:
            if page.user_id is not None:
                reason = "the provider of another contact method is away"
                await tell_by_next(connection, page, page.user_id, reason=reason, now=now)
    return len(pages)


def _is_long(circuit: Circuit, *, now: datetime) -> bool:
    is_of_people = circuit.channel_id is None
    return is_of_people and circuit.opened_at is not None and circuit.opened_at <= now - PATIENCE


async def _waiting(connection: AsyncConnection, away: list[Circuit], *, now: datetime) -> list[Notification]:
    """The pages in the outboxes of these providers, marked so that each is told by another way once."""
    table, mail, text = notifications, outgoing_mail, text_messages
    kinds = [one.key.partition(":")[2] for one in away if one.kind == "text"]
    mail_waits = sa.and_(mail.c.id.is_not(None), mail.c.sent_at.is_(None), mail.c.failed_at.is_(None))
    text_waits = sa.and_(text.c.id.is_not(None), text.c.sent_at.is_(None), text.c.failed_at.is_(None))
    by_mail = mail_waits if any(one.kind == "mail" for one in away) else sa.false()
    found = (
        sa.select(table.c.id)
        .select_from(table.outerjoin(mail, mail.c.id == table.c.mail_id).outerjoin(text, text.c.id == table.c.text_id))
        .where(
            table.c.state == NotificationState.MAILED.value,
            table.c.kind.in_(_ASKING),
            table.c.fell_back_at.is_(None),
            table.c.mailed_at <= now - PATIENCE,
            sa.or_(by_mail, sa.and_(text_waits, table.c.contact_kind.in_(kinds))),
        )
        .order_by(table.c.id)
        .limit(BATCH)
        .with_for_update(of=table, skip_locked=True)
    )
    marked = sa.update(table).where(table.c.id.in_(found)).values(fell_back_at=now).returning(*table.c)
    return [notification_of(row) for row in (await connection.execute(marked)).mappings()]
