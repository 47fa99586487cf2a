"""How is a question for a swap taken back?"""

import strawberry

from domain.schedules import swaps
from graphql_api.context import Info
from graphql_api.errors import NotFound, SwapConflict, mutation, payload
from graphql_api.scalars import uuid_of
from graphql_api.schedules.inputs import swap_desk
from graphql_api.schedules.swap_types import ShiftSwap, load_swaps


@strawberry.input(description="Which swap.")
class WithdrawShiftSwapInput:
    """By id."""

    id: strawberry.ID = strawberry.field(description="The swap.")


@strawberry.type(description="Nobody can accept it any more.")
class WithdrawShiftSwapSuccess:
    """The swap as it is now."""

    swap: ShiftSwap = strawberry.field(description="The swap.")


@mutation(
    payload("WithdrawShiftSwap", WithdrawShiftSwapSuccess, NotFound, SwapConflict),
    description="Take back a swap of shifts that nobody accepted yet.",
)
async def withdraw_shift_swap(info: Info, data: WithdrawShiftSwapInput) -> WithdrawShiftSwapSuccess:
    """Settle it."""
    context = info.context
    swap_id = uuid_of(data.id, "swap", "id")
    async with context.uow() as uow:
        await swaps.withdraw_swap(swap_id, desk=swap_desk(context, uow, "withdrawShiftSwap"))
        await uow.commit()
    found = await context.loader(load_swaps).load(swap_id)
    return WithdrawShiftSwapSuccess(swap=found)  # type: ignore[arg-type] # the domain object is the GraphQL object
