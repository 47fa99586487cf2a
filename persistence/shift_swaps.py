"""Where are swaps of shifts kept? A row each, beside the schedules whose shifts they are of."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.visibility import Sight
from domain.escalations.model import NotificationKind
from domain.schedules.model import Override, Span, Versions
from domain.schedules.swaps import ShiftSwap, SwapState
from persistence.among import among
from persistence.reads.visibility import visible
from persistence.schedules import ScheduleRepository, plans_of
from persistence.swap_notices import SAME, heard_of_swap, swap_of, tell_of_swap
from persistence.tables import schedules, shift_swaps


class SwapRepository(ScheduleRepository):
    """Swaps and schedules, inside one transaction. Implements domain.schedules.swaps.Swaps."""

    def __init__(self, connection: AsyncConnection, *, now: datetime) -> None:
        super().__init__(connection)
        self._now = now

    async def add_swap(self, swap: ShiftSwap) -> None:
        """Write a new swap."""
        await self._connection.execute(sa.insert(shift_swaps).values(_values(swap)))

    async def locked_swap(self, swap_id: UUID) -> ShiftSwap | None:
        """The swap, locked until the transaction ends. The schedule first, as everybody else takes the two."""
        its_schedule = sa.select(shift_swaps.c.schedule_id).where(shift_swaps.c.id == swap_id).scalar_subquery()
        await self._connection.execute(
            sa.select(schedules.c.id).where(schedules.c.id == its_schedule).with_for_update()
        )
        statement = sa.select(shift_swaps).where(shift_swaps.c.id == swap_id).with_for_update()
        row = (await self._connection.execute(statement)).mappings().one_or_none()
        return None if row is None else swap_of(row)

    async def save_swap(self, swap: ShiftSwap) -> None:
        """Write what became of it."""
        await self._connection.execute(sa.update(shift_swaps).where(shift_swaps.c.id == swap.id).values(_values(swap)))

    async def open_swaps(self, schedule_id: UUID, *, now: datetime) -> int:
        """How many of the schedule wait for an answer."""
        table = shift_swaps
        waiting = (
            table.c.schedule_id == schedule_id,
            table.c.state == SwapState.ASKED.value,
            table.c.expires_at > now,
        )
        return await self._connection.scalar(sa.select(sa.func.count()).select_from(table).where(*waiting)) or 0

    async def tell(self, swap: ShiftSwap, kind: NotificationKind, people: AbstractSet[UUID]) -> None:
        """Write the notifications; who may not see the schedule is told nothing of it."""
        await tell_of_swap(self._connection, swap, kind, people, now=self._now)

    async def tell_if_asked(self, swap: ShiftSwap, kind: NotificationKind, people: AbstractSet[UUID]) -> None:
        """The same, of those to whom the question has gone out."""
        asked = await heard_of_swap(self._connection, swap.id, people)
        await tell_of_swap(self._connection, swap, kind, asked, now=self._now)

    async def plan(self, schedule_id: UUID, span: Span) -> tuple[Versions, Sequence[Override]]:
        """What decides who is on call over the span."""
        return (await plans_of(self._connection, [schedule_id], span))[schedule_id]


async def swaps_by_ids(connection: AsyncConnection, ids: Sequence[UUID], *, sight: Sight) -> list[ShiftSwap | None]:
    """Swaps by id; None for one of a schedule out of sight."""
    statement = _in_sight(sight).where(among(shift_swaps.c.id, ids))
    found = {row["id"]: swap_of(row) for row in (await connection.execute(statement)).mappings()}
    return [found.get(swap_id) for swap_id in ids]


async def list_swaps(
    connection: AsyncConnection,
    *,
    sight: Sight,
    schedule_id: UUID | None,
    user_id: UUID | None,
    waiting_at: datetime | None,
    most: int,
) -> list[ShiftSwap]:
    """Swaps of schedules within sight, the newest first: of one schedule, of one person, or those that wait."""
    table, statement = shift_swaps, _in_sight(sight)
    if schedule_id is not None:
        statement = statement.where(table.c.schedule_id == schedule_id)
    if user_id is not None:
        statement = statement.where(sa.or_(table.c.user_id == user_id, table.c.colleague_id == user_id))
    if waiting_at is not None:
        statement = statement.where(table.c.state == SwapState.ASKED.value, table.c.expires_at > waiting_at)
    statement = statement.order_by(table.c.id.desc()).limit(most)
    return [swap_of(row) for row in (await connection.execute(statement)).mappings()]


def _in_sight(sight: Sight) -> sa.Select[Any]:
    return (
        sa.select(shift_swaps)
        .join(schedules, schedules.c.id == shift_swaps.c.schedule_id)
        .where(visible(sight, schedules.c.team_id))
    )


def _values(swap: ShiftSwap) -> dict[str, Any]:
    returned = swap.returned
    return {
        **{name: getattr(swap, name) for name in SAME},
        "starts_at": swap.given.starts_at,
        "ends_at": swap.given.ends_at,
        "return_starts_at": None if returned is None else returned.starts_at,
        "return_ends_at": None if returned is None else returned.ends_at,
        "state": swap.state.value,
    }
