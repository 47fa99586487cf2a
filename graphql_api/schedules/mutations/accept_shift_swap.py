"""How does a colleague take over what they were asked for?"""

import strawberry

from domain.schedules import swaps
from graphql_api.context import Info
from graphql_api.errors import NotFound, SwapConflict, mutation, payload
from graphql_api.scalars import uuid_of
from graphql_api.schedules.inputs import swap_desk
from graphql_api.schedules.swap_types import ShiftSwap, load_swaps


@strawberry.input(description="Which swap.")
class AcceptShiftSwapInput:
    """By id."""

    id: strawberry.ID = strawberry.field(description="The swap.")


@strawberry.type(description="The swap counts.")
class AcceptShiftSwapSuccess:
    """The swap as it is now."""

    swap: ShiftSwap = strawberry.field(description="The swap.")


@mutation(
    payload("AcceptShiftSwap", AcceptShiftSwapSuccess, NotFound, SwapConflict),
    description="Accept a swap of shifts: both overrides are made, or none.",
)
async def accept_shift_swap(info: Info, data: AcceptShiftSwapInput) -> AcceptShiftSwapSuccess:
    """Make the overrides and settle the swap in one transaction."""
    context = info.context
    swap_id = uuid_of(data.id, "swap", "id")
    async with context.uow() as uow:
        await swaps.accept_swap(swap_id, desk=swap_desk(context, uow, "acceptShiftSwap"))
        await uow.commit()
    found = await context.loader(load_swaps).load(swap_id)
    return AcceptShiftSwapSuccess(swap=found)  # type: ignore[arg-type] # the domain object is the GraphQL object
