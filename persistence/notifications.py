"""How do notifications leave? Those of one person together, in one message a method, never two within a minute.

The first page of a quiet night goes at once; what follows within the minute goes with the next message, as one.
Whatever was answered meanwhile is dropped, with the reason on its row. The mail or text message is written in the same
transaction: that it leaves is the promise of its outbox (persistence/mail.py, persistence/texts.py), and what became of
it is copied back.
"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.alerts.model import Severity
from domain.alerts.visibility import Sight
from domain.contacts.message import body_of
from domain.contacts.model import BY_TEXT, ContactKind, ContactMethod, account_method
from domain.contacts.templates import Medium
from domain.escalations.answer import LIFETIME, Answer, AnswerLinks
from domain.escalations.engine import Subject, not_needed
from domain.escalations.message import Told, told_of_test
from domain.escalations.model import CALLS, Notification, NotificationKind, NotificationState
from domain.escalations.urgency import urgency_of
from domain.mail.model import Mail, MailKind
from persistence.among import among
from persistence.contacts import disable_method, methods_by_ids
from persistence.drill_subjects import drill_texts
from persistence.escalations import subjects_of
from persistence.falling_back import give_up
from persistence.group_messages import GroupNews, news_of_groups
from persistence.mail import MailRepository
from persistence.pacing import may_go
from persistence.person_viewer import viewer_of_person
from persistence.person_wording import note_failed, wording_for
from persistence.reads.visibility import teams_in_sight
from persistence.setting_aside import is_at_hand, passes, put_aside
from persistence.swap_messages import write_of_swaps
from persistence.swap_notices import reasons_against_swaps
from persistence.tables import alerts, escalation_members, notifications, outgoing_mail
from persistence.texts import NewText, free_reply_code, post_text
from persistence.users import users_by_ids

_log = structlog.get_logger(__name__)
# The work that sets people aside.
TELLING = "tell"
# A page that could not leave for so long tells nothing new.
PAGE_LIFETIME = timedelta(hours=4)
MAX_PEOPLE = 200
# What one mail may hold; the rest goes with the next.
MAX_BUNDLE = 500
_QUEUED, _HELD = NotificationState.QUEUED.value, NotificationState.HELD.value
_MAILED = NotificationState.MAILED.value
# As domain/escalations/urgency.py has it.
IS_FIRST_PAGE = sa.and_(
    notifications.c.kind == NotificationKind.PAGE.value,
    sa.or_(sa.func.coalesce(notifications.c.position, -1) == 0, notifications.c.routing_id.is_not(None)),
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """What messages need of the installation."""

    links: AnswerLinks
    public_url: str
    # At most one mail to a person in so long: a storm is read as one message, not as a hundred.
    spacing: timedelta


async def deliver(engine: AsyncEngine, writing: Writing, *, now: datetime) -> int:
    """Write a message to each person whose turn it is, by each method; how many were written."""
    async with engine.connect() as connection:
        waiting = await _waiting(connection, before=now - writing.spacing, now=now)
    written = 0
    for user_id, method_id in waiting:
        try:
            async with engine.begin() as connection:
                written += await _deliver_to(connection, user_id, method_id, writing, now=now)
        except Exception as error:
            if passes(error):
                raise
            # What one person is to be told cannot be written: the others must not wait for it.
            _log.exception("a person cannot be told and is set aside", user=str(user_id))
            await put_aside(engine, TELLING, user_id, error, now=now)
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
    """Whether the same person got a message by the same method since then."""
    earlier = notifications.alias("earlier")
    return sa.exists().where(
        earlier.c.user_id == notifications.c.user_id,
        earlier.c.contact_method_id.is_not_distinct_from(notifications.c.contact_method_id),
        earlier.c.mailed_at > since,
    )


async def _deliver_to(
    connection: AsyncConnection, user_id: UUID, method_id: UUID | None, writing: Writing, *, now: datetime
) -> bool:
    """Under the person's lock: of two workers one writes, and the other finds it written."""
    if not await connection.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(_LOCK, sa.func.hashtext(str(user_id))))):
        return False
    table = notifications
    statement = (
        sa.select(table)
        .where(
            table.c.user_id == user_id,
            table.c.contact_method_id.is_not_distinct_from(method_id),
            *_is_due(now),
            ~_recent(now - writing.spacing),
        )
        .order_by(IS_FIRST_PAGE.desc(), table.c.created_at, table.c.id)
        .limit(MAX_BUNDLE)
        .with_for_update()
    )
    queued = [notification_of(row) for row in (await connection.execute(statement)).mappings()]
    if not queued:
        return False
    subjects = await subjects_of(connection, {one.alert_id for one in queued if one.alert_id is not None})
    groups = await news_of_groups(connection, queued, now=now)
    reasons = {one.id: reason_against(one, subjects, groups, now=now) for one in queued}
    (user,) = await users_by_ids(connection, [user_id])
    viewer = await viewer_of_person(connection, user_id)
    if user is None or viewer is None:
        reasons = dict.fromkeys(reasons, "the person may no longer sign in")
    else:
        reasons |= await reasons_against_swaps(connection, queued, sight=viewer.sight, now=now)
        hidden = await _hidden(connection, queued, subjects, groups, sight=viewer.sight)
        reasons |= dict.fromkeys(hidden, "the person may no longer see the alert")
    await drop(connection, {one: reason for one, reason in reasons.items() if reason}, now=now)
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
    await _write(connection, method, kept, writing, now=now)
    return True


