"""How is an override taken back?"""

import strawberry

from domain.schedules import actions
from graphql_api.context import Info
from graphql_api.errors import NotFound, mutation, payload
from graphql_api.scalars import uuid_of
from graphql_api.schedules.inputs import desk
from graphql_api.schedules.loaders import written
from graphql_api.schedules.types import Schedule


@strawberry.input(description="Which override is to go.")
class RemoveScheduleOverrideInput:
    """By id."""

    id: strawberry.ID = strawberry.field(description="The override.")


@strawberry.type(description="The override no longer counts.")
class RemoveScheduleOverrideSuccess:
    """The schedule without it."""

    schedule: Schedule = strawberry.field(description="The schedule.")


@mutation(
    payload("RemoveScheduleOverride", RemoveScheduleOverrideSuccess, NotFound),
    description="Take an override back. One that runs ends now: who was on call stays so.",
)
async def remove_schedule_override(info: Info, data: RemoveScheduleOverrideInput) -> RemoveScheduleOverrideSuccess:
    """End it or remove it."""
    context = info.context
    async with context.uow() as uow:
        found = await actions.remove_override(
            uuid_of(data.id, "override", "id"), desk=desk(context, uow, "removeScheduleOverride")
        )
        await uow.commit()
    return RemoveScheduleOverrideSuccess(schedule=await written(context, found.id))  # type: ignore[arg-type] # it is
