"""Who was told of what, as somebody looks for it? By keyset, the newest first, within what they may see.

Who sees the alert sees who was told of it. A test is about none: a channel's is seen by who sees the channel, that of a
contact method by its person alone.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.visibility import Sight
from domain.contacts.model import ContactKind
from domain.escalations.model import Notification, NotificationKind, NotificationState
from persistence.notification_rows import notification_of
from persistence.reads.visibility import visible
from persistence.tables import alerts, channels, notifications, outgoing_mail, routings, text_messages


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which notifications; all conditions given must hold."""

    user_id: UUID | None = None
    team_id: UUID | None = None
    channel_id: UUID | None = None
    alert_id: UUID | None = None
    routing_rule_id: UUID | None = None
    kinds: frozenset[NotificationKind] | None = None
    states: frozenset[NotificationState] | None = None
    contact_kinds: frozenset[ContactKind] | None = None
    since: datetime | None = None
    until: datetime | None = None
    provider_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationPage:
    """Which page: `limit` rows beyond `after`, or before `before` when `backward` (in reverse order then)."""

    limit: int
    after: UUID | None = None
    before: UUID | None = None
    backward: bool = False


async def page_of_notifications(
    connection: AsyncConnection, wanted: Wanted, page: NotificationPage, *, sight: Sight, viewer_id: UUID | None
) -> list[Notification]:
    """One page. Ids are made in the order of time."""
    table = notifications
    statement = sa.select(table).where(_seen(sight, viewer_id), *_conditions(wanted)).limit(page.limit)
    if page.after is not None:
        statement = statement.where(table.c.id < page.after)
    if page.before is not None:
        statement = statement.where(table.c.id > page.before)
    statement = statement.order_by(table.c.id if page.backward else table.c.id.desc())
    return [notification_of(row) for row in (await connection.execute(statement)).mappings()]


def _seen(sight: Sight, viewer_id: UUID | None) -> sa.ColumnElement[bool]:
    table = notifications
    of_alert = sa.exists().where(alerts.c.id == table.c.alert_id, visible(sight, alerts.c.team_id))
    of_channel = sa.exists().where(channels.c.id == table.c.channel_id, visible(sight, channels.c.team_id))
    is_test = table.c.alert_id.is_(None)
    return sa.or_(of_alert, sa.and_(is_test, sa.or_(of_channel, table.c.user_id == viewer_id)))


def _conditions(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    table = notifications
    found: list[sa.ColumnElement[bool]] = [
        table.c[name] == value
        for name in ("user_id", "channel_id", "alert_id")
        if (value := getattr(wanted, name)) is not None
    ]
    if wanted.team_id is not None:
        found.append(sa.exists().where(alerts.c.id == table.c.alert_id, alerts.c.team_id == wanted.team_id))
    if wanted.routing_rule_id is not None:
        decided = sa.select(routings.c.id).where(routings.c.rule_id == wanted.routing_rule_id)
        found.append(table.c.routing_id.in_(decided))
    if wanted.kinds is not None:
        found.append(table.c.kind.in_([kind.value for kind in wanted.kinds]))
    if wanted.states is not None:
        found.append(table.c.state.in_([state.value for state in wanted.states]))
    if wanted.contact_kinds is not None:
        kinds = [kind.value for kind in wanted.contact_kinds]
        # Without a word it is mail to the account, as all was before there were other ways.
        way = sa.func.coalesce(table.c.contact_kind, ContactKind.EMAIL.value)
        found += [table.c.user_id.is_not(None), way.in_(kinds)]
    if wanted.since is not None:
        found.append(table.c.created_at >= wanted.since)
    if wanted.until is not None:
        found.append(table.c.created_at < wanted.until)
    if wanted.provider_id is not None:
        found.append(_of_provider(wanted.provider_id))
    return found


def _of_provider(provider_id: str) -> sa.ColumnElement[bool]:
    """What the provider called it: of the outboxes as it is, of a channel what its answer is or begins with."""
    table = notifications
    texts = sa.select(text_messages.c.id).where(text_messages.c.provider_id == provider_id)
    mails = sa.select(outgoing_mail.c.id).where(outgoing_mail.c.provider_message_id == provider_id)
    answers = sa.or_(table.c.answer == provider_id, table.c.answer.startswith(f"{provider_id} ", autoescape=True))
    # Three look-ups, each by its index; as one condition with OR every notification was read.
    found = (table.c.text_id.in_(texts), table.c.mail_id.in_(mails), answers)
    return table.c.id.in_(sa.union(*(sa.select(table.c.id).where(one) for one in found)))