async def _hidden(
    connection: AsyncConnection,
    queued: Sequence[Notification],
    subjects: Mapping[UUID, Subject],
    groups: Mapping[UUID, GroupNews],
    *,
    sight: Sight,
) -> set[UUID]:
    """Those of the notifications that are of a team whose alerts the person does not see."""
    teams: dict[UUID, UUID] = {}
    for one in queued:
        about = groups.get(one.id) or (None if one.alert_id is None else subjects.get(one.alert_id))
        if about is not None and about.team_id is not None:
            teams[one.id] = about.team_id
    seen = await teams_in_sight(connection, set(teams.values()), sight=sight)
    return {one for one, team_id in teams.items() if team_id not in seen}


def reason_against(
    one: Notification, subjects: Mapping[UUID, Subject], groups: Mapping[UUID, GroupNews], *, now: datetime
) -> str | None:
    """Why the notification is no longer needed; None when it is. A test is about no alert."""
    if one.id in groups:
        return groups[one.id].reason_against(one)
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


async def _write(
    connection: AsyncConnection, method: ContactMethod, kept: Sequence[Notification], writing: Writing, *, now: datetime
) -> None:
    if kept[0].swap_id is not None:
        await write_of_swaps(connection, method, kept, links=writing.links, public_url=writing.public_url, now=now)
        return
    told = await _told(connection, kept, writing, now=now)
    if method.kind in BY_TEXT:
        is_page = any(one.kind in CALLS for one in told)
        code = (
            await free_reply_code(connection, method.id, now=now)
            if is_page and method.kind is ContactKind.SMS
            else None
        )
        text_id = await post_text(
            connection,
            NewText(
                user_id=method.user_id,
                method_id=method.id,
                body=await _body(connection, method, told, code, now=now),
                reply_code=code,
                expires_at=now + PAGE_LIFETIME,
                urgency=urgency_of(kept),
            ),
            now=now,
        )
        written: dict[str, object] = {"text_id": text_id}
    else:
        wording = await wording_for(connection, Medium.MAIL, told)
        words = wording.mail(told)
        await note_failed(connection, wording, now=now)
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
        written = {"mail_id": await MailRepository(connection).post(mail)}
    await connection.execute(
        sa.update(notifications)
        .where(among(notifications.c.id, [one.id for one in kept]))
        .values(state=_MAILED, mailed_at=now, **written)
    )


async def _body(
    connection: AsyncConnection, method: ContactMethod, told: Sequence[Told], code: str | None, *, now: datetime
) -> str:
    if method.kind is not ContactKind.SMS:
        return body_of(method.kind, told)
    wording = await wording_for(connection, Medium.SMS, told)
    words = wording.text_message(told, code)
    await note_failed(connection, wording, now=now)
    return words.text


