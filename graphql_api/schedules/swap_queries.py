"""Which swaps of shifts are there?"""

from typing import Annotated

import strawberry

from domain.schedules import swaps
from graphql_api.context import Info
from graphql_api.scalars import uuid_or_none
from graphql_api.schedules.swap_types import ShiftSwap, load_swaps
from persistence.shift_swaps import list_swaps

MOST = 100
Id = Annotated[strawberry.ID, strawberry.argument(description="The swap's id.")]
OfSchedule = Annotated[strawberry.ID | None, strawberry.argument(description="Only those of this schedule.")]
Mine = Annotated[bool, strawberry.argument(description="Only those that you give or are asked for by name.")]
Waiting = Annotated[bool, strawberry.argument(description="Only those that wait for an answer.")]


@strawberry.type
class ShiftSwapQueries:
    """Mixed into Query."""

    @strawberry.field(description="One swap of shifts; null for none you may see.", graphql_type=ShiftSwap | None)
    async def shift_swap(self, info: Info, *, id: Id) -> swaps.ShiftSwap | None:  # noqa: A002 - the API's name
        """By id."""
        swap_id = uuid_or_none(id)
        return None if swap_id is None else await info.context.loader(load_swaps).load(swap_id)

    @strawberry.field(
        description=f"Swaps of shifts of the schedules you may see, the newest {MOST} first.",
        graphql_type=list[ShiftSwap],
    )
    async def shift_swaps(
        self, info: Info, *, schedule_id: OfSchedule = None, mine: Mine = False, waiting: Waiting = False
    ) -> list[swaps.ShiftSwap]:
        """Few of them matter at any time: no paging."""
        context = info.context
        viewer, schedule = context.require_viewer(), None if schedule_id is None else uuid_or_none(schedule_id)
        if schedule_id is not None and schedule is None:
            return []
        async with context.read() as connection:
            return await list_swaps(
                connection,
                sight=viewer.sight,
                schedule_id=schedule,
                user_id=viewer.user_id if mine else None,
                waiting_at=context.now() if waiting else None,
                most=MOST,
            )
