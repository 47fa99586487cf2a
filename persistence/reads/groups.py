"""Which groups does a viewer see? Those with at least one member within sight, newest first."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.groups import AlertGroup
from domain.alerts.model import AlertStatus, Severity
from domain.alerts.visibility import Sight
from persistence.reads.visibility import visible
from persistence.tables import alert_groups, alerts

GroupKey = tuple[datetime, UUID]


def _seen(sight: Sight) -> sa.ColumnElement[bool]:
    return sa.exists().where(alerts.c.group_id == alert_groups.c.id, visible(sight))


def _group_of(row: sa.RowMapping) -> AlertGroup:
    values: dict[str, Any] = dict(row)
    return AlertGroup(**{**values, "status": AlertStatus(row["status"]), "severity": Severity(row["severity"])})


async def read_groups(
    connection: AsyncConnection,
    *,
    sight: Sight,
    limit: int,
    after: GroupKey | None = None,
    before: GroupKey | None = None,
    backward: bool = False,
) -> list[AlertGroup]:
    """The first `limit` groups beyond `after`, newest first; when `backward`, those next to `before`, in reverse."""
    place = sa.tuple_(alert_groups.c.created_at, alert_groups.c.id)
    statement = sa.select(alert_groups).where(_seen(sight))
    if after is not None:
        statement = statement.where(place < sa.tuple_(*map(sa.literal, after)))
    if before is not None:
        statement = statement.where(place > sa.tuple_(*map(sa.literal, before)))
    order = [alert_groups.c.created_at, alert_groups.c.id]
    statement = statement.order_by(*(column.asc() if backward else column.desc() for column in order)).limit(limit)
    return [_group_of(row) for row in (await connection.execute(statement)).mappings()]


async def count_groups(connection: AsyncConnection, *, sight: Sight) -> int:
    """How many groups a viewer sees."""
    return await connection.scalar(sa.select(sa.func.count()).select_from(alert_groups).where(_seen(sight))) or 0


async def groups_by_ids(connection: AsyncConnection, ids: Sequence[UUID], *, sight: Sight) -> dict[UUID, AlertGroup]:
    """The groups of these ids that the viewer sees."""
    rows = await connection.execute(sa.select(alert_groups).where(alert_groups.c.id.in_(ids), _seen(sight)))
    return {row["id"]: _group_of(row) for row in rows.mappings()}
