"""Who hears how it went on? Those who were told: of an alert's episode, or of a group by its escalation.

Those who were not told yet are not told at all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.model import Severity
from domain.channels.kinds import names_of
from domain.escalations.engine import Subject
from domain.escalations.groups import rank
from domain.escalations.model import Escalation, Notification, NotificationKind, NotificationState
from domain.ids import new_id
from persistence.among import among
from persistence.contact_wishes import held, wishes_of
from persistence.escalation_rows import notification_row
from persistence.quiet_hours import resting
from persistence.rule_groups import Lead, Place, told_of
from persistence.tables import channels, delivery_attempts, escalations, notifications, routings

# Somebody was told, or is about to be.
TOLD = (NotificationState.MAILED, NotificationState.SENT, NotificationState.DELIVERED, NotificationState.READ)
# To a machine the end of what it does not know is nothing; what it took without saying so would stay open there.
_MACHINES = names_of(lambda kind: kind.is_machine)
_IN_STEP = names_of(lambda kind: kind.hears_of_answers)
WHEN_GROUP = "told when the group was open"
_NAMES = ("user_id", "channel_id", "contact_method_id", "contact_kind", "incident_key")
_RECIPIENT = tuple(notifications.c[name] for name in _NAMES)


async def tell_on(
    connection: AsyncConnection, subjects: Sequence[Subject], kind: NotificationKind, *, now: datetime
) -> None:
    """Those who were told of an episode hear how it went on."""
    if not subjects:
        return
    now_is = {subject.id: subject for subject in subjects}
    of_them = among(notifications.c.alert_id, now_is)
    statement = (
        sa.select(notifications.c.alert_id, notifications.c.episode, *_RECIPIENT)
        .where(of_them, notifications.c.group_id.is_(None), *_is_told(kind), ~_goes_on_for_a_group())
        .distinct()
    )
    rows = [row for row in await connection.execute(statement) if now_is[row.alert_id].episode == row.episode]
    severities = {one.id: one.severity for one in subjects}
    await _write(connection, rows, kind, severities=severities, why="told when it was open", now=now)


async def tell_of_groups(
    connection: AsyncConnection, ended: Sequence[Escalation], kind: NotificationKind, *, now: datetime
) -> None:
    """Those who were told of a group, by its escalation or by one that went up in it, hear how it went on."""
    if not ended:
        return
    table, telling = escalations, escalations.alias("telling")
    by_id = {one.id: one for one in ended}
    statement = (
        sa.select(telling.c.id.label("telling_id"), telling.c.alert_id, telling.c.episode, *_RECIPIENT)
        .join_from(notifications, table, table.c.id == notifications.c.escalation_id)
        .join(telling, telling.c.id == sa.func.coalesce(table.c.succeeded_by, table.c.id))
        .where(
            sa.or_(among(table.c.id, by_id), among(table.c.succeeded_by, by_id)),
            *_is_told(kind),
        )
        .distinct()
    )
    told: dict[UUID, list[Any]] = {}
    for row in await connection.execute(statement):
        told.setdefault(row.telling_id, []).append(row)
    for escalation_id, rows in told.items():
        escalation = by_id[escalation_id]
        severities = {escalation.alert_id: escalation.severity or Severity.LOW}
        of = _Of(group_id=escalation.group_id, escalation_id=escalation.id)
        await _write(connection, rows, kind, severities=severities, why=WHEN_GROUP, now=now, of=of)


async def tell_of_rule_groups(
    connection: AsyncConnection, told: Mapping[Place, Lead], kind: NotificationKind, *, now: datetime
) -> None:
    """Those whom a rule told of a group hear how it went on with the alerts that the rule holds for."""
    worst = await told_of(connection, {group_id for _, group_id in told}, but=()) if told else {}
    for (rule_id, group_id), lead in told.items():
        statement = (
            sa.select(sa.literal(lead.alert_id, sa.Uuid).label("alert_id"), sa.literal(lead.episode).label("episode"))
            .add_columns(*_RECIPIENT)
            .join_from(notifications, routings, routings.c.id == notifications.c.routing_id)
            .where(
                routings.c.rule_id == rule_id,
                routings.c.group_id == group_id,
                routings.c.ended_at.is_(None),
                notifications.c.group_id == group_id,
                *_is_told(kind),
            )
            .distinct()
        )
        rows = (await connection.execute(statement)).all()
        told_by = worst.get((rule_id, group_id), [])
        severities = {lead.alert_id: max((severity for _, severity in told_by), key=rank, default=Severity.LOW)}
        of = _Of(group_id=group_id, routing_id=lead.routing_id)
        await _write(connection, rows, kind, severities=severities, why=WHEN_GROUP, now=now, of=of)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Of:
    """By what a group was told of; nothing where it is an alert by itself."""

    group_id: UUID | None = None
    escalation_id: UUID | None = None
    routing_id: UUID | None = None


_OF_ALERTS = _Of()


async def _write(
    connection: AsyncConnection,
    told: Sequence[Any],
    kind: NotificationKind,
    *,
    severities: Mapping[UUID, Severity],
    why: str,
    now: datetime,
    of: _Of = _OF_ALERTS,
) -> None:
    wanted = await wishes_of(connection, {row.user_id for row in told if row.user_id is not None})
    rests = await resting(connection, {row.alert_id for row in told})
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
                    why=why,
                    created_at=now,
                    escalation_id=of.escalation_id,
                    routing_id=of.routing_id,
                    group_id=of.group_id,
                    incident_key=row.incident_key,
                ),
                wanted.get(row.user_id),
                severity=severities[row.alert_id],
                now=now,
                team=rests.get(row.alert_id),
            )
        )
        for row in told
    ]
    if rows:
        # Whichever of the unique indexes it is: they heard it before.
        await connection.execute(insert(notifications).on_conflict_do_nothing(), rows)


def _is_told(kind: NotificationKind) -> list[sa.ColumnElement[bool]]:
    table = notifications
    conditions = [
        table.c.kind == NotificationKind.PAGE.value,
        sa.or_(
            table.c.state.in_([state.value for state in TOLD]),
            _is_on_its_way(),
        ),
    ]
    if kind is NotificationKind.ACKNOWLEDGED:
        # People see that somebody answered by what does not come; an incident elsewhere has to be told.
        in_step = sa.select(channels.c.id).where(channels.c.kind.in_(_IN_STEP))
        conditions.append(table.c.channel_id.in_(in_step))
    return conditions


def _goes_on_for_a_group() -> sa.ColumnElement[bool]:
    """Whether the same incident is a group's by now: it ends with the group, not with the alert it was of at first."""
    table, other = notifications, notifications.alias("of_group")
    return sa.exists().where(
        other.c.alert_id == table.c.alert_id,
        other.c.channel_id == table.c.channel_id,
        other.c.incident_key.is_not_distinct_from(table.c.incident_key),
        other.c.group_id.is_not(None),
        other.c.kind == NotificationKind.PAGE.value,
        other.c.escalation_id == escalations.c.id,
        escalations.c.is_standing,
    )


def _is_on_its_way() -> sa.ColumnElement[bool]:
    """Whether a page leaves for a channel this very moment: one whose last attempt failed told nobody anything."""
    table, attempt = notifications, delivery_attempts
    has_failed = sa.exists().where(attempt.c.notification_id == table.c.id, attempt.c.number == table.c.attempts)
    machines = sa.select(channels.c.id).where(channels.c.kind.in_(_MACHINES))
    return sa.and_(
        table.c.channel_id.is_not(None),
        table.c.attempts > 0,
        table.c.state == NotificationState.QUEUED.value,
        sa.or_(~has_failed, table.c.channel_id.in_(machines)),
    )
