"""How does a question about a shift become a message? By the person's own method, with a link as long as it is open."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.contacts.model import BY_TEXT, ContactKind, ContactMethod
from domain.escalations.answer import Answer, AnswerLinks
from domain.escalations.model import Notification, NotificationKind
from domain.escalations.urgency import urgency_of
from domain.mail.model import Mail, MailKind
from domain.schedules import swap_message
from domain.schedules.swap_message import SwapTold
from persistence.mail import MailRepository
from persistence.swap_notices import swap_of, swaps_with_schedules
from persistence.texts import NewText, post_text
from persistence.users import users_by_ids

# What became of a swap is worth telling for so long.
NEWS_LIFETIME = timedelta(days=1)


async def write_of_swaps(
    connection: AsyncConnection,
    method: ContactMethod,
    kept: Sequence[Notification],
    *,
    links: AnswerLinks,
    public_url: str,
    now: datetime,
) -> tuple[Sequence[Notification], dict[str, UUID]]:
    """What went into the message, and what carries it, by its column. What is too much goes with the next."""
    if method.kind in {ContactKind.SMS, ContactKind.SLACK}:
        kept = kept[: swap_message.MOST_OF_A_TEXT]
    rows = await swaps_with_schedules(connection, {one.swap_id for one in kept if one.swap_id is not None})
    asked = _open_questions(kept, rows, now=now)
    urls = {
        swap_id: links.url(public_url, Answer(alert_id=swap_id, episode=0, user_id=method.user_id, expires_at=until))
        for swap_id, until in asked.items()
    }
    told = await _news(connection, kept, rows, urls=urls, now=now)
    until = max(asked.values(), default=now + NEWS_LIFETIME)
    if method.kind in BY_TEXT:
        body, urgency = swap_message.body_of(method.kind, told), urgency_of(kept)
        text = NewText(user_id=method.user_id, method_id=method.id, body=body, expires_at=until, urgency=urgency)
        return kept, {"text_id": await post_text(connection, text, now=now)}
    mail = Mail(
        to=method.address,
        subject=swap_message.subject_of(told),
        text=swap_message.text_of(told),
        kind=MailKind.NOTIFICATION,
        user_id=method.user_id,
        expires_at=until,
        priority=urgency_of(kept),
    )
    return kept, {"mail_id": await MailRepository(connection).post(mail)}


async def _news(
    connection: AsyncConnection,
    carried: Sequence[Notification],
    rows: Mapping[UUID, sa.RowMapping],
    *,
    urls: Mapping[UUID, str],
    now: datetime,
) -> list[SwapTold]:
    """What a message says that carries these, each swap once; `urls` are where the questions are answered."""
    swaps = {swap_id: swap_of(row) for swap_id, row in rows.items()}
    ids = {one for swap in swaps.values() for one in (swap.user_id, swap.colleague_id) if one is not None}
    names = {one.id: one.name for one in await users_by_ids(connection, sorted(ids)) if one is not None}
    told = {}
    for one in carried:
        swap = None if one.swap_id is None else swaps.get(one.swap_id)
        if swap is None:
            continue
        row = rows[swap.id]
        told[one.kind, swap.id] = SwapTold(
            kind=one.kind,
            swap=swap,
            state=swap.state_at(now),
            schedule=row["schedule_name"],
            zone=row["schedule_zone"],
            giver=names.get(swap.user_id, ""),
            taker=None if swap.colleague_id is None else names.get(swap.colleague_id),
            why=one.whole_why,
            url=urls.get(swap.id) if one.kind is NotificationKind.SWAP_ASKED else None,
        )
    return list(told.values())


def _open_questions(
    carried: Sequence[Notification], rows: Mapping[UUID, sa.RowMapping], *, now: datetime
) -> dict[UUID, datetime]:
    """The swaps that these ask about, and until when each can be answered."""
    asked = {one.swap_id for one in carried if one.kind is NotificationKind.SWAP_ASKED}
    return {swap_id: row["expires_at"] for swap_id, row in rows.items() if swap_id in asked and now < row["expires_at"]}
