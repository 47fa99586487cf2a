"""What do the rules that held queue? A notification for each person and channel they reach, as a step of a policy does.

A page follows the person's rules and quiet hours, and the team's; what calls nobody goes by the first of their ways
alone. The policy of a rule is set to work in the same transaction.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.contacts.planning import Rest
from domain.escalations.engine import Subject, started
from domain.escalations.incidents import key_of_rules_group
from domain.escalations.model import CALLS, Notification, Policy
from domain.ids import new_id
from domain.routing.model import KINDS
from persistence.among import among
from persistence.contact_wishes import Wishes, planned, wishes_of
from persistence.escalation_rows import add_escalations, notification_row
from persistence.quiet_hours import resting
from persistence.reaching import Recipient
from persistence.tables import notifications, routing_rules
from persistence.told_before import Noticed, told_before


async def notify(connection: AsyncConnection, noticed: Sequence[Noticed], *, now: datetime) -> dict[UUID, int]:
    """Queue the notifications; how many people and channels each decision told."""
    told = await told_before(connection, noticed)
    people = {one.id for notice in noticed for one in notice.reached if not one.is_channel}
    wanted = await wishes_of(connection, people)
    rests = await resting(connection, {notice.subject.id for notice in noticed})
    names = await _names(connection, {notice.routing.rule_id for notice in noticed})
    counts: dict[UUID, int] = {}
    rows: list[dict[str, Any]] = []
    for notice in noticed:
        routing, subject = notice.routing, notice.subject
        for recipient, because in notice.reached.items():
            key = (subject.id, routing.event.value, recipient.id)
            if key in told:
                continue
            told.add(key)
            counts[routing.id] = counts.get(routing.id, 0) + 1
            why = f"notification rule {names[routing.rule_id]}: {because}"
            notice_to = _notification(notice, recipient, why=why, now=now)
            wishes = wanted.get(recipient.id)
            rows += _rows(notice_to, wishes, notice, rests.get(subject.id), now=now)
    if rows:
        await connection.execute(insert(notifications).on_conflict_do_nothing(), rows)
    return counts


def _rows(
    notice: Notification, wishes: Wishes | None, noticed: Noticed, rest: Rest | None, *, now: datetime
) -> list[dict[str, Any]]:
    severity = noticed.subject.severity
    messages = list(planned(notice, wishes, severity=severity, now=now, team=rest))
    return [notification_row(one) for one in (messages if notice.kind in CALLS else messages[:1])]


def _notification(noticed: Noticed, recipient: Recipient, *, why: str, now: datetime) -> Notification:
    lead = noticed.lead
    return Notification(
        id=new_id(),
        kind=KINDS[noticed.routing.event],
        alert_id=noticed.subject.id if lead is None else lead.alert_id,
        episode=noticed.subject.episode if lead is None else lead.episode,
        group_id=None if lead is None else noticed.routing.group_id,
        incident_key=None
        if lead is None or not recipient.is_channel
        else key_of_rules_group(lead.alert_id, noticed.routing.rule_id),
        user_id=None if recipient.is_channel else recipient.id,
        channel_id=recipient.id if recipient.is_channel else None,
        next_attempt_at=now if recipient.is_channel else None,
        why=why,
        created_at=now,
        routing_id=noticed.routing.id,
    )


async def set_to_work(connection: AsyncConnection, begin: Sequence[tuple[Subject, Policy]], *, now: datetime) -> int:
    """Start the policies that rules name, or that stand in for them; how many."""
    fresh = [started(subject, policy, now=now) for subject, policy in begin]
    await add_escalations(connection, fresh)
    return len(fresh)


async def _names(connection: AsyncConnection, rule_ids: set[UUID]) -> Mapping[UUID, str]:
    table = routing_rules
    rows = await connection.execute(sa.select(table.c.id, table.c.name).where(among(table.c.id, rule_ids)))
    return {row.id: row.name for row in rows}
