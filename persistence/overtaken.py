"""Is what waits in an outbox still what is to be said? Asked once more, right before it leaves.

A provider may be away for hours, and a night is quiet that everything was mended in meanwhile. A message that tells of
nothing any more does not leave: its notifications are dropped, each with its reason, and the message failed nobody. One
that still tells of something leaves out what is over, and says what has waited as it is now. Codes and letters of
accounts are none of this; nor is what is told of shifts, which is looked at when it is written.

What cannot be asked about leaves as it was written, and the others with it: a needless page is better than none.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.escalations.model import Notification, NotificationKind, NotificationState
from domain.mail.model import MailKind, Posted
from persistence.among import among
from persistence.called_meanwhile import revive_what_called_meanwhile
from persistence.notification_rows import notification_of
from persistence.person_messages import Writing, body_for, told_by, words_for
from persistence.setting_aside import passes
from persistence.still_needed import reasons_against_telling
from persistence.tables import escalations, notifications, outgoing_mail, text_messages
from persistence.texts import Text

_log = structlog.get_logger(__name__)
_Message = TypeVar("_Message", Posted, Text)
# What left its place in the outbox at once says what was written; what has waited so long is said anew.
FRESH = timedelta(minutes=1)
NOT_TOLD = "nobody was told that it was open by this"
_MAILED = NotificationState.MAILED.value
_TOLD = [state.value for state in (*(NotificationState.SENT, NotificationState.DELIVERED, NotificationState.READ),)]


async def mail_to_send(
    engine: AsyncEngine, claimed: Sequence[Posted], writing: Writing, *, now: datetime
) -> list[Posted]:
    """Of the mails that are about to be sent those that still tell of something, saying what is so."""
    over: list[Notification] = []

    async def look(connection: AsyncConnection, some: Sequence[Posted]) -> list[Posted]:
        return await _mail_to_send(connection, some, writing, over, now=now)

    if all(one.mail.kind is not MailKind.NOTIFICATION for one in claimed):
        return list(claimed)
    kept = await _all_or_each(engine, claimed, look)
    await revive_what_called_meanwhile(engine, over, now=now)
    return kept


async def texts_to_send(engine: AsyncEngine, claimed: Sequence[Text], writing: Writing, *, now: datetime) -> list[Text]:
    """The same of what goes by the other outbox."""
    over: list[Notification] = []

    async def look(connection: AsyncConnection, some: Sequence[Text]) -> list[Text]:
        return await _texts_to_send(connection, some, writing, over, now=now)

    if all(one.is_code for one in claimed):
        return list(claimed)
    kept = await _all_or_each(engine, claimed, look)
    await revive_what_called_meanwhile(engine, over, now=now)
    return kept


async def _all_or_each(
    engine: AsyncEngine,
    claimed: Sequence[_Message],
    look: Callable[[AsyncConnection, Sequence[_Message]], Awaitable[list[_Message]]],
) -> list[_Message]:
    """All in one transaction; where one of them fails it, each in its own."""
    try:
        async with engine.begin() as connection:
            return await look(connection, claimed)
    except Exception as error:
        if len(claimed) == 1 and passes(error):
            raise
        _log.warning("messages cannot be looked at together before they leave", problem=type(error).__name__)
    kept: list[_Message] = []
    for one in claimed:
        try:
            async with engine.begin() as connection:
                kept += await look(connection, [one])
        except Exception as error:
            if passes(error):
                raise
            _log.exception("a message leaves as it was written: it cannot be looked at", message=str(one.id))
            kept.append(one)
    return kept


async def _mail_to_send(
    connection: AsyncConnection, claimed: Sequence[Posted], writing: Writing, over: list[Notification], *, now: datetime
) -> list[Posted]:
    kept: list[Posted] = []
    ids = [one.id for one in claimed if one.mail.kind is MailKind.NOTIFICATION]
    carried = await _carried(connection, notifications.c.mail_id, ids)
    for posted in claimed:
        mine = carried.get(posted.id)
        if mine is None:
            kept.append(posted)
            continue
        left = await _still_told(connection, mine, now=now)
        over += [one for one in mine if one not in left]
        if not left:
            await _supersede(connection, outgoing_mail, posted.id, {"recipient": None, "content": None}, now=now)
        elif len(left) == len(mine) and now - posted.created_at < FRESH:
            kept.append(posted)
        else:
            words = await words_for(connection, await told_by(connection, left, writing, now=now), now=now)
            mail = replace(posted.mail, subject=words.subject, text=words.text, html=words.html)
            kept.append(replace(posted, mail=mail))
    return kept


async def _texts_to_send(
    connection: AsyncConnection, claimed: Sequence[Text], writing: Writing, over: list[Notification], *, now: datetime
) -> list[Text]:
    kept: list[Text] = []
    ids = [one.id for one in claimed if not one.is_code]
    carried = await _carried(connection, notifications.c.text_id, ids)
    codes = await _reply_codes(connection, ids)
    for text in claimed:
        mine = carried.get(text.id)
        # To whom it cannot go is settled by whoever sends: their people are told by what is left.
        if mine is None or text.to is None:
            kept.append(text)
            continue
        left = await _still_told(connection, mine, now=now)
        over += [one for one in mine if one not in left]
        if not left:
            await _supersede(connection, text_messages, text.id, {"body": None}, now=now)
        elif len(left) == len(mine) and now - text.created_at < FRESH:
            kept.append(text)
        else:
            told = await told_by(connection, left, writing, now=now)
            body = await body_for(connection, text.kind, told, codes.get(text.id), now=now)
            kept.append(replace(text, body=body))
    return kept


async def _carried(
    connection: AsyncConnection, carrier: sa.Column[UUID], ids: Sequence[UUID]
) -> dict[UUID, list[Notification]]:
    """By message, what it tells of alerts; the messages that tell of shifts, or of nothing, are left out."""
    statement = (
        sa.select(notifications)
        .where(among(carrier, ids), notifications.c.state == _MAILED, notifications.c.swap_id.is_(None))
        .order_by(notifications.c.created_at, notifications.c.id)
        .with_for_update()
    )
    found: dict[UUID, list[Notification]] = {}
    for row in (await connection.execute(statement)).mappings():
        found.setdefault(row[carrier.name], []).append(notification_of(row))
    return found


async def _still_told(
    connection: AsyncConnection, carried: Sequence[Notification], *, now: datetime
) -> list[Notification]:
    """Those of one message that are still to be told; the others are dropped."""
    user_id = carried[0].user_id
    assert user_id is not None  # noqa: S101 - only what goes to people waits in an outbox
    reasons = await reasons_against_telling(connection, user_id, carried, now=now)
    reasons |= dict.fromkeys(await _unheard_of(connection, carried), NOT_TOLD)
    over = {one: reason for one, reason in reasons.items() if reason is not None}
    left = [one for one in carried if one.id not in over]
    await _drop(connection, over, is_whole=not left, now=now)
    return left


async def _drop(connection: AsyncConnection, over: Mapping[UUID, str], *, is_whole: bool, now: datetime) -> None:
    """It did not leave: calling again, its alert is told of anew. The attempts of what goes on are not its own."""
    values: dict[str, object] = {"state": NotificationState.DROPPED.value, "settled_at": now, "mailed_at": None}
    if not is_whole:
        values |= {"mail_id": None, "text_id": None}
    for one, reason in over.items():
        statement = sa.update(notifications).where(notifications.c.id == one)
        await connection.execute(statement.values(**values, problem=f"{reason}; it had not left yet"))


async def _supersede(
    connection: AsyncConnection, table: sa.Table, message_id: UUID, erased: Mapping[str, None], *, now: datetime
) -> None:
    values = {"failed_at": now, "superseded_at": now, "last_error": "what it told of was over before it left"}
    await connection.execute(sa.update(table).where(table.c.id == message_id).values({**values, **erased}))


async def _reply_codes(connection: AsyncConnection, ids: Sequence[UUID]) -> dict[UUID, str | None]:
    rows = await connection.execute(
        sa.select(text_messages.c.id, text_messages.c.reply_code).where(among(text_messages.c.id, ids))
    )
    return {row.id: row.reply_code for row in rows}


def _is_of_beginning(one: Notification) -> bool:
    """Whether it goes to whoever was told of the beginning, rather than to whom a rule tells of the end alone."""
    return one.routing_id is None or one.group_id is not None


async def _unheard_of(connection: AsyncConnection, carried: Sequence[Notification]) -> list[UUID]:
    """Of the news of an end, those whose beginning was told to nobody by the same way: it was dropped on its way, too.

    Whom a rule tells of the end alone hears of it in any case.
    """
    ends = [one for one in carried if one.kind is NotificationKind.RESOLVED and _is_of_beginning(one)]
    if not ends:
        return []
    end, page = notifications, notifications.alias("page")
    succeeded = escalations.c.succeeded_by == end.c.escalation_id
    is_of_alert = (page.c.alert_id == end.c.alert_id, page.c.episode == end.c.episode)
    # Each by an index of its own: in one condition they would read every page there was.
    ways = (
        (end.c.group_id.is_(None), *is_of_alert, page.c.group_id.is_(None)),
        (end.c.group_id.is_not(None), page.c.escalation_id == end.c.escalation_id),
        (end.c.group_id.is_not(None), succeeded, page.c.escalation_id == escalations.c.id),
        (end.c.routing_id.is_not(None), page.c.alert_id == end.c.alert_id, page.c.group_id == end.c.group_id),
    )
    is_page = (
        page.c.kind == NotificationKind.PAGE.value,
        page.c.user_id == end.c.user_id,
        page.c.contact_method_id.is_not_distinct_from(end.c.contact_method_id),
        page.c.state.in_([*_TOLD, _MAILED]),
    )
    is_told = sa.or_(*(sa.exists().where(*way, *is_page) for way in ways))
    statement = sa.select(end.c.id).where(among(end.c.id, [one.id for one in ends]), ~is_told)
    return list(await connection.scalars(statement))
