"""How does somebody ask a colleague to take over a shift?"""

from datetime import datetime
from uuid import UUID

import strawberry

from domain.errors import InvalidInput
from domain.ids import new_id
from domain.schedules import swaps
from domain.schedules.model import Span
from graphql_api.context import Context, Info
from graphql_api.errors import IdempotencyConflict, NotFound, SwapConflict, mutation, payload
from graphql_api.idempotency import IDEMPOTENCY_KEY, create_once
from graphql_api.scalars import uuid_of
from graphql_api.schedules.inputs import swap_desk
from graphql_api.schedules.swap_types import ShiftSwap, load_swaps


@strawberry.input(description="What is to be given away, to whom, and for what in return.")
class RequestShiftSwapInput:
    """See domain.schedules.swaps.ShiftSwap."""

    schedule_id: strawberry.ID = strawberry.field(description="The schedule.")
    starts_at: datetime = strawberry.field(
        description="From when the shift is given away, the whole or a part of it; a time before now counts from now."
    )
    ends_at: datetime = strawberry.field(description="Until when.")
    user_id: strawberry.ID | None = strawberry.field(
        description="Whose shift it is; yours if left out. For others a manager of the team asks.", default=None
    )
    colleague_id: strawberry.ID | None = strawberry.field(
        description="Who is asked; left out, everybody who may act on alerts of the team.", default=None
    )
    return_starts_at: datetime | None = strawberry.field(
        description="From when a shift of the colleague is taken in return; left out for nothing.", default=None
    )
    return_ends_at: datetime | None = strawberry.field(description="Until when.", default=None)
    reason: str = strawberry.field(description="Why, for who reads it.", default="")
    expires_at: datetime | None = strawberry.field(
        description="Until when it can be answered; for a week, and never after the shift, if left out.", default=None
    )
    idempotency_key: str | None = strawberry.field(description=IDEMPOTENCY_KEY, default=None)


@strawberry.type(description="It was asked; nothing changes until it is accepted.")
class RequestShiftSwapSuccess:
    """The new swap."""

    swap: ShiftSwap = strawberry.field(description="The swap.")


def _swap_of(context: Context, data: RequestShiftSwapInput) -> swaps.ShiftSwap:
    returned = None
    if data.return_starts_at is not None and data.return_ends_at is not None:
        returned = Span(data.return_starts_at, data.return_ends_at)
    elif data.return_starts_at is not None or data.return_ends_at is not None:
        message = "a time in return has a start and an end"
        raise InvalidInput(message, ("returnEndsAt",))
    viewer_id, now = context.require_viewer().user_id, context.now()
    return swaps.ShiftSwap(
        id=new_id(),
        schedule_id=uuid_of(data.schedule_id, "schedule", "scheduleId"),
        user_id=viewer_id if data.user_id is None else uuid_of(data.user_id, "person", "userId"),
        colleague_id=None if data.colleague_id is None else uuid_of(data.colleague_id, "person", "colleagueId"),
        given=Span(data.starts_at, data.ends_at),
        returned=returned,
        reason=data.reason,
        created_by=viewer_id,
        created_at=now,
        expires_at=data.expires_at or now + swaps.LIFETIME,
    )


@mutation(
    payload("RequestShiftSwap", RequestShiftSwapSuccess, NotFound, SwapConflict, IdempotencyConflict),
    description="Ask a colleague, or everybody, to take over a shift or a part of one, perhaps in return for another.",
)
async def request_shift_swap(info: Info, data: RequestShiftSwapInput) -> RequestShiftSwapSuccess:
    """Write the question."""
    context = info.context
    swap = _swap_of(context, data)
    async with context.uow() as uow:

        async def create() -> dict[str, object]:
            made = await swaps.request_swap(swap, desk=swap_desk(context, uow, "requestShiftSwap"))
            return {"swapId": str(made.id)}

        made, _ = await create_once(context, uow, mutation="requestShiftSwap", data=data, create=create)
        await uow.commit()
    found = await context.loader(load_swaps).load(UUID(made["swapId"]))
    return RequestShiftSwapSuccess(swap=found)  # type: ignore[arg-type] # the domain object is the GraphQL object
