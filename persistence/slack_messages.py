"""Which messages in Slack follow their alerts, and what do they show? Claimed when an alert moved, changed, settled.

A message is looked at again whenever one of its alerts moved; it is changed only when it would show something else. A
claim counts for a minute: what a crashed process had claimed is looked at again then, and changing a message twice to
the same is no harm.
"""

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.alerts.events import ActorKind, AlertEventKind
from domain.alerts.model import AlertStatus
from domain.escalations.following import Part
from domain.escalations.model import Notification, NotificationKind
from domain.mail.delivery import next_attempt
from persistence.among import among
from persistence.drill_subjects import drill_rows
from persistence.gone_private import gone_private
from persistence.group_messages import news_of_groups
from persistence.notification_rows import notification_of
from persistence.person_messages import told_by_alert
from persistence.person_viewer import viewer_of_person
from persistence.reads.visibility import visible
from persistence.rule_group_messages import GroupNews
from persistence.tables import alert_events, alerts, notifications, slack_messages
from persistence.users import users_by_ids

CLAIM = timedelta(minutes=1)
# Of a message that could not be changed for so long nobody looks at the buttons any more.
MAX_AGE = timedelta(days=2)
_MOVES = [
    kind.value
    for kind in (
        AlertEventKind.ACKNOWLEDGED,
        AlertEventKind.INVESTIGATING,
        AlertEventKind.RESOLVED,
        AlertEventKind.UNACKNOWLEDGED,
        AlertEventKind.REOPENED,
    )
]


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackMessage:
    """Where a message is, and the digest of what it shows."""

    id: UUID
    conversation: str
    ts: str
    shown_digest: bytes
    created_at: datetime
    channel_id: UUID | None = None
    user_id: UUID | None = None
    attempts: int = 0
    next_attempt_at: datetime | None = None


async def remember(
    connection: AsyncConnection, message: SlackMessage, carried: Sequence[Notification], *, now: datetime
) -> None:
    """A message that was just posted. It is looked at once more: an alert may have moved while it was on its way."""
    values = {field.name: getattr(message, field.name) for field in dataclasses.fields(SlackMessage)}
    await connection.execute(sa.insert(slack_messages).values({**values, "next_attempt_at": now}))
    await connection.execute(
        sa.update(notifications)
        .where(among(notifications.c.id, [one.id for one in carried]))
        .values(slack_message_id=message.id)
    )


async def carried_by(connection: AsyncConnection, message_id: UUID) -> list[Notification]:
    """The notifications a message carries, oldest first."""
    statement = sa.select(notifications).where(notifications.c.slack_message_id == message_id)
    rows = (await connection.execute(statement.order_by(notifications.c.id))).mappings()
    return [notification_of(row) for row in rows]


async def carried_by_text(connection: AsyncConnection, text_id: UUID) -> list[Notification]:
    """The notifications that a message to a person carries, oldest first."""
    statement = sa.select(notifications).where(notifications.c.text_id == text_id).order_by(notifications.c.id)
    return [notification_of(row) for row in (await connection.execute(statement)).mappings()]


async def parts_of(connection: AsyncConnection, carried: Sequence[Notification], *, now: datetime) -> list[Part]:
    """What they show, each alert and each group once; nothing of what whom it went to may see no more."""
    newest = {(one.alert_id, one.group_id): one for one in carried if one.alert_id is not None}
    alert_ids = {alert_id for alert_id, _ in newest}
    groups = await news_of_groups(connection, newest.values(), now=now)
    told = await told_by_alert(connection, alert_ids)
    columns = (alerts.c.id, alerts.c.status, alerts.c.episode, alerts.c.snoozed_until)
    statement = sa.select(*columns).where(among(alerts.c.id, alert_ids))
    now_is = {row.id: row for row in await connection.execute(statement)}
    movers = await _movers(connection, now_is)
    hidden = await _hidden(connection, carried, now_is)
    now_is |= await drill_rows(connection, alert_ids - now_is.keys())
    gone = await gone_private(connection, newest.values())
    found = []
    for (alert_id, _), one in newest.items():
        row = now_is.get(alert_id)
        if row is None or alert_id in hidden or one.id in gone:
            continue
        if one.id in groups:
            found.append(_group_part(one, groups[one.id]))
            continue
        found.append(
            Part(
                told=dataclasses.replace(
                    told[row.id],
                    kind=one.kind,
                    why=one.why,
                    is_escalated=one.kind is NotificationKind.PAGE and bool(one.position),
                ),
                episode=one.episode or row.episode,
                status=AlertStatus(row.status),
                is_over=one.episode is not None and row.episode != one.episode,
                by=movers.get(row.id),
                snoozed_until=row.snoozed_until,
            )
        )
    return found


def _group_part(one: Notification, news: GroupNews) -> Part:
    """A group as it is now: answered when all that calls is, over when nothing is open any more."""
    told = dataclasses.replace(news.told, kind=one.kind, why=one.why)
    return Part(told=told, episode=one.episode or 1, status=news.status)


