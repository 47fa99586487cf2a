"""How do notifications leave? Those of one person together, in one mail, and never two mails to one within a minute.

The first page of a quiet night goes at once; what follows within the minute goes with the next mail, as one. Whatever
was answered meanwhile is dropped, with the reason on its row. The mail is written in the same transaction: that it
leaves is the outbox's promise (persistence/mail.py), and what became of it is copied back.
"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.alerts.model import Severity
from domain.alerts.visibility import Sight
from domain.escalations.answer import LIFETIME, Answer, AnswerLinks
from domain.escalations.engine import Subject, not_needed
from domain.escalations.message import Told, subject_of, text_of
from domain.escalations.model import Notification, NotificationKind, NotificationState
from domain.identity.model import User
from domain.mail.model import Mail, MailKind
from persistence.among import among
from persistence.escalations import subjects_of
from persistence.mail import MailRepository
from persistence.person_viewer import viewer_of_person
from persistence.reads.visibility import teams_in_sight
from persistence.tables import alerts, notifications, outgoing_mail
from persistence.users import users_by_ids

# A page that could not leave for so long tells nothing new.
PAGE_LIFETIME = timedelta(hours=4)
MAX_PEOPLE = 200
# What one mail may hold; the rest goes with the next.
MAX_BUNDLE = 500
_QUEUED, _MAILED = NotificationState.QUEUED.value, NotificationState.MAILED.value


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """What messages need of the installation."""

    links: AnswerLinks
    public_url: str
    # At most one mail to a person in so long: a storm is read as one message, not as a hundred.
    spacing: timedelta


async def deliver(engine: AsyncEngine, writing: Writing, *, now: datetime) -> int:
    """Write a mail to each person whose turn it is; how many were written."""
    async with engine.connect() as connection:
        people = await _waiting_people(connection, before=now - writing.spacing)
    written = 0
    for user_id in people:
        async with engine.begin() as connection:
            written += await _deliver_to(connection, user_id, writing, now=now)
    return written


async def _waiting_people(connection: AsyncConnection, *, before: datetime) -> Sequence[UUID]:
    table = notifications
    statement = (
        sa.select(table.c.user_id)
        .where(table.c.user_id.is_not(None), table.c.state == _QUEUED, ~_recent(table.c.user_id, before))
        .group_by(table.c.user_id)
        .order_by(sa.func.min(table.c.created_at))
        .limit(MAX_PEOPLE)
    )
    return (await connection.scalars(statement)).all()


def _recent(user_id: sa.ColumnElement[UUID], since: datetime) -> sa.ColumnElement[bool]:
    earlier = notifications.alias("earlier")
    return sa.exists().where(earlier.c.user_id == user_id, earlier.c.mailed_at > since)


async def _deliver_to(connection: AsyncConnection, user_id: UUID, writing: Writing, *, now: datetime) -> bool:
    """Under the person's lock: of two workers one writes, and the other finds it written."""
    if not await connection.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(_LOCK, sa.func.hashtext(str(user_id))))):
        return False
    table = notifications
    statement = (
        sa.select(table)
        .where(table.c.user_id == user_id, table.c.state == _QUEUED, ~_recent(table.c.user_id, now - writing.spacing))
        .order_by(table.c.created_at, table.c.id)
        .limit(MAX_BUNDLE)
        .with_for_update()
    )
    queued = [notification_of(row) for row in (await connection.execute(statement)).mappings()]
    if not queued:
        return False
    subjects = await subjects_of(connection, {one.alert_id for one in queued if one.alert_id is not None})
    reasons = {one.id: reason_against(one, subjects, now=now) for one in queued}
    (user,) = await users_by_ids(connection, [user_id])
    viewer = await viewer_of_person(connection, user_id)
    if user is None or viewer is None:
        reasons = dict.fromkeys(reasons, "the person may no longer sign in")
    else:
        hidden = await _hidden_alerts(connection, subjects.values(), viewer.sight)
        reasons |= {one.id: "the person may no longer see the alert" for one in queued if one.alert_id in hidden}
    await drop(connection, {one: reason for one, reason in reasons.items() if reason}, now=now)
    kept = [one for one in queued if not reasons[one.id]]
    if not kept or user is None:
        return False
    await _mail(connection, user, kept, writing, now=now)
    return True


async def _hidden_alerts(connection: AsyncConnection, subjects: Iterable[Subject], sight: Sight) -> set[UUID]:
    """Those of the alerts that went to a team whose alerts the person does not see."""
    teams = {subject.id: subject.team_id for subject in subjects if subject.team_id is not None}
    seen = await teams_in_sight(connection, set(teams.values()), sight=sight)
    return {alert_id for alert_id, team_id in teams.items() if team_id not in seen}


