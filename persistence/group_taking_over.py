"""What of the escalations that alerts bring into a group, or take along? The group's own takes them over."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.model import OPEN_STATUSES, AlertStatus, Severity
from domain.escalations.engine import ANSWERED, LIVE, Subject, ended
from domain.escalations.groups import Turn, rank, standing_for
from domain.escalations.model import Escalation, EscalationState
from persistence.among import among
from persistence.escalation_rows import escalation_of, save_escalations
from persistence.group_following import Following
from persistence.group_members import Gone, know, take_back
from persistence.tables import alerts, escalations, notifications

PAUSED, EXHAUSTED = EscalationState.PAUSED, EscalationState.EXHAUSTED


async def carry(connection: AsyncConnection, following: Following, gone: Sequence[Gone]) -> None:
    """An escalation whose alerts all went to another group goes with them, or up in the one that stands there."""
    by_id = {one.id: one for one in following.stands.values()}
    left: dict[UUID, list[Gone]] = {}
    for one in gone:
        mine = by_id.get(one.escalation_id)
        if one.is_open and one.group_id is not None and mine is not None and one.team_id == mine.team_id:
            left.setdefault(mine.id, []).append(one)
    for escalation_id, went in left.items():
        escalation, target = by_id[escalation_id], went[0].group_id
        if escalation.group_id is None or target is None:
            continue
        if (escalation.group_id, escalation.team_id) in following.crowds:
            continue  # it goes on with those that stayed
        there = following.stands.get((target, escalation.policy_id))
        del following.stands[escalation.group_id, escalation.policy_id]
        title = following.titles.get(target, "")
        went_to = f"its alerts went to the group “{title}”"
        if there is None:
            following.tell(escalation, Turn.PAUSED, f"{went_to}, and the escalation with them")
            following.put(replace(escalation, group_id=target))
            await take_back(connection, escalation_id, [one.alert_id for one in went if one.group_id == target])
            continue
        reason = f"{went_to}, whose escalation stands for them"
        following.tell(escalation, Turn.OVER, reason)
        following.put(_gone_up(escalation, there, reason, following.now))
        await connection.execute(
            sa.update(escalations).where(escalations.c.succeeded_by == escalation.id).values(succeeded_by=there.id)
        )


def _gone_up(escalation: Escalation, there: Escalation, reason: str, now: datetime) -> Escalation:
    over = ended(escalation, EscalationState.FINISHED, reason, now=now)
    return replace(over, is_standing=False, succeeded_by=there.id)


async def adopt(connection: AsyncConnection, following: Following) -> None:
    """The first escalation of a single alert of a group becomes the group's: nobody is told of the beginning twice.

    Nor of what every step told of before it came into the group.
    """
    policies = {one.id: one for one in following.policies}
    adopted = []
    told: dict[UUID, list[Subject]] = {}
    for escalation, lead in await _of_single_alerts(connection, {group_id for group_id, _ in following.crowds}):
        policy = policies.get(escalation.policy_id)
        if policy is None or lead.group_id is None or policy.team_id != lead.team_id:
            continue
        standing = following.stands.get((lead.group_id, policy.id))
        if standing is not None:
            if escalation.state is standing.state is EXHAUSTED and standing.answered_at is None:
                told.setdefault(standing.id, []).append(lead)
                if rank(lead.severity) > rank(standing.severity):
                    following.put(replace(standing, severity=lead.severity))
            continue
        made = standing_for(
            escalation,
            lead,
            severity=lead.severity,
            # A rule set it to work for this alert, however bad it is; also one that takes others by itself.
            severities=frozenset(Severity) if policy.is_by_rule else policy.severities | {lead.severity},
            # One that runs still is answered by the look that follows.
            answered_at=following.now if lead.status in ANSWERED and escalation.state is PAUSED else None,
        )
        following.put(made)
        following.tell(made, Turn.STARTED, "the escalation of one of its alerts stands for the group from now on")
        adopted.append(made)
        if made.state is EXHAUSTED:
            told.setdefault(made.id, []).append(lead)
    await save_escalations(connection, adopted)
    for escalation_id, leads in told.items():
        await know(connection, escalation_id, leads, now=following.now)
    for made in adopted:
        of_it = notifications.c.escalation_id == made.id
        await connection.execute(sa.update(notifications).where(of_it).values(group_id=made.group_id))


async def _of_single_alerts(connection: AsyncConnection, group_ids: Iterable[UUID]) -> list[tuple[Escalation, Subject]]:
    """Those of single open alerts of the groups, with their alerts; those that run first, those at their end last."""
    lead = [alerts.c[name].label(f"lead_{name}") for name in ("status", "severity", "group_id", "team_id")]
    statement = (
        sa.select(escalations, *lead)
        .join(alerts, sa.and_(alerts.c.id == escalations.c.alert_id, alerts.c.episode == escalations.c.episode))
        .where(
            among(alerts.c.group_id, group_ids),
            alerts.c.status.in_([status.value for status in OPEN_STATUSES]),
            escalations.c.group_id.is_(None),
            escalations.c.state.in_([state.value for state in (*LIVE, EXHAUSTED)]),
        )
        .order_by(
            escalations.c.state == EXHAUSTED.value,
            escalations.c.state == EscalationState.PAUSED.value,
            escalations.c.id,
        )
        .with_for_update(of=escalations)
    )
    return [
        (
            escalation_of(row),
            Subject(
                id=row["alert_id"],
                episode=row["episode"],
                status=AlertStatus(row["lead_status"]),
                severity=Severity(row["lead_severity"]),
                team_id=row["lead_team_id"],
                group_id=row["lead_group_id"],
                is_suppressed=False,
                snoozed_until=None,
            ),
        )
        for row in (await connection.execute(statement)).mappings()
    ]
