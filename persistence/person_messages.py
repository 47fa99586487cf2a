"""What is a person sent? One message a method for all that waits: a mail, or what goes by the other outbox."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.contacts.message import body_of
from domain.contacts.model import BY_TEXT, ContactKind, ContactMethod
from domain.contacts.templates import Medium
from domain.escalations.answer import LIFETIME, Answer, AnswerLinks
from domain.escalations.message import Told, told_of_test
from domain.escalations.model import CALLS, Notification, NotificationKind, NotificationState
from domain.escalations.urgency import urgency_of
from domain.mail.model import Mail, MailKind
from persistence.among import among
from persistence.drill_subjects import drill_texts
from persistence.group_messages import news_of_groups
from persistence.mail import MailRepository
from persistence.person_wording import MailWords, note_failed, wording_for
from persistence.rule_group_messages import told_of_row
from persistence.swap_messages import write_of_swaps
from persistence.tables import alerts, notifications
from persistence.texts import NewText, free_reply_code, post_text

# A page that could not leave for so long tells nothing new.
PAGE_LIFETIME = timedelta(hours=4)
_MAILED = NotificationState.MAILED.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """What messages need of the installation."""

    links: AnswerLinks
    public_url: str
    # At most one mail to a person in so long: a storm is read as one message, not as a hundred.
    spacing: timedelta


async def write_message(
    connection: AsyncConnection, method: ContactMethod, kept: Sequence[Notification], writing: Writing, *, now: datetime
) -> None:
    """Write one message that tells these, into its outbox."""
    if kept[0].swap_id is not None:
        links, url = writing.links, writing.public_url
        kept, carrier = await write_of_swaps(connection, method, kept, links=links, public_url=url, now=now)
    else:
        carrier = await _write_of_alerts(connection, method, kept, writing, now=now)
    await connection.execute(
        sa.update(notifications)
        .where(among(notifications.c.id, [one.id for one in kept]))
        .values(state=_MAILED, mailed_at=now, **carrier)
    )


async def _write_of_alerts(
    connection: AsyncConnection, method: ContactMethod, kept: Sequence[Notification], writing: Writing, *, now: datetime
) -> dict[str, UUID]:
    """The message that carries them, by the column that names it."""
    told = await told_by(connection, kept, writing, now=now)
    if method.kind in BY_TEXT:
        is_page = any(one.kind in CALLS for one in told)
        code = (
            await free_reply_code(connection, method.id, now=now)
            if is_page and method.kind is ContactKind.SMS
            else None
        )
        text = NewText(
            user_id=method.user_id,
            method_id=method.id,
            body=await body_for(connection, method.kind, told, code, now=now),
            reply_code=code,
            expires_at=now + PAGE_LIFETIME,
            urgency=urgency_of(kept),
        )
        return {"text_id": await post_text(connection, text, now=now)}
    words = await words_for(connection, told, now=now)
    mail = Mail(
        to=method.address,
        subject=words.subject,
        text=words.text,
        html=words.html,
        kind=MailKind.NOTIFICATION,
        user_id=method.user_id,
        expires_at=now + PAGE_LIFETIME,
        priority=urgency_of(kept),
    )
    return {"mail_id": await MailRepository(connection).post(mail)}


async def words_for(connection: AsyncConnection, told: Sequence[Told], *, now: datetime) -> MailWords:
    """What a mail says that tells these."""
    wording = await wording_for(connection, Medium.MAIL, told)
    words = wording.mail(told)
    await note_failed(connection, wording, now=now)
    return words


async def body_for(
    connection: AsyncConnection, kind: ContactKind, told: Sequence[Told], code: str | None, *, now: datetime
) -> str:
    """What any other message says that tells these; `code` is what it may be answered with."""
    if kind is not ContactKind.SMS:
        return body_of(kind, told)
    wording = await wording_for(connection, Medium.SMS, told)
    words = wording.text_message(told, code)
    await note_failed(connection, wording, now=now)
    return words.text


async def told_by(
    connection: AsyncConnection, kept: Sequence[Notification], writing: Writing, *, now: datetime
) -> list[Told]:
    """What a message says of these, as it is now."""
    texts = await told_by_alert(connection, {one.alert_id for one in kept if one.alert_id is not None})
    groups = await news_of_groups(connection, kept, now=now)
    found: dict[tuple[object, ...], Told] = {}
    for one in kept:
        if one.alert_id is None or one.episode is None or one.user_id is None:
            found[one.kind, one.id] = told_of_test(one)
            continue
        answer = Answer(alert_id=one.alert_id, episode=one.episode, user_id=one.user_id, expires_at=now + LIFETIME)
        url = writing.links.url(writing.public_url, answer)
        is_page = one.kind in CALLS
        # An alert that several steps told of is one part of the message: the newest reason counts.
        text = groups[one.id].told if one.id in groups else texts[one.alert_id]
        found[one.kind, one.alert_id, text.group_id] = replace(
            text,
            kind=one.kind,
            why=one.whole_why,
            answer_url=url if is_page else None,
            is_escalated=one.kind is NotificationKind.PAGE and bool(one.position),
        )
    return list(found.values())


async def told_by_alert(connection: AsyncConnection, alert_ids: Iterable[UUID]) -> dict[UUID, Told]:
    """What messages say of the alerts and drills, as they are now; as pages, without a reason."""
    wanted = set(alert_ids)
    names = ("team_id", "title", "severity", "service_name", "source", "description", "started_at", "labels")
    columns = [alerts.c.id.label("alert_id"), *[alerts.c[name] for name in names]]
    rows = await connection.execute(sa.select(*columns).where(among(alerts.c.id, wanted)))
    found = {row.alert_id: replace(told_of_row(row), team_id=row.team_id) for row in rows}
    return found | await drill_texts(connection, wanted - found.keys())
