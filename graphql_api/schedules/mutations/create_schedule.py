"""How does an on-call schedule come to be?"""

from uuid import UUID

import strawberry

from domain.schedules import actions
from domain.schedules.drafts import Draft
from graphql_api.context import Info
from graphql_api.errors import AlreadyExists, IdempotencyConflict, NotFound, mutation, payload
from graphql_api.idempotency import IDEMPOTENCY_KEY, create_once
from graphql_api.scalars import uuid_of
from graphql_api.schedules.inputs import ScheduleLayerInput, desk, layers_of
from graphql_api.schedules.loaders import written
from graphql_api.schedules.types import Schedule


@strawberry.input(description="An on-call schedule to be made.")
class CreateScheduleInput:
    """See domain.schedules.drafts.Draft."""

    name: str = strawberry.field(description="The name people read, at most 100 characters; unique within the team.")
    time_zone: str = strawberry.field(description="The IANA time zone of its handoffs and hours: `Europe/Berlin`.")
    team_id: strawberry.ID | None = strawberry.field(
        description="The team it is of. Without one everybody sees it and managers change it.", default=None
    )
    description: str = strawberry.field(description="What it is for.", default="")
    layers: list[ScheduleLayerInput] = strawberry.field(
        description="Who takes turns; later layers cover earlier ones.", default_factory=list
    )
    idempotency_key: str | None = strawberry.field(description=IDEMPOTENCY_KEY, default=None)


@strawberry.type(description="The schedule counts from now on.")
class CreateScheduleSuccess:
    """The new schedule."""

    schedule: Schedule = strawberry.field(description="The new schedule.")


@mutation(
    payload("CreateSchedule", CreateScheduleSuccess, NotFound, AlreadyExists, IdempotencyConflict),
    description="Make an on-call schedule. See what it would come to first with `previewSchedule`.",
)
async def create_schedule(info: Info, data: CreateScheduleInput) -> CreateScheduleSuccess:
    """Write the schedule, its first version and the audit entry in one transaction."""
    context = info.context
    draft = Draft(name=data.name, time_zone=data.time_zone, description=data.description, layers=layers_of(data.layers))
    team_id = None if data.team_id is None else uuid_of(data.team_id, "team", "teamId")
    async with context.uow() as uow:

        async def create() -> dict[str, object]:
            made = await actions.create_schedule(draft, team_id=team_id, desk=desk(context, uow, "createSchedule"))
            return {"scheduleId": str(made.id)}

        made, _ = await create_once(context, uow, mutation="createSchedule", data=data, create=create)
        await uow.commit()
    found = await written(context, UUID(made["scheduleId"]))
    return CreateScheduleSuccess(schedule=found)  # type: ignore[arg-type] # the domain object is the GraphQL object
