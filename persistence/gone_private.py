"""May a channel still hear of this alert? Not once it went to a private team, unless that team itself decided it.

Whom a person is told of is asked of the person's own sight (persistence/still_needed.py). A channel has none: what
counts is whose policy or rule names it. Of a group only alerts of its escalation's own team are told anyway.
"""

from collections.abc import Iterable
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.escalations.model import CALLS, Notification
from persistence.among import among
from persistence.tables import alerts, channels, escalation_policies, escalations, routing_rules, routings, teams
from persistence.tables import notifications as told

WENT = "the alert went to a private team"


async def gone_private(connection: AsyncConnection, queued: Iterable[Notification]) -> set[UUID]:
    """Those of the notifications to channels that call somebody, and are of what is a private team's by now."""
    ids = [one.id for one in queued if one.channel_id is not None and one.group_id is None and one.kind in CALLS]
    if not ids:
        return set()
    theirs = (channels.c.team_id, escalation_policies.c.team_id, routing_rules.c.team_id)
    statement = (
        sa.select(told.c.id)
        .join(alerts, alerts.c.id == told.c.alert_id)
        .join(teams, sa.and_(teams.c.id == alerts.c.team_id, teams.c.is_private))
        .join(channels, channels.c.id == told.c.channel_id)
        .outerjoin(escalations, escalations.c.id == told.c.escalation_id)
        .outerjoin(escalation_policies, escalation_policies.c.id == escalations.c.policy_id)
        .outerjoin(routings, routings.c.id == told.c.routing_id)
        .outerjoin(routing_rules, routing_rules.c.id == routings.c.rule_id)
        .where(among(told.c.id, ids), *(column.is_distinct_from(alerts.c.team_id) for column in theirs))
    )
    return set(await connection.scalars(statement))
