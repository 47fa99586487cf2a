"""How does a schedule stop following a calendar?"""

import strawberry

from domain.schedules import following
from graphql_api.context import Info
from graphql_api.errors import NotFound, WouldOpenGaps, mutation, payload
from graphql_api.escalations.guarding import EVEN_IF_IT_OPENS_GAPS, guarded
from graphql_api.scalars import uuid_of
from graphql_api.schedules.follow_types import follow_desk
from graphql_api.schedules.loaders import written
from graphql_api.schedules.types import Schedule


@strawberry.input(description="Which calendar is not to be followed any more.")
class UnfollowCalendarInput:
    """By id."""

    id: strawberry.ID = strawberry.field(description="The followed calendar.")
    even_if_it_opens_gaps: bool = strawberry.field(description=EVEN_IF_IT_OPENS_GAPS, default=False)


@strawberry.type(description="The calendar is not followed any more, and its address is forgotten.")
class UnfollowCalendarSuccess:
    """The schedule without it."""

    schedule: Schedule = strawberry.field(description="The schedule.")


@mutation(
    payload("UnfollowCalendar", UnfollowCalendarSuccess, NotFound, WouldOpenGaps),
    description="Follow a calendar no more: its overrides that run end now, those to come never count.",
)
async def unfollow_calendar(info: Info, data: UnfollowCalendarInput) -> UnfollowCalendarSuccess:
    """End its overrides, forget its address."""
    context = info.context
    async with guarded(context, even_if=data.even_if_it_opens_gaps) as uow:
        found = await following.unfollow_calendar(
            uuid_of(data.id, "followed calendar", "id"), desk=follow_desk(context, uow, "unfollowCalendar")
        )
        await uow.commit()
    return UnfollowCalendarSuccess(schedule=await written(context, found.id))  # type: ignore[arg-type] # it is
