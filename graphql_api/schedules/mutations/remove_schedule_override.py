"""How is an override taken back?"""

import strawberry

from domain.schedules import actions
from graphql_api.context import Info
from graphql_api.errors import NotFound, WouldOpenGaps, mutation, payload
from graphql_api.escalations.guarding import EVEN_IF_IT_OPENS_GAPS, guarded
from graphql_api.scalars import uuid_of
from graphql_api.schedules.inputs import desk
from graphql_api.schedules.loaders import written
from graphql_api.schedules.types import Schedule


@strawberry.input(description="Which override is to go.")
class RemoveScheduleOverrideInput:
    """By id."""

    id: strawberry.ID = strawberry.field(description="The override.")
    even_if_it_opens_gaps: bool = strawberry.field(description=EVEN_IF_IT_OPENS_GAPS, default=False)


@strawberry.type(description="The override no longer counts.")
class RemoveScheduleOverrideSuccess:
    """The schedule without it."""

    schedule: Schedule = strawberry.field(description="The schedule.")


@mutation(
    payload("RemoveScheduleOverride", RemoveScheduleOverrideSuccess, NotFound, WouldOpenGaps),
    description="Take an override back. One that runs ends now: who was on call stays so.",
)
async def remove_schedule_override(info: Info, data: RemoveScheduleOverrideInput) -> RemoveScheduleOverrideSuccess:
    """End it or remove it."""
    context = info.context
    async with guarded(context, even_if=data.even_if_it_opens_gaps) as uow:
        found = await actions.remove_override(
            uuid_of(data.id, "override", "id"), desk=desk(context, uow, "removeScheduleOverride")
        )
        await uow.commit()
    return RemoveScheduleOverrideSuccess(schedule=await written(context, found.id))  # type: ignore[arg-type] # it is