def reason_against(one: Notification, subjects: Mapping[UUID, Subject], *, now: datetime) -> str | None:
    """Why the notification is no longer needed; None when it is. A test is about no alert."""
    if one.alert_id is None:
        return None
    return not_needed(one.kind, one.episode, subjects.get(one.alert_id), now=now)


async def drop(connection: AsyncConnection, reasons: Mapping[UUID, str], *, now: datetime) -> None:
    """Settle those that are no longer needed, each with its reason."""
    for notification_id, reason in reasons.items():
        await connection.execute(
            sa.update(notifications)
            .where(notifications.c.id == notification_id)
            .values(state=NotificationState.DROPPED.value, settled_at=now, problem=reason)
        )


async def _mail(
    connection: AsyncConnection, user: User, kept: Sequence[Notification], writing: Writing, *, now: datetime
) -> None:
    told = await _told(connection, kept, writing, now=now)
    mail = Mail(
        to=user.email,
        subject=subject_of(told),
        text=text_of(told),
        kind=MailKind.NOTIFICATION,
        user_id=user.id,
        expires_at=now + PAGE_LIFETIME,
    )
    mail_id = await MailRepository(connection).post(mail)
    await connection.execute(
        sa.update(notifications)
        .where(among(notifications.c.id, [one.id for one in kept]))
        .values(state=_MAILED, mail_id=mail_id, mailed_at=now)
    )


async def _told(
    connection: AsyncConnection, kept: Sequence[Notification], writing: Writing, *, now: datetime
) -> list[Told]:
    texts = await told_by_alert(connection, {one.alert_id for one in kept if one.alert_id is not None})
    found = {}
    for one in kept:
        if one.alert_id is None or one.episode is None or one.user_id is None:
            continue  # a test of a channel is nobody's mail
        answer = Answer(alert_id=one.alert_id, episode=one.episode, user_id=one.user_id, expires_at=now + LIFETIME)
        url = f"{writing.public_url}/answer?token={writing.links.token(answer)}"
        is_page = one.kind is NotificationKind.PAGE
        # An alert that several steps told of is one part of the message: the newest reason counts.
        found[one.kind, one.alert_id] = dataclasses.replace(
            texts[one.alert_id], kind=one.kind, why=one.why, answer_url=url if is_page else None
        )
    return list(found.values())


async def told_by_alert(connection: AsyncConnection, alert_ids: Iterable[UUID]) -> dict[UUID, Told]:
    """What messages say of the alerts, as they are now; as pages, without a reason."""
    names = ("id", "title", "severity", "service_name", "source", "description", "started_at", "labels")
    statement = sa.select(*[alerts.c[name] for name in names]).where(among(alerts.c.id, alert_ids))
    return {
        row.id: Told(
            kind=NotificationKind.PAGE,
            alert_id=row.id,
            title=row.title,
            severity=Severity(row.severity),
            service_name=row.service_name,
            source=row.source,
            description=row.description,
            started_at=row.started_at,
            labels=tuple(sorted(row.labels.items())),
            why="",
        )
        for row in await connection.execute(statement)
    }


async def settle(engine: AsyncEngine) -> int:
    """Copy what became of the mails to the notifications they carried; how many are settled by it."""
    table, mail = notifications, outgoing_mail
    statement = (
        sa.update(table)
        .where(
            table.c.state == _MAILED,
            table.c.mail_id == mail.c.id,
            sa.or_(mail.c.sent_at.is_not(None), mail.c.failed_at.is_not(None)),
        )
        .values(
            state=sa.case(
                (mail.c.sent_at.is_not(None), NotificationState.SENT.value), else_=NotificationState.FAILED.value
            ),
            settled_at=sa.func.coalesce(mail.c.sent_at, mail.c.failed_at),
            problem=sa.case((mail.c.sent_at.is_not(None), sa.null()), else_=mail.c.last_error),
        )
    )
    async with engine.begin() as connection:
        return (await connection.execute(statement)).rowcount


def notification_of(row: sa.RowMapping) -> Notification:
    """The object of a row."""
    values = {field.name: row[field.name] for field in dataclasses.fields(Notification)}
    kind, state = NotificationKind(values["kind"]), NotificationState(values["state"])
    return Notification(**{**values, "kind": kind, "state": state})


async def notifications_by_alert(connection: AsyncConnection, alert_ids: Sequence[UUID]) -> list[list[Notification]]:
    """The notifications of each alert, the oldest first."""
    table = notifications
    statement = sa.select(table).where(among(table.c.alert_id, alert_ids)).order_by(table.c.id)
    found: dict[UUID, list[Notification]] = {alert_id: [] for alert_id in alert_ids}
    for row in (await connection.execute(statement)).mappings():
        found[row["alert_id"]].append(notification_of(row))
    return [found[alert_id] for alert_id in alert_ids]


# The advisory lock's first half: "tell".
_LOCK = 0x74656C6C
