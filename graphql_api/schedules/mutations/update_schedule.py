"""How is an on-call schedule changed? What the input leaves out stays, and so does who was on call before."""

import strawberry

from domain.schedules import actions
from graphql_api.context import Info
from graphql_api.errors import AlreadyExists, NotFound, StaleVersion, WouldOpenGaps, mutation, payload
from graphql_api.escalations.guarding import EVEN_IF_IT_OPENS_GAPS, guarded
from graphql_api.scalars import uuid_of
from graphql_api.schedules.inputs import ScheduleLayerInput, desk, layers_of
from graphql_api.schedules.loaders import written
from graphql_api.schedules.types import Schedule


@strawberry.input(description="What is to change of a schedule; what is left out stays.")
class UpdateScheduleInput:
    """See domain.schedules.actions.Change."""

    id: strawberry.ID = strawberry.field(description="The schedule.")
    expected_version: int | None = strawberry.field(
        description="The version you read; the edit is refused when it has another by now.", default=None
    )
    name: str | None = strawberry.field(description="The name people read.", default=None)
    description: str | None = strawberry.field(description="What it is for.", default=None)
    time_zone: str | None = strawberry.field(description="The IANA time zone.", default=None)
    layers: list[ScheduleLayerInput] | None = strawberry.field(
        description="All its layers; a layer that keeps its `id` is the same layer, changed.", default=None
    )
    even_if_it_opens_gaps: bool = strawberry.field(description=EVEN_IF_IT_OPENS_GAPS, default=False)


@strawberry.type(description="The schedule is as you want it.")
class UpdateScheduleSuccess:
    """The schedule after the edit."""

    schedule: Schedule = strawberry.field(description="The schedule.")


@mutation(
    payload("UpdateSchedule", UpdateScheduleSuccess, NotFound, AlreadyExists, StaleVersion, WouldOpenGaps),
    description="Change an on-call schedule from now on.",
)
async def update_schedule(info: Info, data: UpdateScheduleInput) -> UpdateScheduleSuccess:
    """Edit the locked row."""
    context = info.context
    schedule_id = uuid_of(data.id, "schedule", "id")
    change = actions.Change(
        name=data.name,
        description=data.description,
        time_zone=data.time_zone,
        layers=None if data.layers is None else layers_of(data.layers),
    )
    async with guarded(context, even_if=data.even_if_it_opens_gaps) as uow:
        await actions.update_schedule(
            schedule_id, change, expected_version=data.expected_version, desk=desk(context, uow, "updateSchedule")
        )
        await uow.commit()
    return UpdateScheduleSuccess(schedule=await written(context, schedule_id))  # type: ignore[arg-type] # it is
