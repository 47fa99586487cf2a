"""Which escalations want looking after? Whose answer stopped to count, and steps that were due and did not fire."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.escalations.model import EscalationState
from persistence.among import among
from persistence.tables import escalations


async def overdue_answers(connection: AsyncConnection, *, limit: int, now: datetime) -> list[UUID]:
    """Alerts whose answer stopped to count for an escalation that waits for it."""
    table = escalations
    statement = sa.select(table.c.alert_id).where(table.c.wakes_at <= now).order_by(table.c.wakes_at).limit(limit)
    return list(dict.fromkeys(await connection.scalars(statement)))


async def answers_looked_at(connection: AsyncConnection, alert_ids: Sequence[UUID], *, now: datetime) -> None:
    """Once is enough: the alert is open again, or it needs no more."""
    table = escalations
    await connection.execute(
        sa.update(table).where(among(table.c.alert_id, alert_ids), table.c.wakes_at <= now).values(wakes_at=None)
    )


async def late_steps(connection: AsyncConnection, *, before: datetime) -> tuple[int, datetime | None]:
    """How many steps were due before that time and have not fired, and since when the first of them waits."""
    table = escalations
    late = sa.select(sa.func.count(), sa.func.min(table.c.next_at)).where(
        table.c.state == EscalationState.RUNNING.value, table.c.next_at < before
    )
    count, oldest = (await connection.execute(late)).one()
    return count, oldest
