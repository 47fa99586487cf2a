"""Is what waits in an outbox still what is to be said? Asked once more, right before it leaves.

A provider may be away for hours, and a night is quiet that everything was mended in meanwhile. A message that tells of
nothing any more does not leave: its notifications are dropped, each with its reason, and the message failed nobody. One
that still tells of something leaves out what is over, and says what has waited as it is now. Codes and letters of
accounts are none of this; nor is what is told of shifts, which is looked at when it is written.

What cannot be asked about leaves as it was written, and the others with it: a needless page is better than none.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Generic, TypeVar
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.escalations.model import Notification, NotificationKind, NotificationState
from domain.mail.model import MailKind, Posted
from persistence.among import among
from persistence.called_meanwhile import revive_what_called_meanwhile
from persistence.escalation_notices import TOLD
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
_TOLD = [state.value for state in TOLD]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outbox(Generic[_Message]):
    """Where messages of a kind wait: what carries notifications, and how one of them is written anew for these."""

    table: sa.Table
    carrier: sa.Column[UUID]
    # What is erased of a message that does not leave.
    sealed: tuple[str, ...]
    asked_about: Callable[[_Message], bool]
    written_anew: Callable[[AsyncConnection, _Message, Sequence[Notification]], Awaitable[_Message]]


async def mail_to_send(
    engine: AsyncEngine, claimed: Sequence[Posted], writing: Writing, *, now: datetime
) -> list[Posted]:
    """Of the mails that are about to be sent those that still tell of something, saying what is so."""

    async def written_anew(connection: AsyncConnection, posted: Posted, left: Sequence[Notification]) -> Posted:
        words = await words_for(connection, await told_by(connection, left, writing, now=now), now=now)
        return replace(posted, mail=replace(posted.mail, subject=words.subject, text=words.text, html=words.html))

    outbox: _Outbox[Posted] = _Outbox(
        table=outgoing_mail,
        carrier=notifications.c.mail_id,
        sealed=("recipient", "content"),
        asked_about=lambda one: one.mail.kind is MailKind.NOTIFICATION,
        written_anew=written_anew,
    )
    return await _to_send(engine, claimed, outbox, now=now)


async def texts_to_send(engine: AsyncEngine, claimed: Sequence[Text], writing: Writing, *, now: datetime) -> list[Text]:
    """The same of what goes by the other outbox."""

    async def written_anew(connection: AsyncConnection, text: Text, left: Sequence[Notification]) -> Text:
        told = await told_by(connection, left, writing, now=now)
        code = await _reply_code(connection, text.id)
        return replace(text, body=await body_for(connection, text.kind, told, code, now=now))

    outbox: _Outbox[Text] = _Outbox(
        table=text_messages,
        carrier=notifications.c.text_id,
        sealed=("body",),
        # To whom it cannot go is settled by whoever sends: their people are told by what is left.
        asked_about=lambda one: not one.is_code and one.to is not None,
        written_anew=written_anew,
    )
    return await _to_send(engine, claimed, outbox, now=now)


async def _to_send(
    engine: AsyncEngine, claimed: Sequence[_Message], outbox: _Outbox[_Message], *, now: datetime
) -> list[_Message]:
    if not any(map(outbox.asked_about, claimed)):
        return list(claimed)
    over: list[Notification] = []

    async def look(connection: AsyncConnection, some: Sequence[_Message]) -> list[_Message]:
        return await _still_saying(connection, some, outbox, over, now=now)

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


async def _still_saying(
    connection: AsyncConnection,
    claimed: Sequence[_Message],
    outbox: _Outbox[_Message],
    over: list[Notification],
    *,
    now: datetime,
) -> list[_Message]:
    kept: list[_Message] = []
    carried = await _carried(connection, outbox.carrier, [one.id for one in claimed if outbox.asked_about(one)])
    for message in claimed:
        mine = carried.get(message.id)
        if mine is None:
            kept.append(message)
            continue
        left = await _still_told(connection, mine, now=now)
        over += [one for one in mine if one not in left]
        if not left:
            await _supersede(connection, outbox, message.id, now=now)
        elif len(left) == len(mine) and now - message.created_at < FRESH:
            kept.append(message)
        else:
            kept.append(await outbox.written_anew(connection, message, left))
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
    connection: AsyncConnection, outbox: _Outbox[_Message], message_id: UUID, *, now: datetime
) -> None:
    values = {"failed_at": now, "superseded_at": now, "last_error": "what it told of was over before it left"}
    erased = dict.fromkeys(outbox.sealed)
    await connection.execute(
        sa.update(outbox.table).where(outbox.table.c.id == message_id).values({**values, **erased})
    )


async def _reply_code(connection: AsyncConnection, text_id: UUID) -> str | None:
    code: str | None = await connection.scalar(
        sa.select(text_messages.c.reply_code).where(text_messages.c.id == text_id)
    )
    return code


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
        page.c.state.in_(_TOLD),
    )
    is_told = sa.or_(*(sa.exists().where(*way, *is_page) for way in ways))
    statement = sa.select(end.c.id).where(among(end.c.id, [one.id for one in ends]), ~is_told)
    return list(await connection.scalars(statement))
