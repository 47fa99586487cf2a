"""How do escalations follow the alerts, and how do their steps fire? Each in one transaction, so each happens once.

`reconcile` looks at the alerts as they are, not as an event told: given twice or late it comes to the same. `fire_due`
takes what is due under row locks that others skip, looks at the alert again, and commits the step, its notifications
and the next time together.
"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.alerts.model import AlertStatus, Severity
from domain.channels.model import ChannelKind
from domain.escalations.engine import (
    ANSWERED,
    LIVE,
    Call,
    Subject,
    call_of,
    policies_for,
    reconciled,
    round_and_step,
    started,
    step_due,
    stepped,
)
from domain.escalations.model import (
    Escalation,
    EscalationState,
    Notification,
    NotificationKind,
    NotificationState,
)
from domain.ids import new_id
from persistence.among import among
from persistence.contact_wishes import held, planned, wishes_of
from persistence.escalation_policies import active_policies, teams_of_policies
from persistence.escalation_steps import steps_json, steps_of
from persistence.reaching import Reach, reach
from persistence.setting_aside import is_at_hand, passes, put_aside
from persistence.tables import alerts, channels, escalations, notifications

_log = structlog.get_logger(__name__)
BATCH = 100
# The work that sets escalations aside.
FIRING = "page"
# Somebody was told, or is about to be.
TOLD = (NotificationState.MAILED, NotificationState.SENT, NotificationState.DELIVERED, NotificationState.READ)
_SUBJECT = (
    alerts.c.id,
    alerts.c.episode,
    alerts.c.status,
    alerts.c.severity,
    alerts.c.team_id,
    (alerts.c.suppressed_by != sa.text("'{}'")).label("is_suppressed"),
    alerts.c.snoozed_until,
    alerts.c.flapping_since,
    alerts.c.paused_until,
)


async def reconcile(connection: AsyncConnection, alert_ids: Sequence[UUID], *, now: datetime) -> int:
    """Start, pause, resume and finish the escalations of these alerts; how many can fire."""
    policies = await active_policies(connection)
    live = await _live_of(connection, alert_ids)
    subjects = await subjects_of(connection, alert_ids)
    teams = await teams_of_policies(connection, {before.policy_id for before in live})
    changed = [
        after
        for before in live
        if (subject := subjects.get(before.alert_id))
        and (after := reconciled(before, subject, now=now, teams=teams)) is not before
    ]
    await _save(connection, changed)
    fresh = [
        started(subject, policy, now=now)
        for subject in subjects.values()
        if call_of(subject, now=now)[0] is Call.SOMEBODY
        for policy in policies_for(subject, policies)
    ]
    if fresh:
        statement = insert(escalations).on_conflict_do_nothing(constraint="uq_escalations_alert_policy_episode")
        await connection.execute(statement, [_row_of(escalation) for escalation in fresh])
    answered = [one for one in subjects.values() if one.status in ANSWERED]
    await _tell_on(connection, answered, NotificationKind.ACKNOWLEDGED, now=now)
    over = [one for one in subjects.values() if one.status is AlertStatus.RESOLVED]
    await _tell_on(connection, over, NotificationKind.RESOLVED, now=now)
    return len(fresh) + sum(escalation.state is EscalationState.RUNNING for escalation in changed)


async def subjects_of(connection: AsyncConnection, alert_ids: Iterable[UUID]) -> dict[UUID, Subject]:
    """What escalations look at of the alerts, as they are now."""
    rows = await connection.execute(sa.select(*_SUBJECT).where(among(alerts.c.id, alert_ids)))
    return {
        row.id: Subject(
            id=row.id,
            episode=row.episode,
            status=AlertStatus(row.status),
            severity=Severity(row.severity),
            team_id=row.team_id,
            is_suppressed=row.is_suppressed,
            snoozed_until=row.snoozed_until,
            flapping_since=row.flapping_since,
            paused_until=row.paused_until,
        )
        for row in rows
    }


async def _live_of(connection: AsyncConnection, alert_ids: Sequence[UUID]) -> list[Escalation]:
    statement = (
        sa.select(escalations)
        .where(
            among(escalations.c.alert_id, alert_ids),
            escalations.c.state.in_([state.value for state in LIVE]),
        )
        .order_by(escalations.c.id)
        .with_for_update()
    )
    return [_escalation_of(row) for row in (await connection.execute(statement)).mappings()]


async def _tell_on(
    connection: AsyncConnection, subjects: Sequence[Subject], kind: NotificationKind, *, now: datetime
) -> None:
    """Those who were told of an episode hear how it went on; those who were not yet are not told at all."""
    if not subjects:
        return
    now_is = {subject.id: subject for subject in subjects}
    told = [
        row for row in await connection.execute(_told_of(now_is, kind)) if now_is[row.alert_id].episode == row.episode
    ]
    wanted = await wishes_of(connection, {row.user_id for row in told if row.user_id is not None})
    rows = [
        notification_row(
            held(
                Notification(
                    id=new_id(),
                    kind=kind,
                    alert_id=row.alert_id,
                    episode=row.episode,
                    user_id=row.user_id,
                    channel_id=row.channel_id,
                    contact_method_id=row.contact_method_id,
                    contact_kind=row.contact_kind,
                    next_attempt_at=None if row.channel_id is None else now,
                    why="told when it was open",
                    created_at=now,
                ),
                wanted.get(row.user_id),
                severity=now_is[row.alert_id].severity,
                now=now,
            )
        )
        for row in told
    ]
    if rows:
        # Whichever of the two unique indexes it is: they heard it before.
        await connection.execute(insert(notifications).on_conflict_do_nothing(), rows)


def _told_of(alert_ids: Iterable[UUID], kind: NotificationKind) -> sa.Select[Any]:
    table = notifications
    is_told = sa.or_(
        table.c.state.in_([state.value for state in TOLD]),
        # On its way this very moment.
        sa.and_(table.c.channel_id.is_not(None), table.c.attempts > 0, table.c.state == NotificationState.QUEUED.value),
    )
    statement = (
        sa.select(
            table.c.alert_id,
            table.c.episode,
            table.c.user_id,
            table.c.channel_id,
            table.c.contact_method_id,
            table.c.contact_kind,
        )
        .where(among(table.c.alert_id, alert_ids), table.c.kind == NotificationKind.PAGE.value, is_told)
        .distinct()
    )
    if kind is NotificationKind.ACKNOWLEDGED:
        # People see that somebody answered by what does not come; an incident elsewhere has to be told.
        in_step = sa.select(channels.c.id).where(channels.c.kind == ChannelKind.PAGERDUTY.value)
        statement = statement.where(table.c.channel_id.in_(in_step))
    return statement


async def fire_due(engine: AsyncEngine, *, now: datetime) -> int:
    """Fire every step that is due; how many fired. Two at once share the work."""
    fired = 0
    while True:
        try:
            async with engine.begin() as connection:
                due = await _due(connection, now=now)
                fired += await _fire(connection, due, now=now)
        except Exception as error:
            if passes(error):
                raise
            # One of them cannot be fired: the others must not wait for it.
            fired += await _fire_singly(engine, now=now)
            continue
        # A step that reached nobody leaves the next one due at once.
        if not due:
            return fired


async def _fire_singly(engine: AsyncEngine, *, now: datetime) -> int:
    """Fire a batch, each in a transaction of its own; what cannot be fired is set aside."""
    # By their ids alone: it may be that one cannot even be read.
    statement = sa.select(escalations.c.id).where(*_is_due(now)).order_by(escalations.c.next_at).limit(BATCH)
    async with engine.connect() as connection:
        ids = list(await connection.scalars(statement))
    fired = 0
    for escalation_id in ids:
        try:
            async with engine.begin() as connection:
                due = await _due(connection, escalations.c.id == escalation_id, now=now)
                fired += await _fire(connection, due, now=now)
        except Exception as error:
            if passes(error):
                raise
            _log.exception("an escalation cannot be fired and is set aside", escalation=str(escalation_id))
            await put_aside(engine, FIRING, escalation_id, error, now=now)
    return fired


def _is_due(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        escalations.c.state == EscalationState.RUNNING.value,
        escalations.c.next_at <= now,
        is_at_hand(FIRING, escalations.c.id, now=now),
    )


async def _due(connection: AsyncConnection, *which: sa.ColumnElement[bool], now: datetime) -> list[Escalation]:
    statement = (
        sa.select(escalations)
        .where(*_is_due(now), *which)
        .order_by(escalations.c.next_at)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    return [_escalation_of(row) for row in (await connection.execute(statement)).mappings()]


async def _fire(connection: AsyncConnection, due: Sequence[Escalation], *, now: datetime) -> int:
    if not due:
        return 0
    subjects = await subjects_of(connection, {escalation.alert_id for escalation in due})
    teams = await teams_of_policies(connection, {escalation.policy_id for escalation in due})
    kept: list[Escalation] = []
    firing: list[Escalation] = []
    for escalation in due:
        subject = subjects.get(escalation.alert_id)
        checked = _gone(escalation, now) if subject is None else reconciled(escalation, subject, now=now, teams=teams)
        (firing if checked is escalation else kept).append(checked)
    reached = await reach(connection, [step_due(one).targets for one in firing], now=now)
    severities = {one.id: subjects[one.alert_id].severity for one in firing}
    await _notify(connection, list(zip(firing, reached, strict=True)), severities, now=now)
    after = [stepped(one, reached=list(people), now=now) for one, people in zip(firing, reached, strict=True)]
    await _save(connection, [*kept, *after])
    return len(firing)


def _gone(escalation: Escalation, now: datetime) -> Escalation:
    return dataclasses.replace(
        escalation, state=EscalationState.FINISHED, next_at=None, ended_at=now, reason="the alert is no longer there"
    )


async def _notify(
    connection: AsyncConnection,
    fired: Sequence[tuple[Escalation, Reach]],
    severities: Mapping[UUID, Severity],
    *,
    now: datetime,
) -> None:
    people = {one.id for _, reached in fired for one in reached if not one.is_channel}
    wanted = await wishes_of(connection, people)
    rows = []
    for escalation, reached in fired:
        number, step = round_and_step(escalation, escalation.position)
        place = f"step {step}" + (f", round {number}" if number > 1 else "")
        for recipient, because in reached.items():
            page = Notification(
                id=new_id(),
                kind=NotificationKind.PAGE,
                alert_id=escalation.alert_id,
                episode=escalation.episode,
                user_id=None if recipient.is_channel else recipient.id,
                channel_id=recipient.id if recipient.is_channel else None,
                next_attempt_at=now if recipient.is_channel else None,
                why=f"{place}: {because}",
                created_at=now,
                escalation_id=escalation.id,
                position=escalation.position,
            )
            if recipient.is_channel:
                rows.append(notification_row(page))
            else:
                severity = severities[escalation.id]
                rows += map(notification_row, planned(page, wanted[recipient.id], severity=severity, now=now))
    if rows:
        await connection.execute(insert(notifications).on_conflict_do_nothing(), rows)


async def _save(connection: AsyncConnection, changed: Sequence[Escalation]) -> None:
    if not changed:
        return
    names = ("position", "state", "next_at", "wakes_at", "ended_at", "reason")
    statement = (
        sa.update(escalations)
        .where(escalations.c.id == sa.bindparam("row_id"))
        .values({name: sa.bindparam(f"new_{name}") for name in names})
    )
    rows = [{"row_id": one.id, **{f"new_{name}": _plain(getattr(one, name)) for name in names}} for one in changed]
    await connection.execute(statement, rows)


def _plain(value: Any) -> Any:  # noqa: ANN401 - a column's value
    return value.value if isinstance(value, EscalationState) else value


def _row_of(escalation: Escalation) -> dict[str, Any]:
    values = {field.name: getattr(escalation, field.name) for field in dataclasses.fields(escalation)}
    return {**values, "steps": steps_json(escalation.steps), "state": escalation.state.value}


def _escalation_of(row: sa.RowMapping) -> Escalation:
    values = {field.name: row[field.name] for field in dataclasses.fields(Escalation)}
    return Escalation(**{**values, "steps": steps_of(values["steps"]), "state": EscalationState(values["state"])})


def notification_row(notification: Notification) -> dict[str, Any]:
    """The columns of a notification."""
    values = dataclasses.asdict(notification)
    return {**values, "kind": notification.kind.value, "state": notification.state.value}


async def escalations_by_alert(connection: AsyncConnection, alert_ids: Sequence[UUID]) -> list[list[Escalation]]:
    """The escalations of each alert, the newest first."""
    table = escalations
    statement = sa.select(table).where(among(table.c.alert_id, alert_ids)).order_by(table.c.id.desc())
    found: dict[UUID, list[Escalation]] = {alert_id: [] for alert_id in alert_ids}
    for row in (await connection.execute(statement)).mappings():
        found[row["alert_id"]].append(_escalation_of(row))
    return [found[alert_id] for alert_id in alert_ids]


async def escalations_by_ids(connection: AsyncConnection, ids: Sequence[UUID]) -> dict[UUID, Escalation]:
    """Escalations by id; one that is not there is missing."""
    statement = sa.select(escalations).where(among(escalations.c.id, ids))
    return {row["id"]: _escalation_of(row) for row in (await connection.execute(statement)).mappings()}