async def _told(
    connection: AsyncConnection, kept: Sequence[Notification], writing: Writing, *, now: datetime
) -> list[Told]:
    texts = await told_by_alert(connection, {one.alert_id for one in kept if one.alert_id is not None})
    groups = await news_of_groups(connection, kept, now=now)
    found: dict[tuple[object, ...], Told] = {}
    for one in kept:
        if one.alert_id is None or one.episode is None or one.user_id is None:
            found[one.kind, one.id] = told_of_test(one)
            continue
        answer = Answer(alert_id=one.alert_id, episode=one.episode, user_id=one.user_id, expires_at=now + LIFETIME)
        url = f"{writing.public_url}/answer?token={writing.links.token(answer)}"
        is_page = one.kind in CALLS
        why = one.why if one.held_reason is None else f"{one.why}; {one.held_reason}"
        # An alert that several steps told of is one part of the message: the newest reason counts.
        text = groups[one.id].told if one.id in groups else texts[one.alert_id]
        found[one.kind, one.alert_id, text.group_id] = dataclasses.replace(
            text,
            kind=one.kind,
            why=why,
            answer_url=url if is_page else None,
            is_escalated=one.kind is NotificationKind.PAGE and bool(one.position),
        )
    return list(found.values())


async def told_by_alert(connection: AsyncConnection, alert_ids: Iterable[UUID]) -> dict[UUID, Told]:
    """What messages say of the alerts and drills, as they are now; as pages, without a reason."""
    wanted = set(alert_ids)
    names = ("id", "team_id", "title", "severity", "service_name", "source", "description", "started_at", "labels")
    statement = sa.select(*[alerts.c[name] for name in names]).where(among(alerts.c.id, wanted))
    found = {
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
            team_id=row.team_id,
        )
        for row in await connection.execute(statement)
    }
    return found | await drill_texts(connection, wanted - found.keys())


async def settle(engine: AsyncEngine, *, now: datetime) -> int:
    """Copy what became of the mails to the notifications they carried; how many are settled by it."""
    table, mail = notifications, outgoing_mail
    statement = (
        sa.update(table)
        .where(table.c.state == _MAILED, table.c.mail_id == mail.c.id, mail.c.sent_at.is_not(None))
        .values(state=NotificationState.SENT.value, settled_at=mail.c.sent_at, problem=None)
    )
    async with engine.begin() as connection:
        settled = (await connection.execute(statement)).rowcount
    return settled + await _settle_failed(engine, now=now)


async def _settle_failed(engine: AsyncEngine, *, now: datetime) -> int:
    """Mail that could not be sent: its people are told by what is left, and an address that refuses is given up."""
    table, mail = notifications, outgoing_mail
    statement = (
        sa.select(table, mail.c.last_error, mail.c.bounced_at)
        .join(mail, mail.c.id == table.c.mail_id)
        .where(table.c.state == _MAILED, mail.c.failed_at.is_not(None))
        .limit(MAX_BUNDLE)
        .with_for_update(of=table, skip_locked=True)
    )
    async with engine.begin() as connection:
        rows = (await connection.execute(statement)).mappings().all()
        for row in rows:
            one, reason = notification_of(row), row["last_error"] or "the mail was not sent"
            if one.contact_method_id is not None and row["bounced_at"] is not None:
                await disable_method(connection, one.contact_method_id, f"mail was refused: {reason}", now=now)
            await give_up(connection, [one], reason, now=now)
    return len(rows)


def notification_of(row: sa.RowMapping) -> Notification:
    """The object of a row."""
    values = {field.name: row[field.name] for field in dataclasses.fields(Notification)}
    kind, state = NotificationKind(values["kind"]), NotificationState(values["state"])
    return Notification(**{**values, "kind": kind, "state": state})


async def notifications_by_alert(connection: AsyncConnection, alert_ids: Sequence[UUID]) -> list[list[Notification]]:
    """The notifications of each alert, those of its groups that stand for it among them; the oldest first."""
    table, member = notifications, escalation_members
    its_own = sa.select(table.c.id, table.c.alert_id).where(
        among(table.c.alert_id, alert_ids), table.c.group_id.is_(None)
    )
    of_groups = (
        sa.select(table.c.id, member.c.alert_id)
        .join(member, member.c.escalation_id == table.c.escalation_id)
        .where(among(member.c.alert_id, alert_ids))
    )
    wanted = its_own.union(of_groups).subquery()
    statement = (
        sa.select(table, wanted.c.alert_id.label("of_alert"))
        .join(wanted, wanted.c.id == table.c.id)
        .order_by(table.c.id)
    )
    found: dict[UUID, list[Notification]] = {alert_id: [] for alert_id in alert_ids}
    for row in (await connection.execute(statement)).mappings():
        found[row["of_alert"]].append(notification_of(row))
    return [found[alert_id] for alert_id in alert_ids]


# The advisory lock's first half: "tell".
_LOCK = 0x74656C6C
