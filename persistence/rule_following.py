"""What follows when alerts change that a rule told of as a group? The end is told, and what would be forgotten."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.escalations.model import NotificationKind
from domain.routing.grouping import Then, looked_at
from persistence.among import among
from persistence.escalation_notices import tell_of_rule_groups
from persistence.escalations import subjects_of
from persistence.reaching import reach
from persistence.routing_notices import notify
from persistence.routing_rows import routing_from
from persistence.rule_groups import Looked, end_rule_groups, leads_of, look_at_rule_groups, page_by
from persistence.tables import alerts, routings
from persistence.told_before import Noticed


async def groups_of(connection: AsyncConnection, alert_ids: Sequence[UUID]) -> set[UUID]:
    """The groups these alerts are in, and those that a rule told of for them."""
    here = sa.select(alerts.c.group_id).where(among(alerts.c.id, alert_ids), alerts.c.group_id.is_not(None))
    told = sa.select(routings.c.group_id).where(
        among(routings.c.alert_id, alert_ids), routings.c.group_id.is_not(None), routings.c.ended_at.is_(None)
    )
    return set(await connection.scalars(here.union(told)))


async def follow_rule_groups(connection: AsyncConnection, alert_ids: Sequence[UUID], *, now: datetime) -> int:
    """Tell how it went on with the groups of these alerts that rules told of; how many pages that makes."""
    if not alert_ids:
        return 0
    looked = await look_at_rule_groups(connection, alert_ids, now=now)
    by_then: dict[Then, list[Looked]] = {}
    for one in looked:
        by_then.setdefault(looked_at(one.counts), []).append(one)
    over = [one.place for one in by_then.get(Then.OVER, ())]
    answered = [one.place for one in by_then.get(Then.ANSWERED, ())]
    leads = await leads_of(connection, {group_id for _, group_id in over + answered})
    for places, kind in ((answered, NotificationKind.ACKNOWLEDGED), (over, NotificationKind.RESOLVED)):
        told = {place: leads[place] for place in places if place in leads}
        await tell_of_rule_groups(connection, told, kind, now=now)
    await end_rule_groups(connection, over, now=now)
    return await _page_again(connection, by_then.get(Then.AGAIN, ()), now=now)


async def _page_again(connection: AsyncConnection, looked: Sequence[Looked], *, now: datetime) -> int:
    """What joined silently is told of: what it was silent for is answered and over."""
    if not looked:
        return 0
    leads = await leads_of(connection, {one.place[1] for one in looked})
    rows = await page_by(connection, [one.worst_id for one in looked if one.worst_id is not None])
    again = [routing_from(row) for row in rows.values()]
    subjects = await subjects_of(connection, {one.alert_id for one in again})
    reached = await reach(connection, [one.targets for one in again], now=now)
    noticed = [
        Noticed(
            subject=subjects[one.alert_id],
            routing=one,
            reached=people,
            lead=None if one.group_id is None else leads.get((one.rule_id, one.group_id)),
        )
        for one, people in zip(again, reached, strict=True)
        if one.alert_id in subjects
    ]
    counts = await notify(connection, noticed, now=now)
    for one, people in counts.items():
        await connection.execute(sa.update(routings).where(routings.c.id == one).values(reached=people))
    return sum(counts.values())
