"""What is to be told of a group, and is it still to be told? For notifications that an escalation of a group made.

Only alerts of the escalation's own team are counted and named: what another team's are called is nobody else's.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.model import AlertStatus, Severity
from domain.escalations.engine import ANSWERED
from domain.escalations.group_message import MAX_LISTED, GroupTold, told_of_group
from domain.escalations.groups import OVER, Members, loud, route
from domain.escalations.model import Escalation, Notification, Policy
from persistence.among import among
from persistence.escalation_policies import active_policies
from persistence.escalation_rows import escalation_of
from persistence.group_members import members_of
from persistence.rule_group_messages import GroupNews, news_by_rules, told_of_row
from persistence.tables import OPEN, alert_groups, escalations

_OF_TEAM = "a.group_id = e.group_id AND a.team_id IS NOT DISTINCT FROM e.team_id"
# The worst that are open; of a group that is over, how many it had.
_ALERTS = (
    sa.text(
        f"""
SELECT e.id AS escalation_id, listed.*,
       (SELECT count(*) FROM alerts a WHERE {_OF_TEAM} AND a.{OPEN}) AS open_alerts,
       (SELECT count(DISTINCT m.alert_id) FROM escalation_members m WHERE m.escalation_id = e.id) AS members
  FROM escalations e
  LEFT JOIN LATERAL (
    SELECT a.id AS alert_id, a.title, a.severity, a.service_name, a.source, a.description, a.started_at, a.labels
      FROM alerts a WHERE {_OF_TEAM} AND a.{OPEN} ORDER BY a.severity DESC, a.id LIMIT {MAX_LISTED}) AS listed ON true
 WHERE e.id = ANY(:ids) ORDER BY e.id, listed.severity DESC, listed.alert_id"""  # noqa: S608 - constants
    )
    .bindparams(sa.bindparam("ids", type_=pg.ARRAY(pg.UUID(as_uuid=True))))
    .columns(labels=pg.JSONB)
)


async def news_of_groups(
    connection: AsyncConnection, queued: Iterable[Notification], *, now: datetime
) -> dict[UUID, GroupNews]:
    """For each of the notifications that tells of a group, by its id."""
    queued = list(queued)
    by_escalation: dict[UUID, list[UUID]] = {}
    for one in queued:
        if one.group_id is not None and one.escalation_id is not None:
            by_escalation.setdefault(one.escalation_id, []).append(one.id)
    by_rules = await news_by_rules(connection, queued, now=now)
    if not by_escalation:
        return by_rules
    statement = (
        sa.select(escalations, alert_groups.c.title.label("group_title"))
        .outerjoin(alert_groups, alert_groups.c.id == escalations.c.group_id)
        .where(among(escalations.c.id, by_escalation))
    )
    rows = (await connection.execute(statement)).mappings().all()
    policies = await active_policies(connection)
    members = await members_of(connection, by_escalation, now=now)
    alerts: dict[UUID, list[Any]] = {}
    for found in await connection.execute(_ALERTS, {"ids": list(by_escalation)}):
        alerts.setdefault(found.escalation_id, []).append(found)
    news = by_rules
    for row in rows:
        escalation = escalation_of(row)
        told = told_of_group(_group(escalation, row["group_title"] or "", alerts.get(escalation.id, [])))
        told = replace(told, team_id=escalation.team_id)
        mine = members[escalation.id]
        reason = _reason(escalation, mine, policies, now=now)
        status = _status(mine, reason)
        one_news = GroupNews(team_id=escalation.team_id, told=told, status=status, reason=reason)
        news |= dict.fromkeys(by_escalation[escalation.id], one_news)
    return news


def _reason(
    escalation: Escalation, members: Sequence[Members], policies: Sequence[Policy], *, now: datetime
) -> str | None:
    if not members:
        return OVER
    mine = [one.severities for one in policies if one.team_id == escalation.team_id and not one.is_by_rule]
    routed = route(members, [*mine, escalation.severities or frozenset()], now=now)
    if loud(escalation, members, routed, now=now):
        return None
    return escalation.reason or "somebody has answered"


def _status(members: Sequence[Members], reason: str | None) -> AlertStatus:
    """Where the group is, as its messages say it: answered when all that calls is."""
    if not members:
        return AlertStatus.RESOLVED
    is_answered = reason is not None and any(one.subject.status in ANSWERED for one in members)
    return AlertStatus.ACKNOWLEDGED if is_answered else AlertStatus.ACTIVE


def _group(escalation: Escalation, title: str, rows: Sequence[Any]) -> GroupTold:
    assert escalation.group_id is not None  # noqa: S101 - for the type checker
    worst = [told_of_row(row) for row in rows if row.alert_id is not None]
    total = (rows[0].open_alerts or rows[0].members) if rows else 0
    return GroupTold(
        group_id=escalation.group_id,
        lead_id=escalation.alert_id,
        title=title,
        severity=escalation.severity or Severity.LOW,
        worst=worst,
        total=total,
        since=escalation.started_at,
    )