async def _hidden(connection: AsyncConnection, carried: Sequence[Notification], alert_ids: Iterable[UUID]) -> set[UUID]:
    """Those of the alerts that the person the message went to may not see; what a channel may is gone_private's."""
    user_id = next((one.user_id for one in carried if one.user_id is not None), None)
    wanted = set(alert_ids)
    if user_id is None or not wanted:
        return set()
    viewer = await viewer_of_person(connection, user_id)
    if viewer is None:
        return wanted
    seen = await connection.scalars(sa.select(alerts.c.id).where(among(alerts.c.id, wanted), visible(viewer.sight)))
    return wanted - set(seen)


async def _movers(connection: AsyncConnection, alert_ids: Iterable[UUID]) -> dict[UUID, str]:
    """Who moved each alert last."""
    table = alert_events
    statement = (
        sa.select(table.c.alert_id, table.c.actor_kind, table.c.actor_id, table.c.data["via"].astext.label("via"))
        .where(among(table.c.alert_id, alert_ids), table.c.kind.in_(_MOVES))
        .ext(pg.distinct_on(table.c.alert_id))
        .order_by(table.c.alert_id, table.c.xid.desc(), table.c.seq.desc())
    )
    rows = (await connection.execute(statement)).all()
    ids = list({row.actor_id for row in rows if row.actor_kind == ActorKind.USER.value})
    people = dict(zip(ids, await users_by_ids(connection, ids), strict=True)) if ids else {}
    found = {}
    for row in rows:
        person = people.get(row.actor_id)
        if person is not None:
            found[row.alert_id] = person.name
        elif row.via == "pagerduty":
            found[row.alert_id] = "somebody in PagerDuty"
        elif row.actor_kind == ActorKind.INTEGRATION.value:
            found[row.alert_id] = "its source"
    return found


async def claim_moved(engine: AsyncEngine, *, limit: int, now: datetime) -> list[SlackMessage]:
    """Messages whose alerts moved, ours for a while."""
    table = slack_messages
    due = (
        sa.select(table.c.id)
        .where(table.c.next_attempt_at <= now, table.c.closed_at.is_(None))
        .order_by(table.c.next_attempt_at, table.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    names = [field.name for field in dataclasses.fields(SlackMessage)]
    statement = (
        sa.update(table)
        .where(table.c.id.in_(due))
        .values(attempts=table.c.attempts + 1, next_attempt_at=now + CLAIM)
        .returning(*[table.c[name] for name in names])
    )
    async with engine.begin() as connection:
        rows = (await connection.execute(statement)).mappings()
        return sorted((SlackMessage(**row) for row in rows), key=lambda one: one.id)


async def settle_shown(
    engine: AsyncEngine, message: SlackMessage, shown_digest: bytes, *, is_over: bool, now: datetime
) -> None:
    """It shows what there is. An alert that moved meanwhile has it looked at again."""
    table = slack_messages
    async with engine.begin() as connection:
        await connection.execute(
            sa.update(table)
            .where(table.c.id == message.id)
            .values(
                shown_digest=shown_digest,
                attempts=0,
                last_error=None,
                closed_at=now if is_over else None,
                next_attempt_at=sa.case(
                    (table.c.next_attempt_at == message.next_attempt_at, None), else_=table.c.next_attempt_at
                ),
            )
        )


async def settle_unshown(
    engine: AsyncEngine, message: SlackMessage, reason: str, *, wait: timedelta | None, now: datetime
) -> None:
    """It could not be changed. `wait` None: it never can be; else as long at least."""
    gives_up = wait is None or now > message.created_at + MAX_AGE
    again = None if wait is None else max(next_attempt(message.attempts, now=now), now + wait)
    async with engine.begin() as connection:
        await connection.execute(
            sa.update(slack_messages)
            .where(slack_messages.c.id == message.id)
            .values(last_error=reason[:300], closed_at=now if gives_up else None, next_attempt_at=again)
        )


async def threads_of(
    connection: AsyncConnection, channel_id: UUID, carried: Sequence[Notification]
) -> dict[UUID, tuple[str, str]]:
    """For each notification the message of the channel that told first of the same episode: conversation and `ts`."""
    table, told = slack_messages, notifications
    alert_ids = {one.alert_id for one in carried if one.alert_id is not None}
    statement = (
        sa.select(told.c.alert_id, told.c.episode, table.c.conversation, table.c.ts)
        .join(table, table.c.id == told.c.slack_message_id)
        .where(told.c.channel_id == channel_id, among(told.c.alert_id, alert_ids))
        .order_by(told.c.id.desc())
    )
    places = {(row.alert_id, row.episode): (row.conversation, row.ts) for row in await connection.execute(statement)}
    return {one.id: place for one in carried if (place := places.get((one.alert_id, one.episode)))}
