"""Which escalations want looking after? Whose answer stopped to count, and steps that were due and did not fire."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.escalations.model import EscalationState
from persistence.tables import escalations

_ANSWERED = "a.status IN ('acknowledged', 'investigating')"
_MINE = "m.escalation_id = e.id AND m.left_at IS NULL AND a.id = m.alert_id AND a.episode = m.episode"
_OVERDUE = sa.text(
    f"""
SELECT alert_id FROM (
  SELECT e.alert_id, e.wakes_at FROM escalations e WHERE e.wakes_at <= :now AND e.group_id IS NULL
  UNION
  SELECT a.id, e.wakes_at FROM escalations e JOIN escalation_members m ON m.escalation_id = e.id
    JOIN alerts a ON {_MINE}
   WHERE e.wakes_at <= :now AND e.group_id IS NOT NULL AND {_ANSWERED}) AS overdue
 GROUP BY alert_id ORDER BY min(wakes_at), alert_id LIMIT :limit"""  # noqa: S608 - constants
).bindparams(sa.bindparam("now", type_=sa.DateTime(timezone=True)), sa.bindparam("limit", type_=sa.Integer))
# A group has thousands: one that has more of them is asked for again.
_LOOKED_AT = sa.text(
    f"""
UPDATE escalations e SET wakes_at = NULL
 WHERE e.wakes_at <= :now
   AND ((e.group_id IS NULL AND e.alert_id = ANY(:ids))
     OR (e.group_id IS NOT NULL
         AND EXISTS (SELECT FROM escalation_members m WHERE m.escalation_id = e.id AND m.alert_id = ANY(:ids))
         AND NOT EXISTS (SELECT FROM escalation_members m, alerts a WHERE {_MINE} AND {_ANSWERED}
                            AND NOT a.id = ANY(:ids))))"""  # noqa: S608 - constants
).bindparams(
    sa.bindparam("now", type_=sa.DateTime(timezone=True)),
    sa.bindparam("ids", type_=sa.ARRAY(sa.Uuid())),
)


async def overdue_answers(connection: AsyncConnection, *, limit: int, now: datetime) -> list[UUID]:
    """Alerts whose answer stopped to count for an escalation that waits for it: of a group those that were answered."""
    return list(await connection.scalars(_OVERDUE, {"now": now, "limit": limit}))


async def answers_looked_at(connection: AsyncConnection, alert_ids: Sequence[UUID], *, now: datetime) -> None:
    """Once is enough: the alert is open again, or it needs no more."""
    await connection.execute(_LOOKED_AT, {"ids": list(alert_ids), "now": now})


async def late_steps(connection: AsyncConnection, *, before: datetime) -> tuple[int, datetime | None]:
    """How many steps were due before that time and have not fired, and since when the first of them waits."""
    table = escalations
    late = sa.select(sa.func.count(), sa.func.min(table.c.next_at)).where(
        table.c.state == EscalationState.RUNNING.value, table.c.next_at < before
    )
    count, oldest = (await connection.execute(late)).one()
    return count, oldest
