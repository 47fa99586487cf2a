"""How do escalations follow the alerts, and how do their steps fire? Each in one transaction, so each happens once.

`reconcile` looks at the alerts as they are, not as an event told: given twice or late it comes to the same. `fire_due`
takes what is due under row locks that others skip, looks at the alert again, and commits the step, its notifications
and the next time together.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.alerts.model import AlertStatus, Severity
from domain.escalations.engine import (
    ANSWERED,
    LIVE,
    Call,
    Subject,
    call_of,
    ended,
    policies_for,
    reconciled,
    started,
    step_due,
    stepped,
)
from domain.escalations.model import Escalation, EscalationState, NotificationKind
from persistence.among import among
from persistence.drill_subjects import drill_subjects
from persistence.escalation_notices import TOLD, tell_on
from persistence.escalation_pages import page_by_steps
from persistence.escalation_policies import active_policies, teams_of_policies
from persistence.escalation_rows import add_escalations, escalation_of, notification_row, save_escalations
from persistence.group_escalations import due_of_groups, follow_groups
from persistence.moved_messages import touch
from persistence.nobody_reached import tell_that_nobody_is_reached
from persistence.reaching import reach
from persistence.revived import exhausted_of, revive_after_last_step
from persistence.setting_aside import is_at_hand, passes, put_aside
from persistence.tables import alerts, escalation_members, escalations

__all__ = [
    "HOPEFUL",
    "TOLD",
    "escalations_by_alert",
    "escalations_by_ids",
    "fire_due",
    "notification_row",
    "reconcile",
    "subjects_of",
]

_log = structlog.get_logger(__name__)
BATCH = 100
# The work that sets escalations aside.
FIRING = "page"
# Not those that are gone through again every minute because nobody is there.
HOPEFUL = escalations.c.unreached_since.is_(None)
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
    alerts.c.group_id,
)


async def reconcile(connection: AsyncConnection, alert_ids: Sequence[UUID], *, now: datetime) -> int:
    """Start, pause, resume and finish the escalations of these alerts and their groups; how many can fire."""
    policies = await active_policies(connection)
    groups = await follow_groups(connection, alert_ids, policies, now=now)
    live = await _live_of(connection, alert_ids)
    subjects = await subjects_of(connection, alert_ids)
    teams = await teams_of_policies(connection, {before.policy_id for before in live})
    changed = [
        after
        for before in live
        if (subject := subjects.get(before.alert_id))
        and (
            after := reconciled(
                before,
                subject,
                now=now,
                teams=teams,
                is_covered=groups.covers(subject.group_id, before.policy_id),
            )
        )
        is not before
    ]
    await save_escalations(connection, changed)
    fresh = [
        started(subject, policy, now=now)
        for subject in subjects.values()
        # Of one in a group it is the group's escalation that tells.
        if subject.group_id is None and call_of(subject, now=now)[0] is Call.SOMEBODY
        for policy in policies_for(subject, policies)
    ]
    await add_escalations(connection, fresh)
    calling = {one.id: one for one in subjects.values() if call_of(one, now=now)[0] is Call.SOMEBODY}
    owing = await exhausted_of(connection, calling)
    revived = await revive_after_last_step(connection, owing, now=now)
    answered = [one for one in subjects.values() if one.status in ANSWERED]
    await tell_on(connection, answered, NotificationKind.ACKNOWLEDGED, now=now)
    over = [one for one in subjects.values() if one.status is AlertStatus.RESOLVED]
    await tell_on(connection, over, NotificationKind.RESOLVED, now=now)
    await touch(connection, [*alert_ids, *groups.leads], now=now)
    running = sum(escalation.state is EscalationState.RUNNING for escalation in changed)
    return groups.can_fire + len(fresh) + running + revived


async def subjects_of(connection: AsyncConnection, alert_ids: Iterable[UUID]) -> dict[UUID, Subject]:
    """What escalations look at of the alerts, as they are now; and of drills, which have alerts' place."""
    wanted = set(alert_ids)
    rows = await connection.execute(sa.select(*_SUBJECT).where(among(alerts.c.id, wanted)))
    found = {
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
            group_id=row.group_id,
        )
        for row in rows
    }
    return found | await drill_subjects(connection, wanted - found.keys())


async def _live_of(connection: AsyncConnection, alert_ids: Sequence[UUID]) -> list[Escalation]:
    statement = (
        sa.select(escalations)
        .where(
            among(escalations.c.alert_id, alert_ids),
            escalations.c.group_id.is_(None),
            escalations.c.state.in_([state.value for state in (*LIVE, EscalationState.EXHAUSTED)]),
        )
        .order_by(escalations.c.id)
        .with_for_update()
    )
    return [escalation_of(row) for row in (await connection.execute(statement)).mappings()]


