"""What has a routing rule told of a group? Its decisions about the group's alerts, until none of them is open.

One that is not `is_joined` paged, and stands for the others; the first of those is what messages about the group are
known by. Whoever looks or decides holds the advisory lock of the group, as with escalations of groups. What reached
nobody, was dropped on its way or failed told of nothing: what comes later joins it no more.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.model import Severity
from domain.escalations.engine import ANSWERED
from domain.escalations.model import CALLS, NotificationState
from domain.routing.grouping import AFTER_ALL, Counts
from domain.routing.model import RoutedEvent, Routing
from persistence.among import among
from persistence.group_members import CALLING
from persistence.tables import OPEN, alerts, notifications, routings

# A rule and a group.
Place: TypeAlias = tuple[UUID, UUID]
PAGES = (RoutedEvent.OPENED, RoutedEvent.REOPENED, RoutedEvent.WORSENED)
_UUIDS = pg.ARRAY(pg.UUID(as_uuid=True))
# Of an alert `a`: whether somebody has answered.
IS_ANSWERED = "a.status IN ('acknowledged', 'investigating')"
_CALLS = [kind.value for kind in CALLS]
_GONE = [state.value for state in (NotificationState.DROPPED, NotificationState.FAILED)]
# Of a decision `r`: whether somebody has its page, or is about to get it. A policy that it set to work tells by itself.
_HEARD = """(r.targets = '[]' OR EXISTS (
    SELECT FROM notifications n WHERE n.routing_id = r.id AND n.kind = ANY(:calls) AND NOT n.state = ANY(:gone)))"""
_STANDS = "r.group_id IS NOT NULL AND r.ended_at IS NULL AND r.failure IS NULL"
_OPEN = f"(a.id IS NOT NULL AND a.{OPEN})"
_COUNTS = sa.text(
    f"""
SELECT r.rule_id, r.group_id,
       count(DISTINCT a.id) FILTER (WHERE {_OPEN}) AS opened,
       count(DISTINCT a.id) FILTER (WHERE {CALLING}) AS calling,
       count(DISTINCT a.id) FILTER (WHERE {IS_ANSWERED}) AS answered,
       count(DISTINCT a.id) FILTER (WHERE {_OPEN} AND NOT r.is_joined) AS told_open,
       count(DISTINCT r.alert_id)
         FILTER (WHERE NOT {_OPEN} AND NOT r.is_joined AND (r.was_answered OR NOT {_HEARD})) AS told_answered,
       (array_agg(r.id ORDER BY a.severity DESC, r.id) FILTER (WHERE {CALLING}))[1] AS worst_id
  FROM (SELECT r.*,
               EXISTS (SELECT FROM alerts e WHERE e.id = r.alert_id AND e.acknowledged_at IS NOT NULL) AS was_answered
          FROM routings r
         WHERE {_STANDS} AND (r.rule_id, r.group_id) IN (
           SELECT m.rule_id, m.group_id FROM routings m WHERE m.alert_id = ANY(:ids) AND m.group_id IS NOT NULL)) AS r
  LEFT JOIN alerts a ON a.id = r.alert_id AND a.episode = r.episode
 GROUP BY r.rule_id, r.group_id ORDER BY r.rule_id, r.group_id"""  # noqa: S608 - constants
).bindparams(
    sa.bindparam("ids", type_=_UUIDS),
    sa.bindparam("now", type_=sa.DateTime(timezone=True)),
    sa.bindparam("calls", _CALLS, type_=pg.ARRAY(sa.Text)),
    sa.bindparam("gone", _GONE, type_=pg.ARRAY(sa.Text)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """What messages about a rule's group are known by: its first decision that paged."""

    routing_id: UUID
    alert_id: UUID
    episode: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """A rule's group after a look: `worst_id` is the decision about the worst alert that calls."""

    place: Place
    counts: Counts
    worst_id: UUID | None


def _is_standing(group_ids: Iterable[UUID]) -> tuple[sa.ColumnElement[bool], ...]:
    table = routings
    return (
        among(table.c.group_id, group_ids),
        table.c.ended_at.is_(None),
        table.c.failure.is_(None),
        table.c.event.in_([one.value for one in PAGES]),
    )


