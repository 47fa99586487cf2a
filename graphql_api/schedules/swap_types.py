"""How is a swap of shifts shown?"""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry

from domain.escalations import model as escalations
from domain.identity import model as identity
from domain.schedules import model, swaps
from graphql_api.context import Context, Info
from graphql_api.exposes import expose_enum, exposes
from graphql_api.identity.loaders import load_users
from graphql_api.identity.types import User
from graphql_api.schedules.loaders import load_schedules
from graphql_api.schedules.types import Schedule
from persistence.notification_rows import notification_of
from persistence.shift_swaps import swaps_by_ids
from persistence.swap_notices import swap_notifications

if TYPE_CHECKING:
    from graphql_api.escalations.notification_types import Notification

expose_enum(
    swaps.SwapState,
    name="ShiftSwapState",
    description="Where a swap of shifts is.",
    values={
        swaps.SwapState.ASKED: "It waits for an answer.",
        swaps.SwapState.ACCEPTED: "It counts: the overrides are made.",
        swaps.SwapState.DECLINED: "The colleague said no.",
        swaps.SwapState.WITHDRAWN: "It was taken back.",
        swaps.SwapState.EXPIRED: "Nobody answered in time.",
    },
)


@exposes(model.Span, name="ShiftTime", description="A time on call.")
class ShiftTime:
    """See domain.schedules.model.Span."""

    starts_at: datetime = strawberry.field(description="From when.")
    ends_at: datetime = strawberry.field(description="Until when.")


async def _user(root: strawberry.Parent[swaps.ShiftSwap], info: Info) -> identity.User | None:
    return await info.context.loader(load_users).load(root.user_id)


async def _colleague(root: strawberry.Parent[swaps.ShiftSwap], info: Info) -> identity.User | None:
    return None if root.colleague_id is None else await info.context.loader(load_users).load(root.colleague_id)


async def _created_by(root: strawberry.Parent[swaps.ShiftSwap], info: Info) -> identity.User | None:
    return await info.context.loader(load_users).load(root.created_by)


async def _settled_by(root: strawberry.Parent[swaps.ShiftSwap], info: Info) -> identity.User | None:
    return None if root.settled_by is None else await info.context.loader(load_users).load(root.settled_by)


async def _schedule(root: strawberry.Parent[swaps.ShiftSwap], info: Info) -> model.Schedule | None:
    return await info.context.loader(load_schedules).load(root.schedule_id)


async def _notifications(root: strawberry.Parent[swaps.ShiftSwap], info: Info) -> list[escalations.Notification]:
    return await info.context.loader(load_swap_notifications).load(root.id)


def _state(root: strawberry.Parent[swaps.ShiftSwap], info: Info) -> swaps.SwapState:
    return root.state_at(info.context.now())


@exposes(swaps.ShiftSwap, description="A shift, or a part of one, that somebody asks a colleague to take over.")
class ShiftSwap:
    """See domain.schedules.swaps.ShiftSwap."""

    id: strawberry.ID = strawberry.field(description="The swap's id.")
    schedule = strawberry.field(resolver=_schedule, graphql_type=Schedule | None, description="Whose shifts.")
    user = strawberry.field(resolver=_user, graphql_type=User | None, description="Who gives their time away.")
    colleague = strawberry.field(
        resolver=_colleague, graphql_type=User | None, description="Who is asked; null while everybody is."
    )
    given: ShiftTime = strawberry.field(description="What is given away.")
    returned: ShiftTime | None = strawberry.field(description="What is taken in return; null for nothing.")
    reason: str = strawberry.field(description="Why; may be empty.")
    state = strawberry.field(resolver=_state, description="Where it is.")
    created_by = strawberry.field(resolver=_created_by, graphql_type=User | None, description="Who asked.")
    created_at: datetime = strawberry.field(description="When it was asked.")
    expires_at: datetime = strawberry.field(description="Until when it can be answered.")
    settled_by = strawberry.field(
        resolver=_settled_by, graphql_type=User | None, description="Who accepted, declined or took it back."
    )
    settled_at: datetime | None = strawberry.field(description="When; null while it waits.")
    notifications = strawberry.field(
        resolver=_notifications,
        graphql_type=list[Annotated["Notification", strawberry.lazy("graphql_api.escalations.notification_types")]],
        description="Who was told of it, by what, and what became of that.",
    )
    override_id: strawberry.ID | None = strawberry.field(description="The override that gives the time away.")
    return_override_id: strawberry.ID | None = strawberry.field(description="The override in return.")


async def load_swap_notifications(context: Context, ids: list[UUID]) -> list[list[escalations.Notification]]:
    """What was told of swaps the viewer may see, the oldest first."""
    async with context.read() as connection:
        found = await swap_notifications(connection, ids)
    return [[notification_of(row) for row in found[swap_id]] for swap_id in ids]


async def load_swaps(context: Context, ids: list[UUID]) -> list[swaps.ShiftSwap | None]:
    """Swaps by id; None for one of a schedule the viewer may not see."""
    async with context.read() as connection:
        return await swaps_by_ids(connection, ids, sight=context.require_viewer().sight)
