"""How does a colleague say no to a swap?"""

import strawberry

from domain.schedules import swaps
from graphql_api.context import Info
from graphql_api.errors import NotFound, SwapConflict, mutation, payload
from graphql_api.scalars import uuid_of
from graphql_api.schedules.inputs import swap_desk
from graphql_api.schedules.swap_types import ShiftSwap, load_swaps


@strawberry.input(description="Which swap.")
class DeclineShiftSwapInput:
    """By id."""

    id: strawberry.ID = strawberry.field(description="The swap.")


@strawberry.type(description="The shifts stay as they are.")
class DeclineShiftSwapSuccess:
    """The swap as it is now."""

    swap: ShiftSwap = strawberry.field(description="The swap.")


@mutation(
    payload("DeclineShiftSwap", DeclineShiftSwapSuccess, NotFound, SwapConflict),
    description="Decline a swap of shifts.",
)
async def decline_shift_swap(info: Info, data: DeclineShiftSwapInput) -> DeclineShiftSwapSuccess:
    """Settle it."""
    context = info.context
    swap_id = uuid_of(data.id, "swap", "id")
    async with context.uow() as uow:
        await swaps.decline_swap(swap_id, desk=swap_desk(context, uow, "declineShiftSwap"))
        await uow.commit()
    found = await context.loader(load_swaps).load(swap_id)
    return DeclineShiftSwapSuccess(swap=found)  # type: ignore[arg-type] # the domain object is the GraphQL object