def _is_heard() -> sa.ColumnElement[bool]:
    """The same as `_HEARD`."""
    page = notifications.c
    is_paged = sa.exists().where(page.routing_id == routings.c.id, page.kind.in_(_CALLS), page.state.not_in(_GONE))
    return sa.or_(routings.c.targets == sa.text("'[]'"), is_paged)


def _is_answered() -> sa.ColumnElement[bool]:
    return sa.exists().where(
        alerts.c.id == routings.c.alert_id,
        alerts.c.episode == routings.c.episode,
        alerts.c.status.in_([status.value for status in ANSWERED]),
    )


async def told_of(
    connection: AsyncConnection, group_ids: Iterable[UUID], *, but: Iterable[UUID]
) -> dict[Place, list[tuple[UUID, Severity]]]:
    """By rule and group, the alerts it told of and how bad they were; without these decisions.

    One whose page nobody got was told of all the same where somebody has answered it.
    """
    table = routings
    names = (table.c.rule_id, table.c.group_id, table.c.alert_id, table.c.severity)
    is_known = sa.or_(_is_heard(), _is_answered())
    statement = sa.select(*names).where(*_is_standing(group_ids), ~table.c.is_joined, ~among(table.c.id, but), is_known)
    found: dict[Place, list[tuple[UUID, Severity]]] = {}
    for row in await connection.execute(statement.distinct()):
        found.setdefault((row.rule_id, row.group_id), []).append((row.alert_id, Severity(row.severity)))
    return found


async def leads_of(connection: AsyncConnection, group_ids: Iterable[UUID]) -> dict[Place, Lead]:
    """By rule and group, what its messages are known by."""
    table = routings
    statement = (
        sa.select(table.c.rule_id, table.c.group_id, table.c.id, table.c.alert_id, table.c.episode)
        .where(*_is_standing(group_ids), ~table.c.is_joined)
        .ext(pg.distinct_on(table.c.rule_id, table.c.group_id))
        .order_by(table.c.rule_id, table.c.group_id, table.c.id)
    )
    return {
        (row.rule_id, row.group_id): Lead(routing_id=row.id, alert_id=row.alert_id, episode=row.episode)
        for row in await connection.execute(statement)
    }


async def mark_joined(connection: AsyncConnection, fresh: Sequence[Routing], *, paging: set[UUID]) -> None:
    """Write down which of the decisions page no more than others did for them."""
    joined = [one.id for one in fresh if one.id not in paging]
    if joined:
        await connection.execute(sa.update(routings).where(among(routings.c.id, joined)).values(is_joined=True))


async def look_at_rule_groups(connection: AsyncConnection, alert_ids: Sequence[UUID], *, now: datetime) -> list[Looked]:
    """The groups that rules told of, of these alerts, as they are now."""
    rows = await connection.execute(_COUNTS, {"ids": list(alert_ids), "now": now})
    return [
        Looked(
            place=(row.rule_id, row.group_id),
            counts=Counts(
                opened=row.opened,
                calling=row.calling,
                answered=row.answered,
                told_open=row.told_open,
                told_answered=row.told_answered,
            ),
            worst_id=row.worst_id,
        )
        for row in rows
    ]


async def end_rule_groups(connection: AsyncConnection, places: Sequence[Place], *, now: datetime) -> None:
    """No alert of theirs is open any more: what comes next is told of anew."""
    for rule_id, group_id in places:
        mine = (routings.c.rule_id == rule_id, routings.c.group_id == group_id, routings.c.ended_at.is_(None))
        await connection.execute(sa.update(routings).where(*mine).values(ended_at=now))


async def page_by(connection: AsyncConnection, routing_ids: Sequence[UUID]) -> Mapping[UUID, Any]:
    """Let these decisions page, which had joined silently; their rows."""
    statement = sa.update(routings).where(among(routings.c.id, routing_ids)).values(is_joined=False, note=AFTER_ALL)
    rows = (await connection.execute(statement.returning(*routings.c))).mappings()
    return {row["id"]: row for row in rows}
