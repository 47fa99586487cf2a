"""What if an alert called again while its page was being dropped? Whoever revives pages looked before it was.

Asked once more when that is committed: of two that look at once, one finds what the other wrote. Only where what spoke
against it speaks no more: whoever may not see the alert is not owed its page for ever.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.escalations.engine import Call, call_of
from domain.escalations.model import Notification, NotificationKind
from persistence.among import among
from persistence.escalations import subjects_of
from persistence.group_messages import news_of_groups
from persistence.revived import exhausted_of, revive_after_last_step, revive_dropped
from persistence.still_needed import reasons_against, reasons_against_telling
from persistence.tables import routings


async def revive_what_called_meanwhile(engine: AsyncEngine, dropped: Sequence[Notification], *, now: datetime) -> int:
    """Queue those of these pages, which were dropped just now, whose alerts call for somebody by now; how many."""
    if all(one.kind is not NotificationKind.PAGE for one in dropped):
        return 0
    async with engine.begin() as connection:
        pages = await _needed_again(connection, dropped, now=now)
        alert_ids = {one.alert_id for one in pages if one.alert_id is not None}
        if not alert_ids:
            return 0
        told = {one.routing_id for one in pages if one.routing_id is not None and one.group_id is not None}
        alert_ids |= await _decided_with(connection, told) if told else set()
        subjects = await subjects_of(connection, alert_ids)
        calling = {one.id: one for one in subjects.values() if call_of(one, now=now)[0] is Call.SOMEBODY}
        owing = await exhausted_of(connection, calling)
        revived = await revive_dropped(connection, calling, now=now)
        return revived + await revive_after_last_step(connection, owing, now=now)


async def _needed_again(
    connection: AsyncConnection, dropped: Sequence[Notification], *, now: datetime
) -> list[Notification]:
    to_channels = [one for one in dropped if one.user_id is None]
    groups = await news_of_groups(connection, to_channels, now=now)
    reasons = await reasons_against(connection, to_channels, groups=groups, now=now)
    for user_id in {one.user_id for one in dropped if one.user_id is not None}:
        mine = [one for one in dropped if one.user_id == user_id]
        reasons |= await reasons_against_telling(connection, user_id, mine, now=now)
    return [one for one in dropped if one.kind is NotificationKind.PAGE and reasons[one.id] is None]


async def _decided_with(connection: AsyncConnection, routing_ids: Iterable[UUID]) -> set[UUID]:
    """The alerts of the groups that the rules told of by these decisions."""
    telling, decided = routings, routings.alias("decided")
    statement = (
        sa.select(decided.c.alert_id)
        .join(telling, sa.and_(decided.c.rule_id == telling.c.rule_id, decided.c.group_id == telling.c.group_id))
        .where(among(telling.c.id, routing_ids), decided.c.ended_at.is_(None))
        .distinct()
    )
    return set(await connection.scalars(statement))