async def fire_due(engine: AsyncEngine, *which: sa.ColumnElement[bool], now: datetime) -> int:
    """Fire every step that is due, or of those the ones asked for; how many fired. Two at once share the work."""
    fired = 0
    while True:
        try:
            async with engine.begin() as connection:
                due = await _due(connection, *which, now=now)
                fired += await _fire(connection, due, now=now)
        except Exception as error:
            if passes(error):
                raise
            # One of them cannot be fired: the others must not wait for it.
            fired += await _fire_singly(engine, *which, now=now)
            continue
        # A step that reached nobody leaves the next one due at once.
        if not due:
            return fired


async def _fire_singly(engine: AsyncEngine, *which: sa.ColumnElement[bool], now: datetime) -> int:
    """Fire a batch, each in a transaction of its own; what cannot be fired is set aside."""
    # By their ids alone: it may be that one cannot even be read.
    statement = sa.select(escalations.c.id).where(*_is_due(now), *which).order_by(escalations.c.next_at).limit(BATCH)
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
    return [escalation_of(row) for row in (await connection.execute(statement)).mappings()]


async def _fire(connection: AsyncConnection, due: Sequence[Escalation], *, now: datetime) -> int:
    if not due:
        return 0
    groups = [one for one in due if one.is_standing]
    policies = await active_policies(connection) if groups else []
    firing = await due_of_groups(connection, groups, policies, now=now)
    alone, kept = await _due_of_alerts(connection, [one for one in due if not one.is_standing], now=now)
    firing += alone
    reached = await reach(connection, [step_due(one).targets for one, _ in firing], now=now)
    severities = {one.id: severity or Severity.CRITICAL for one, severity in firing}
    fired = [(one, people) for (one, _), people in zip(firing, reached, strict=True)]
    await page_by_steps(connection, fired, severities, now=now)
    after = [stepped(one, reached=list(people), now=now) for one, people in fired]
    await save_escalations(connection, [*kept, *after])
    began = [new for (old, _), new in zip(fired, after, strict=True) if new.unreached_since and not old.unreached_since]
    await tell_that_nobody_is_reached(connection, began, severities, now=now)
    return len(firing)


async def _due_of_alerts(
    connection: AsyncConnection, due: Sequence[Escalation], *, now: datetime
) -> tuple[list[tuple[Escalation, Severity | None]], list[Escalation]]:
    """Those whose step is to fire, with how bad the alert is; and those that are otherwise by now."""
    subjects = await subjects_of(connection, {escalation.alert_id for escalation in due})
    teams = await teams_of_policies(connection, {escalation.policy_id for escalation in due})
    kept: list[Escalation] = []
    firing: list[tuple[Escalation, Severity | None]] = []
    for escalation in due:
        subject = subjects.get(escalation.alert_id)
        checked = _gone(escalation, now) if subject is None else reconciled(escalation, subject, now=now, teams=teams)
        if subject is not None and checked is escalation:
            firing.append((escalation, subject.severity))
        else:
            kept.append(checked)
    return firing, kept


def _gone(escalation: Escalation, now: datetime) -> Escalation:
    return ended(escalation, EscalationState.FINISHED, "the alert is no longer there", now=now)


async def escalations_by_alert(connection: AsyncConnection, alert_ids: Sequence[UUID]) -> list[list[Escalation]]:
    """The escalations of each alert, those of its groups that stand for it among them; the newest first."""
    table, member = escalations, escalation_members
    its_own = sa.select(table.c.id, table.c.alert_id).where(
        among(table.c.alert_id, alert_ids), table.c.group_id.is_(None)
    )
    of_groups = sa.select(member.c.escalation_id, member.c.alert_id).where(among(member.c.alert_id, alert_ids))
    wanted = its_own.union(of_groups).subquery()
    statement = (
        sa.select(table, wanted.c.alert_id.label("of_alert"))
        .join(wanted, wanted.c.id == table.c.id)
        .order_by(table.c.id.desc())
    )
    found: dict[UUID, list[Escalation]] = {alert_id: [] for alert_id in alert_ids}
    for row in (await connection.execute(statement)).mappings():
        found[row["of_alert"]].append(escalation_of(row))
    return [found[alert_id] for alert_id in alert_ids]


async def escalations_by_ids(connection: AsyncConnection, ids: Sequence[UUID]) -> dict[UUID, Escalation]:
    """Escalations by id; one that is not there is missing."""
    statement = sa.select(escalations).where(among(escalations.c.id, ids))
    return {row["id"]: escalation_of(row) for row in (await connection.execute(statement)).mappings()}
