"""How does somebody take over a shift?"""

from datetime import datetime
from uuid import UUID

import strawberry

from domain.ids import new_id
from domain.schedules import actions, model
from graphql_api.context import Info
from graphql_api.errors import IdempotencyConflict, NotFound, mutation, payload
from graphql_api.idempotency import IDEMPOTENCY_KEY, create_once
from graphql_api.scalars import uuid_of
from graphql_api.schedules.inputs import desk
from graphql_api.schedules.loaders import written
from graphql_api.schedules.types import Schedule


@strawberry.input(description="Who is to be on call instead, and when.")
class CreateScheduleOverrideInput:
    """See domain.schedules.model.Override."""

    schedule_id: strawberry.ID = strawberry.field(description="The schedule.")
    user_id: strawberry.ID = strawberry.field(description="Who is to be on call.")
    starts_at: datetime = strawberry.field(description="From when; a time before now counts from now.")
    ends_at: datetime = strawberry.field(description="Until when, at most 366 days later.")
    reason: str = strawberry.field(description="Why, for who reads it later.", default="")
    idempotency_key: str | None = strawberry.field(description=IDEMPOTENCY_KEY, default=None)


@strawberry.type(description="The override counts.")
class CreateScheduleOverrideSuccess:
    """The schedule with its override."""

    override_id: strawberry.ID = strawberry.field(description="The new override.")
    schedule: Schedule = strawberry.field(description="The schedule.")


@mutation(
    payload("CreateScheduleOverride", CreateScheduleOverrideSuccess, NotFound, IdempotencyConflict),
    description="Put somebody on call for a time, over every layer: to cover a shift, or to swap one.",
)
async def create_schedule_override(info: Info, data: CreateScheduleOverrideInput) -> CreateScheduleOverrideSuccess:
    """Write the override."""
    context = info.context
    schedule_id = uuid_of(data.schedule_id, "schedule", "scheduleId")
    override = model.Override(
        id=new_id(),
        schedule_id=schedule_id,
        user_id=uuid_of(data.user_id, "person", "userId"),
        starts_at=data.starts_at,
        ends_at=data.ends_at,
        created_at=context.now(),
        reason=data.reason,
    )
    async with context.uow() as uow:

        async def create() -> dict[str, object]:
            made = await actions.create_override(override, desk=desk(context, uow, "createScheduleOverride"))
            return {"overrideId": str(made.id)}

        made, _ = await create_once(context, uow, mutation="createScheduleOverride", data=data, create=create)
        await uow.commit()
    return CreateScheduleOverrideSuccess(
        override_id=strawberry.ID(str(UUID(made["overrideId"]))),
        schedule=await written(context, schedule_id),  # type: ignore[arg-type] # the domain object is it
    )
