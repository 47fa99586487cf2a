"""How is the log of groups written and read? A group's own timeline; what happens to its members is in theirs."""

from collections.abc import Sequence
from typing import Any, TypeAlias
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.events import Actor, ActorKind
from domain.alerts.groups import GroupEvent, GroupEventKind, RecordedGroupEvent
from domain.alerts.visibility import Sight
from persistence.change_log import ChangeLog
from persistence.reads.visibility import visible
from persistence.tables import alert_group_events

_LOG = ChangeLog(table=alert_group_events, subject="group_id")
Place: TypeAlias = tuple[int, int]
_TEAM = sa.cast(alert_group_events.c.data["teamId"].astext, sa.Uuid)
_XID = sa.cast(sa.cast(alert_group_events.c.xid, sa.Text), sa.BigInteger)


async def append_group_events(connection: AsyncConnection, events: Sequence[GroupEvent]) -> None:
    """Write events in their order, inside the caller's transaction. When is the database's time, not a clock's."""
    await _LOG.append(connection, events)


async def read_group_timelines(
    connection: AsyncConnection,
    ids: Sequence[UUID],
    *,
    sight: Sight,
    limit: int,
    after: Place | None = None,
    before: Place | None = None,
    backward: bool = False,
) -> dict[UUID, list[RecordedGroupEvent]]:
    """The same page of each group's timeline, oldest first; when `backward`, in reverse.

    What the escalation of a team's alerts did is told to who may see the team.
    """
    table = alert_group_events
    wanted = sa.select(sa.func.unnest(sa.literal(list(ids), ARRAY(table.c.group_id.type))).label("id")).subquery()
    place = sa.tuple_(_XID, table.c.seq)
    page = sa.select(table, _XID.label("number")).where(table.c.group_id == wanted.c.id, visible(sight, _TEAM))
    if after is not None:
        page = page.where(place > sa.tuple_(*map(sa.literal, after)))
    if before is not None:
        page = page.where(place < sa.tuple_(*map(sa.literal, before)))
    order = [_XID, table.c.seq]
    page = page.order_by(*(column.desc() if backward else column.asc() for column in order)).limit(limit)
    part = page.lateral()
    rows = await connection.execute(sa.select(part).select_from(wanted.join(part, sa.true())))
    found: dict[UUID, list[RecordedGroupEvent]] = {group_id: [] for group_id in ids}
    for row in rows.mappings():
        found[row["group_id"]].append(_event_of(row))
    for events in found.values():
        events.sort(key=lambda one: (one.xid, one.seq), reverse=backward)
    return found


def _event_of(row: sa.RowMapping) -> RecordedGroupEvent:
    data: dict[str, Any] = row["data"]
    event = GroupEvent(
        id=row["id"],
        group_id=row["group_id"],
        kind=GroupEventKind(row["kind"]),
        occurred_at=row["occurred_at"],
        actor=Actor(ActorKind(row["actor_kind"]), row["actor_id"]),
        data=data,
    )
    return RecordedGroupEvent(event, row["number"], row["seq"])
