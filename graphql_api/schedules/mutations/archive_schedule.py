"""How does an on-call schedule end?"""

import strawberry

from domain.schedules import actions
from graphql_api.context import Info
from graphql_api.errors import NotFound, mutation, payload
from graphql_api.scalars import uuid_of
from graphql_api.schedules.inputs import desk
from graphql_api.schedules.loaders import written
from graphql_api.schedules.types import Schedule


@strawberry.input(description="Which schedule is to end.")
class ArchiveScheduleInput:
    """By id."""

    id: strawberry.ID = strawberry.field(description="The schedule.")


@strawberry.type(description="Nobody is on call by the schedule any more; who was can still be read.")
class ArchiveScheduleSuccess:
    """The ended schedule."""

    schedule: Schedule = strawberry.field(description="The schedule.")


@mutation(
    payload("ArchiveSchedule", ArchiveScheduleSuccess, NotFound),
    description="End an on-call schedule. Its past stays readable.",
)
async def archive_schedule(info: Info, data: ArchiveScheduleInput) -> ArchiveScheduleSuccess:
    """Mark the locked row."""
    context = info.context
    schedule_id = uuid_of(data.id, "schedule", "id")
    async with context.uow() as uow:
        await actions.archive_schedule(schedule_id, desk=desk(context, uow, "archiveSchedule"))
        await uow.commit()
    return ArchiveScheduleSuccess(schedule=await written(context, schedule_id))  # type: ignore[arg-type] # it is
