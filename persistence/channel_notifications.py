"""How do notifications to channels leave? Claimed in a transaction of their own, sent, settled by what was answered.

A claim counts for two minutes: what a crashed sender had claimed is tried again then: a message may come twice, never
not at all. PagerDuty tells the repeat by its dedup key, a webhook by its delivery id.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.alerts.visibility import EVERYTHING
from domain.channels.model import Channel
from domain.escalations.message import Told
from domain.escalations.model import Notification, NotificationKind, NotificationState
from domain.ids import new_id
from domain.mail.delivery import Outcome, Refused, Retry, Sent, next_attempt
from persistence.among import among
from persistence.attempts import Carrier, attempt_of, note_attempts
from persistence.called_meanwhile import revive_what_called_meanwhile
from persistence.channels import is_known, list_channels, note_problem
from persistence.circuits import key_of_channel, note_answer, note_failure, resting_channels
from persistence.escalations import notification_row
from persistence.gone_private import WENT, gone_private
from persistence.group_messages import news_of_groups
from persistence.message_templates import sources_for
from persistence.notification_rows import notification_of
from persistence.person_messages import told_by_alert
from persistence.still_needed import drop, reasons_against
from persistence.tables import channels, notifications, provider_circuits

CLAIM = timedelta(minutes=2)
MAX_AGE = timedelta(hours=24)
MAX_TEXT = 500
_QUEUED = NotificationState.QUEUED.value


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """What is to be sent to one channel, with the text of each alert, or of what tells of a group; a test has none."""

    channel: Channel
    notifications: tuple[Notification, ...]
    told: dict[UUID, Told]
    # What its messages are made of, as far as it is not the built-in text.
    templates: Mapping[NotificationKind, str] = dataclasses.field(default_factory=dict)


async def claim(engine: AsyncEngine, *, limit: int, now: datetime) -> list[Claimed]:
    """Up to `limit` notifications that are due, ours for a while; what is no longer needed is dropped on the way."""
    async with engine.begin() as connection:
        claimed = await _claim(connection, limit=limit, now=now)
        alert_ids = {one.alert_id for one in claimed if one.alert_id is not None}
        groups = await news_of_groups(connection, claimed, now=now)
        against = await reasons_against(connection, claimed, groups=groups, now=now)
        reasons = {one: why for one, why in against.items() if why}
        over = [one for one in claimed if one.id in reasons]
        by_id = {
            channel.id: channel
            for channel in await list_channels(
                connection, sight=EVERYTHING, ids=[one.channel_id for one in claimed if one.channel_id is not None]
            )
        }
        reasons |= dict.fromkeys(await gone_private(connection, claimed), WENT)
        reasons |= {one.id: "the channel has ended" for one in claimed if one.channel_id not in by_id}
        await drop(connection, reasons, now=now)
        told = await told_by_alert(connection, alert_ids) if alert_ids else {}
        templates = await sources_for(connection, list(by_id)) if by_id else {}
        told |= {notification_id: news.told for notification_id, news in groups.items()}
    await revive_what_called_meanwhile(engine, over, now=now)
    kept = [one for one in claimed if one.id not in reasons]
    return [
        Claimed(
            channel=channel,
            notifications=tuple(one for one in kept if one.channel_id == channel_id),
            told=told,
            templates=templates[channel_id],
        )
        for channel_id, channel in by_id.items()
        if any(one.channel_id == channel_id for one in kept)
    ]


async def _claim(connection: AsyncConnection, *, limit: int, now: datetime) -> list[Notification]:
    table = notifications
    # What is for a kind that only a newer version has is that version's to send.
    mine = sa.exists().where(channels.c.id == table.c.channel_id, is_known())
    is_due = sa.and_(table.c.channel_id.is_not(None), table.c.state == _QUEUED, table.c.next_attempt_at <= now, mine)
    has_work = sa.exists().where(is_due, table.c.channel_id == provider_circuits.c.channel_id)
    resting = await resting_channels(connection, has_work, now=now)
    due = (
        sa.select(table.c.id)
        .where(is_due, table.c.channel_id.not_in(resting) if resting else sa.true())
        .order_by(_first_pages_first(), table.c.next_attempt_at, table.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    statement = (
        sa.update(table)
        .where(table.c.id.in_(due))
        .values(attempts=table.c.attempts + 1, next_attempt_at=now + CLAIM)
        .returning(*table.c)
    )
    rows = [notification_of(row) for row in (await connection.execute(statement)).mappings()]
    return sorted(rows, key=lambda one: one.id)


def _first_pages_first() -> sa.ColumnElement[int]:
    """The first page of a new problem goes ahead of everything, further pages ahead of what tells how it went on."""
    table = notifications
    is_first = sa.func.coalesce(table.c.position, 0) == 0
    return sa.case((table.c.kind != NotificationKind.PAGE.value, 2), (is_first, 0), else_=1)


async def settle(
    engine: AsyncEngine,
    channel: Channel,
    carried: Sequence[Notification],
    outcome: Outcome,
    *,
    now: datetime,
    retry_at: datetime | None = None,
    is_provider: bool = True,
    took_ms: int | None = None,
) -> None:
    """Write down what became of one request and of the notifications it carried; and how the provider is by it."""
    async with engine.begin() as connection:
        for one in carried:
            attempt = attempt_of(one.attempts, outcome, now=now, took_ms=took_ms)
            await note_attempts(connection, [Carrier(notification_id=one.id)], attempt)
            await connection.execute(
                sa.update(notifications)
                .where(notifications.c.id == one.id, notifications.c.state == _QUEUED)
                .values(_settled(one, outcome, now=now, retry_at=retry_at))
            )
        await note_problem(connection, channel.id, None if isinstance(outcome, Sent) else outcome.reason, now=now)
        key = key_of_channel(channel.id)
        if not is_provider:
            return
        if isinstance(outcome, Retry):
            wait = timedelta(0) if retry_at is None else retry_at - now
            await note_failure(connection, key, outcome.reason, now=now, wait=wait, channel_id=channel.id)
        else:
            await note_answer(connection, key, now=now)
        if isinstance(outcome, Sent):
            await _bring_forward(connection, channel.id, now=now)


async def _bring_forward(connection: AsyncConnection, channel_id: UUID, *, now: datetime) -> None:
    """The provider is back: what waits since it was away, for hours by now, waits no longer.

    What others have claimed is left to them: a claim ends sooner than that.
    """
    table = notifications
    waits = (
        table.c.channel_id == channel_id,
        table.c.state == _QUEUED,
        table.c.problem.is_not(None),
        table.c.next_attempt_at > now + CLAIM,
    )
    await connection.execute(sa.update(table).where(*waits).values(next_attempt_at=now))


async def put_back(engine: AsyncEngine, notifications_: Sequence[Notification], *, until: datetime) -> None:
    """Give up the claim on those that were not tried: the trouble of another is no attempt of theirs."""
    table = notifications
    async with engine.begin() as connection:
        await connection.execute(
            sa.update(table)
            .where(among(table.c.id, [one.id for one in notifications_]), table.c.state == _QUEUED)
            .values(attempts=table.c.attempts - 1, next_attempt_at=until)
        )


def _settled(one: Notification, outcome: Outcome, *, now: datetime, retry_at: datetime | None) -> dict[str, object]:
    if isinstance(outcome, Sent):
        sent = {"state": NotificationState.SENT.value, "settled_at": now, "problem": None}
        return {**sent, "answer": outcome.answer[:MAX_TEXT]}
    again = max(next_attempt(one.attempts, now=now), retry_at or now)
    if isinstance(outcome, Refused) or one.kind is NotificationKind.TEST or again > one.created_at + MAX_AGE:
        return {"state": NotificationState.FAILED.value, "settled_at": now, "problem": outcome.reason[:MAX_TEXT]}
    return {"next_attempt_at": again, "problem": outcome.reason[:MAX_TEXT]}


async def queue_test(connection: AsyncConnection, channel_id: UUID, *, now: datetime) -> Notification:
    """A message that says that it is a test."""
    made = Notification(
        id=new_id(),
        kind=NotificationKind.TEST,
        why="somebody tries the channel",
        created_at=now,
        channel_id=channel_id,
        next_attempt_at=now,
    )
    await connection.execute(sa.insert(notifications).values(notification_row(made)))
    return made


async def notifications_by_ids(connection: AsyncConnection, ids: Sequence[UUID]) -> list[Notification | None]:
    """Notifications by id."""
    rows = (await connection.execute(sa.select(notifications).where(among(notifications.c.id, ids)))).mappings()
    found = {row["id"]: notification_of(row) for row in rows}
    return [found.get(one) for one in ids]
