"""Which groups does a viewer see, and what of them? Those with a member within sight; status and severity are theirs.

Each is one probe of `ix_alerts_group_state`, however many members a group has.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.groups import AlertGroup, GroupCounts, GroupFilter
from domain.alerts.model import OPEN_STATUSES, AlertStatus, Severity
from domain.alerts.visibility import Sight
from domain.correlation.model import GroupedBy
from persistence.reads.visibility import visible
from persistence.tables import alert_groups, alerts

GroupKey = tuple[datetime, UUID]
_OPEN = alerts.c.status.in_([status.value for status in OPEN_STATUSES])


def _members(sight: Sight, *conditions: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    return sa.and_(alerts.c.group_id == alert_groups.c.id, visible(sight), *conditions)


def _state(sight: Sight) -> dict[str, sa.ColumnElement[Any]]:
    """What is read of the members, as scalar subqueries."""

    def first(column: sa.ColumnElement[Any], order: sa.ColumnElement[Any], *conditions: sa.ColumnElement[bool]) -> Any:  # noqa: ANN401 - a subquery
        return sa.select(column).where(_members(sight, *conditions)).order_by(order).limit(1).scalar_subquery()

    worst = alerts.c.severity.desc()
    return {
        "status": first(alerts.c.status, alerts.c.status),
        "severity": sa.func.coalesce(first(alerts.c.severity, worst, _OPEN), first(alerts.c.severity, worst)),
        "last_alert_at": first(alerts.c.created_at, alerts.c.created_at.desc()),
        "resolved_at": sa.case(
            (first(sa.literal(True), alerts.c.status, _OPEN).is_not(None), None),  # noqa: FBT003 - a column
            else_=sa.select(sa.func.max(alerts.c.resolved_at)).where(_members(sight)).scalar_subquery(),
        ),
    }


def _seen(sight: Sight) -> sa.ColumnElement[bool]:
    return sa.exists().where(_members(sight))


def _wanted(wanted: GroupFilter, sight: Sight) -> list[sa.ColumnElement[bool]]:
    state = _state(sight)
    found: list[sa.ColumnElement[bool]] = []
    if wanted.statuses is not None:
        found.append(state["status"].in_([status.value for status in wanted.statuses]))
    if wanted.severities is not None:
        found.append(state["severity"].in_([severity.value for severity in wanted.severities]))
    if wanted.is_open is not None:
        is_open = sa.exists().where(_members(sight, _OPEN))
        found.append(is_open if wanted.is_open else sa.not_(is_open))
    if wanted.service_names is not None:
        found.append(sa.exists().where(_members(sight, alerts.c.service_name.in_(sorted(wanted.service_names)))))
    if wanted.team_ids is not None:
        ids = [team_id for team_id in wanted.team_ids if team_id is not None]
        of_team: sa.ColumnElement[bool] = alerts.c.team_id.in_(ids)
        if None in wanted.team_ids:
            of_team = sa.or_(of_team, alerts.c.team_id.is_(None))
        found.append(sa.exists().where(_members(sight, of_team)))
    if wanted.rule_ids is not None:
        found.append(alert_groups.c.rule_id.in_(list(wanted.rule_ids)))
    return found


def _select(sight: Sight) -> sa.Select[Any]:
    return sa.select(alert_groups, *(column.label(name) for name, column in _state(sight).items())).where(_seen(sight))


def _group_of(row: sa.RowMapping) -> AlertGroup:
    values: dict[str, Any] = dict(row)
    values["status"], values["severity"] = AlertStatus(values["status"]), Severity(values["severity"])
    values["grouped_by"] = GroupedBy(values["grouped_by"])
    return AlertGroup(**values)


async def read_groups(
    connection: AsyncConnection,
    *,
    sight: Sight,
    limit: int,
    wanted: GroupFilter = GroupFilter(),  # noqa: B008 - frozen
    after: GroupKey | None = None,
    before: GroupKey | None = None,
    backward: bool = False,
) -> list[AlertGroup]:
    """The first `limit` groups beyond `after`, newest first; when `backward`, those next to `before`, in reverse."""
    place = sa.tuple_(alert_groups.c.created_at, alert_groups.c.id)
    statement = _select(sight).where(*_wanted(wanted, sight))
    if after is not None:
        statement = statement.where(place < sa.tuple_(*map(sa.literal, after)))
    if before is not None:
        statement = statement.where(place > sa.tuple_(*map(sa.literal, before)))
    order = [alert_groups.c.created_at, alert_groups.c.id]
    statement = statement.order_by(*(column.asc() if backward else column.desc() for column in order)).limit(limit)
    return [_group_of(row) for row in (await connection.execute(statement)).mappings()]


async def count_groups(
    connection: AsyncConnection,
    *,
    sight: Sight,
    wanted: GroupFilter = GroupFilter(),  # noqa: B008 - frozen
) -> int:
    """How many groups a viewer sees."""
    statement = sa.select(sa.func.count()).select_from(alert_groups).where(_seen(sight), *_wanted(wanted, sight))
    return await connection.scalar(statement) or 0


async def groups_by_ids(connection: AsyncConnection, ids: Sequence[UUID], *, sight: Sight) -> dict[UUID, AlertGroup]:
    """The groups of these ids that the viewer sees."""
    rows = await connection.execute(_select(sight).where(alert_groups.c.id.in_(ids)))
    return {row["id"]: _group_of(row) for row in rows.mappings()}


async def group_counts(connection: AsyncConnection, ids: Sequence[UUID], *, sight: Sight) -> dict[UUID, GroupCounts]:
    """How many members of each group the viewer sees, and how many of them are open."""
    statement = (
        sa.select(alerts.c.group_id, sa.func.count(), sa.func.count().filter(_OPEN))
        .where(alerts.c.group_id.in_(list(ids)), visible(sight))
        .group_by(alerts.c.group_id)
    )
    return {group_id: GroupCounts(total, is_open) for group_id, total, is_open in await connection.execute(statement)}
