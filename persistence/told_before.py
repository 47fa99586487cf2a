"""Who heard already of what a rule would tell? Of an alert's opening people hear once, whoever tells them, and however.

Of its end those who heard that it opened hear anyway: of the alert, or of its group.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.model import Severity
from domain.escalations.engine import Subject
from domain.escalations.groups import rank
from domain.escalations.model import NotificationKind, NotificationState
from domain.routing.model import KINDS, RoutedEvent, Routing
from persistence.among import among
from persistence.reaching import Reach
from persistence.rule_groups import Lead
from persistence.tables import escalations, notifications, routings

# An alert, what happened to it, and a person or channel.
Told: TypeAlias = tuple[UUID, str, UUID]
_TOLD_ONCE = frozenset({NotificationKind.PAGE, NotificationKind.RESOLVED})
_IS_PAGE = (
    notifications.c.kind == NotificationKind.PAGE.value,
    notifications.c.state.not_in([NotificationState.FAILED.value, NotificationState.DROPPED.value]),
)
_WHO = sa.func.coalesce(notifications.c.user_id, notifications.c.channel_id).label("who")


@dataclass(frozen=True, slots=True, kw_only=True)
class Noticed:
    """That a rule held, and whom its targets reach; `lead` is what messages about its group are known by."""

    subject: Subject
    routing: Routing
    reached: Reach
    lead: Lead | None = None


async def told_before(connection: AsyncConnection, noticed: Sequence[Noticed]) -> set[Told]:
    """Of the events of these decisions, who heard of them."""
    asked = [one for one in noticed if KINDS[one.routing.event] in _TOLD_ONCE]
    if not asked:
        return set()
    found = await _by_themselves(connection, asked)
    found |= await _by_rules(connection, asked)
    return found | await _by_policies(connection, asked)


def _key(one: Noticed, who: UUID) -> Told:
    return one.subject.id, one.routing.event.value, who


async def _by_themselves(connection: AsyncConnection, noticed: Sequence[Noticed]) -> set[Told]:
    episodes = {one.subject.id: one.subject.episode for one in noticed}
    table = notifications
    statement = (
        sa.select(table.c.alert_id, table.c.episode, _WHO)
        .where(among(table.c.alert_id, episodes), *_IS_PAGE)
        .distinct()
    )
    paged = {
        (row.alert_id, row.who) for row in await connection.execute(statement) if episodes[row.alert_id] == row.episode
    }
    return {_key(one, to.id) for one in noticed for to in one.reached if (one.subject.id, to.id) in paged}


async def _by_rules(connection: AsyncConnection, noticed: Sequence[Noticed]) -> set[Told]:
    """With its group. Another rule that told of nothing less bad; of an end, the rule itself as well."""
    mine, other = routings, routings.alias("other")
    statement = (
        sa.select(mine.c.alert_id, mine.c.rule_id, other.c.severity, _WHO)
        .join(other, sa.and_(other.c.rule_id == mine.c.rule_id, other.c.group_id == mine.c.group_id))
        .join(notifications, notifications.c.routing_id == other.c.id)
        .where(
            among(mine.c.alert_id, {one.subject.id for one in noticed}),
            mine.c.ended_at.is_(None),
            other.c.ended_at.is_(None),
            *_IS_PAGE,
        )
        .distinct()
    )
    rows = (await connection.execute(statement)).all()
    return {
        _key(one, row.who)
        for one in noticed
        for row in rows
        if row.alert_id == one.subject.id
        and (
            one.routing.event is RoutedEvent.RESOLVED
            or (row.rule_id != one.routing.rule_id and rank(Severity(row.severity)) >= rank(one.subject.severity))
        )
    }


async def _by_policies(connection: AsyncConnection, noticed: Sequence[Noticed]) -> set[Told]:
    """With its group, by a policy of the same team that told of nothing less bad."""
    in_groups = [one for one in noticed if one.subject.group_id is not None]
    if not in_groups:
        return set()
    table = escalations
    group_ids = {one.subject.group_id for one in in_groups if one.subject.group_id is not None}
    statement = (
        sa.select(table.c.group_id, table.c.team_id, table.c.severity, _WHO)
        .join(notifications, notifications.c.escalation_id == table.c.id)
        .where(among(table.c.group_id, group_ids), table.c.is_standing, *_IS_PAGE)
        .distinct()
    )
    rows = (await connection.execute(statement)).all()
    return {
        _key(one, row.who)
        for one in in_groups
        for row in rows
        if (row.group_id, row.team_id) == (one.subject.group_id, one.subject.team_id)
        and rank(Severity(row.severity)) >= rank(one.subject.severity)
    }
