"""How does an on-call schedule end?"""

import strawberry

from domain.schedules import actions
from graphql_api.context import Info
from graphql_api.errors import NotFound, WouldOpenGaps, mutation, payload
from graphql_api.escalations.guarding import EVEN_IF_IT_OPENS_GAPS, guarded
from graphql_api.scalars import uuid_of
from graphql_api.schedules.inputs import desk
from graphql_api.schedules.loaders import written
from graphql_api.schedules.types import Schedule


@strawberry.input(description="Which schedule is to end.")
class ArchiveScheduleInput:
    """By id."""

    id: strawberry.ID = strawberry.field(description="The schedule.")
    even_if_it_opens_gaps: bool = strawberry.field(description=EVEN_IF_IT_OPENS_GAPS, default=False)


@strawberry.type(description="Nobody is on call by the schedule any more; who was can still be read.")
class ArchiveScheduleSuccess:
    """The ended schedule."""

    schedule: Schedule = strawberry.field(description="The schedule.")


@mutation(
    payload("ArchiveSchedule", ArchiveScheduleSuccess, NotFound, WouldOpenGaps),
    description="End an on-call schedule. Its past stays readable.",
)
async def archive_schedule(info: Info, data: ArchiveScheduleInput) -> ArchiveScheduleSuccess:
    """Mark the locked row."""
    context = info.context
    schedule_id = uuid_of(data.id, "schedule", "id")
    async with guarded(context, even_if=data.even_if_it_opens_gaps) as uow:
        await actions.archive_schedule(schedule_id, desk=desk(context, uow, "archiveSchedule"))
        await uow.commit()
    return ArchiveScheduleSuccess(schedule=await written(context, schedule_id))  # type: ignore[arg-type] # it is
