"""What is to be told of a group that a routing rule told of, and is it still to be told? The rule's own alerts count.

Those of it whose alerts went to a private team are left out where the rule is nobody's: what that team has is its own.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.model import AlertStatus, Severity
from domain.escalations.group_message import MAX_LISTED, GroupTold, told_of_group
from domain.escalations.groups import OVER
from domain.escalations.message import Told
from domain.escalations.model import CALLS, Notification, NotificationKind
from persistence.group_members import CALLING
from persistence.rule_groups import IS_ANSWERED
from persistence.tables import OPEN

_ANSWERED = "somebody has answered"
_LEFT_ALONE = "what is open of the group is silenced, snoozed or held"
# The alerts that the rule holds for, from the group's first page until its end.
_MEMBERS = """
SELECT DISTINCT a.id, a.title, a.severity, a.service_name, a.source, a.description, a.started_at, a.labels, a.status,
       a.suppressed_by, a.flapping_since, a.snoozed_until, a.paused_until
  FROM routings m JOIN alerts a ON a.id = m.alert_id AND a.episode = m.episode
  LEFT JOIN teams t ON t.id = a.team_id
 WHERE m.rule_id = q.rule_id AND m.group_id = q.group_id AND m.ended_at IS NOT DISTINCT FROM q.ended_at
   AND m.failure IS NULL
   AND (rule.team_id IS NOT DISTINCT FROM a.team_id OR (rule.team_id IS NULL AND NOT t.is_private))
"""
_NEWS = (
    sa.text(
        f"""
SELECT q.id AS routing_id, q.group_id, q.severity AS told_severity, q.decided_at, rule.team_id AS rule_team,
       g.title AS group_title, counted.*, listed.*
  FROM routings q
  JOIN routing_rules rule ON rule.id = q.rule_id
  LEFT JOIN alert_groups g ON g.id = q.group_id
  CROSS JOIN LATERAL (
    SELECT count(*) AS members, count(*) FILTER (WHERE a.{OPEN}) AS open_alerts,
           coalesce(bool_or({CALLING}), false) AS calls, coalesce(bool_or({IS_ANSWERED}), false) AS is_answered
      FROM ({_MEMBERS}) AS a) AS counted
  LEFT JOIN LATERAL (
    SELECT a.id AS alert_id, a.title, a.severity, a.service_name, a.source, a.description, a.started_at, a.labels
      FROM ({_MEMBERS}) AS a WHERE a.{OPEN} ORDER BY a.severity DESC, a.id LIMIT {MAX_LISTED}) AS listed ON true
 WHERE q.id = ANY(:ids) ORDER BY q.id, listed.severity DESC, listed.alert_id"""  # noqa: S608 - constants
    )
    .bindparams(
        sa.bindparam("ids", type_=pg.ARRAY(pg.UUID(as_uuid=True))),
        sa.bindparam("now", type_=sa.DateTime(timezone=True)),
    )
    .columns(labels=pg.JSONB)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupNews:
    """A group at the time of writing. `reason` says why nobody need be paged of it any more; None when they must."""

    team_id: UUID | None
    told: Told
    status: AlertStatus
    reason: str | None

    def reason_against(self, one: Notification) -> str | None:
        """Why the notification is no longer needed; None when it is. An answer was to less than what is worse."""
        if one.kind is NotificationKind.WORSENED and self.status is AlertStatus.ACKNOWLEDGED:
            return None
        return self.reason if one.kind in CALLS else None


async def news_by_rules(
    connection: AsyncConnection, queued: Iterable[Notification], *, now: datetime
) -> dict[UUID, GroupNews]:
    """For each of the notifications that a rule made about a group, by its id."""
    told = [one for one in queued if one.group_id is not None and one.routing_id is not None]
    if not told:
        return {}
    rows: dict[UUID, list[Any]] = {}
    for row in await connection.execute(_NEWS, {"ids": [one.routing_id for one in told], "now": now}):
        rows.setdefault(row.routing_id, []).append(row)
    of_told = [(one, rows.get(one.routing_id)) for one in told if one.routing_id is not None]
    return {one.id: _news(one, found) for one, found in of_told if found}


def _news(one: Notification, rows: Sequence[Any]) -> GroupNews:
    assert one.alert_id is not None  # noqa: S101 - for the type checker
    first = rows[0]
    group = GroupTold(
        group_id=first.group_id,
        lead_id=one.alert_id,
        title=first.group_title or "",
        severity=Severity(first.told_severity),
        worst=[told_of_row(row) for row in rows if row.alert_id is not None],
        total=first.open_alerts or first.members,
        since=first.decided_at,
    )
    status, reason = _standing(first)
    told = replace(told_of_group(group), team_id=first.rule_team)
    return GroupNews(team_id=first.rule_team, told=told, status=status, reason=reason)


def _standing(row: Any) -> tuple[AlertStatus, str | None]:  # noqa: ANN401 - a row
    if not row.open_alerts:
        return AlertStatus.RESOLVED, OVER
    if row.calls:
        return AlertStatus.ACTIVE, None
    return (AlertStatus.ACKNOWLEDGED, _ANSWERED) if row.is_answered else (AlertStatus.ACTIVE, _LEFT_ALONE)


def told_of_row(row: Any) -> Told:  # noqa: ANN401 - a row
    """An alert as messages tell of it."""
    return Told(
        kind=NotificationKind.PAGE,
        alert_id=row.alert_id,
        title=row.title,
        severity=Severity(row.severity),
        service_name=row.service_name,
        source=row.source,
        description=row.description,
        started_at=row.started_at,
        labels=tuple(sorted(row.labels.items())),
        why="",
    )
