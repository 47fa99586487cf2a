"""How are groups changed by hand? Their rows, their keys and their log, within one transaction."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.groups import GroupEvent, GroupRow
from domain.alerts.model import Alert, AlertStatus
from domain.alerts.visibility import Sight
from domain.correlation.model import GroupedBy
from persistence.alerts import ALERT_COLUMNS, alert_of
from persistence.group_events import append_group_events
from persistence.locks import take_locks
from persistence.reads.visibility import visible
from persistence.tables import alert_group_keys, alert_groups, alerts

_KEPT = tuple(
    alert_groups.c[name] for name in ("id", "title", "grouped_by", "created_at", "updated_at", "merged_into", "version")
)


class GroupRepository:
    """The groups. Implements domain.alerts.actions.grouping.Groups."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def lock_everything(self) -> None:
        """Keep every writer of alerts out until the transaction ends; its first statement."""
        await take_locks(self._connection, [], silences="exclusive")

    async def locked(self, ids: Sequence[UUID], *, sight: Sight) -> dict[UUID, GroupRow]:
        """The groups with a member in sight, locked until the transaction ends."""
        seen = sa.exists().where(alerts.c.group_id == alert_groups.c.id, visible(sight))
        statement = (
            sa.select(*_KEPT)
            .where(alert_groups.c.id.in_(list(ids)), seen)
            .order_by(alert_groups.c.id)
            .with_for_update(of=alert_groups)
        )
        rows = (await self._connection.execute(statement)).mappings()
        return {row["id"]: GroupRow(**{**row, "grouped_by": GroupedBy(row["grouped_by"])}) for row in rows}

    async def members(self, group_ids: Sequence[UUID], *, sight: Sight, limit: int) -> list[Alert]:
        """The members within sight."""
        statement = sa.select(*ALERT_COLUMNS).where(alerts.c.group_id.in_(list(group_ids)), visible(sight)).limit(limit)
        return [alert_of(row) for row in (await self._connection.execute(statement)).mappings()]

    async def add(self, group: GroupRow) -> None:
        """Write a new group."""
        await self._connection.execute(
            sa.insert(alert_groups).values(
                id=group.id,
                title=group.title,
                grouped_by=group.grouped_by.value,
                created_at=group.created_at,
                updated_at=group.updated_at,
            )
        )

    async def save(self, group: GroupRow) -> None:
        """Write a group's title, version and where it was merged into."""
        await self._connection.execute(
            sa.update(alert_groups)
            .where(alert_groups.c.id == group.id)
            .values(
                title=group.title,
                version=group.version,
                updated_at=group.updated_at,
                merged_into=group.merged_into,
            )
        )

    async def hand_keys_over(self, group_ids: Sequence[UUID], *, to: UUID) -> None:
        """From now on what would join these groups joins another."""
        await self._connection.execute(
            sa.update(alert_group_keys).where(alert_group_keys.c.group_id.in_(list(group_ids))).values(group_id=to)
        )

    async def append(self, *events: GroupEvent) -> None:
        """Tell what happened, on the groups' timelines."""
        await append_group_events(self._connection, events)


async def member_ids(
    connection: AsyncConnection,
    group_id: UUID,
    *,
    statuses: Sequence[AlertStatus],
    sight: Sight,
    after: UUID | None,
    limit: int,
) -> list[UUID]:
    """The next members within sight that have one of the statuses, in the order of their ids."""
    statement = sa.select(alerts.c.id).where(
        alerts.c.group_id == group_id, alerts.c.status.in_([one.value for one in statuses]), visible(sight)
    )
    if after is not None:
        statement = statement.where(alerts.c.id > after)
    return list(await connection.scalars(statement.order_by(alerts.c.id).limit(limit)))
