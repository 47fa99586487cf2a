"""How do notifications leave? Those of one person together, in one message a method, never two within a minute.

The first page of a quiet night goes at once; what follows within the minute goes with the next message, as one.
Whatever was answered meanwhile is dropped, with the reason on its row. The mail or text message is written in the same
transaction: that it leaves is the promise of its outbox (persistence/mail.py, persistence/texts.py), and what became of
it is copied back.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.contacts.model import ContactMethod, account_method
from domain.escalations.model import Notification, NotificationKind, NotificationState
from persistence.called_meanwhile import revive_what_called_meanwhile
from persistence.contacts import methods_by_ids
from persistence.falling_back import give_up
from persistence.notification_rows import notification_of
from persistence.pacing import may_go
from persistence.person_messages import Writing, write_message
from persistence.setting_aside import is_at_hand, passes, put_aside
from persistence.still_needed import NO_SIGN_IN, drop, reasons_against_telling
from persistence.tables import notifications
from persistence.users import users_by_ids

_log = structlog.get_logger(__name__)
# The work that sets people aside.
TELLING = "tell"
MAX_PEOPLE = 200
# What one mail may hold; the rest goes with the next.
MAX_BUNDLE = 500
# The advisory lock's first half: "tell".
_LOCK = 0x74656C6C
_QUEUED, _HELD = NotificationState.QUEUED.value, NotificationState.HELD.value
# As domain/escalations/urgency.py has it.
IS_FIRST_PAGE = sa.and_(
    notifications.c.kind == NotificationKind.PAGE.value,
    sa.or_(sa.func.coalesce(notifications.c.position, -1) == 0, notifications.c.routing_id.is_not(None)),
)


async def deliver(engine: AsyncEngine, writing: Writing, *, now: datetime) -> int:
    """Write a message to each person whose turn it is, by each method; how many were written."""
    async with engine.connect() as connection:
        waiting = await _waiting(connection, before=now - writing.spacing, now=now)
    written = 0
    over: list[Notification] = []
    for user_id, method_id in waiting:
        try:
            async with engine.begin() as connection:
                written += await _deliver_to(connection, user_id, method_id, writing, over=over, now=now)
        except Exception as error:
            if passes(error):
                raise
            # What one person is to be told cannot be written: the others must not wait for it.
            _log.exception("a person cannot be told and is set aside", user=str(user_id))
            await put_aside(engine, TELLING, user_id, error, now=now)
    await revive_what_called_meanwhile(engine, over, now=now)
    return written


async def _waiting(
    connection: AsyncConnection, *, before: datetime, now: datetime
) -> Sequence[tuple[UUID, UUID | None]]:
    table = notifications
    statement = (
        sa.select(table.c.user_id, table.c.contact_method_id)
        .where(
            table.c.user_id.is_not(None),
            *_is_due(now),
            ~_recent(before),
            may_go(now),
            is_at_hand(TELLING, table.c.user_id, now=now),
        )
        .group_by(table.c.user_id, table.c.contact_method_id)
        .order_by(sa.func.bool_or(IS_FIRST_PAGE).desc(), sa.func.min(table.c.created_at))
        .limit(MAX_PEOPLE)
    )
    return [(row.user_id, row.contact_method_id) for row in await connection.execute(statement)]


def _is_due(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    table = notifications
    its_time = sa.or_(table.c.next_attempt_at.is_(None), table.c.next_attempt_at <= now)
    return table.c.state.in_([_QUEUED, _HELD]), its_time


def _recent(since: datetime) -> sa.ColumnElement[bool]:
    """Whether the same person got a message by the same method since then. One about a shift holds back no alert."""
    earlier = notifications.alias("earlier")
    return sa.exists().where(
        earlier.c.user_id == notifications.c.user_id,
        earlier.c.contact_method_id.is_not_distinct_from(notifications.c.contact_method_id),
        earlier.c.mailed_at > since,
        sa.or_(earlier.c.swap_id.is_(None), notifications.c.swap_id.is_not(None)),
    )


async def _queued(
    connection: AsyncConnection, user_id: UUID, method_id: UUID | None, *, spacing: timedelta, now: datetime
) -> list[Notification]:
    """What is due to the person by this method, the first page of anything first; nothing soon after a message."""
    table = notifications
    statement = (
        sa.select(table)
        .where(
            table.c.user_id == user_id,
            table.c.contact_method_id.is_not_distinct_from(method_id),
            *_is_due(now),
            ~_recent(now - spacing),
        )
        .order_by(IS_FIRST_PAGE.desc(), table.c.created_at, table.c.id)
        .limit(MAX_BUNDLE)
        .with_for_update()
    )
    return [notification_of(row) for row in (await connection.execute(statement)).mappings()]


async def _deliver_to(
    connection: AsyncConnection,
    user_id: UUID,
    method_id: UUID | None,
    writing: Writing,
    *,
    over: list[Notification],
    now: datetime,
) -> bool:
    """Under the person's lock: of two workers one writes, and the other finds it written. `over` gets what is not."""
    if not await connection.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(_LOCK, sa.func.hashtext(str(user_id))))):
        return False
    queued = await _queued(connection, user_id, method_id, spacing=writing.spacing, now=now)
    if not queued:
        return False
    (user,) = await users_by_ids(connection, [user_id])
    reasons: dict[UUID, str | None] = dict.fromkeys((one.id for one in queued), NO_SIGN_IN)
    if user is not None:
        reasons = await reasons_against_telling(connection, user_id, queued, now=now)
    await drop(connection, {one: reason for one, reason in reasons.items() if reason}, now=now)
    over += [one for one in queued if reasons[one.id]]
    kept = [one for one in queued if not reasons[one.id]]
    # What is told of shifts travels by itself, after what is told of alerts.
    kept = [one for one in kept if one.swap_id is None] or kept
    if not kept or user is None:
        return False
    method: ContactMethod | None = account_method(user)
    if method_id is not None:
        method = (await methods_by_ids(connection, [method_id])).get(method_id)
    if method is None or not method.is_usable:
        reason = "the contact method was removed" if method is None else method.disabled_reason or "it is not verified"
        await give_up(connection, kept, reason, now=now)
        return False
    await write_message(connection, method, kept, writing, now=now)
    return True
