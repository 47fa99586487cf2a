"""How does a schedule begin to follow a calendar that is kept elsewhere?"""

from uuid import UUID

import strawberry

from domain.schedules import following, imports
from graphql_api.context import Info
from graphql_api.errors import IdempotencyConflict, NotFound, mutation, payload
from graphql_api.idempotency import IDEMPOTENCY_KEY, create_once
from graphql_api.scalars import uuid_of
from graphql_api.schedules.calendar_imports import COVER, MEANING, WHOSE
from graphql_api.schedules.follow_types import follow_desk
from graphql_api.schedules.loaders import written
from graphql_api.schedules.types import Schedule


@strawberry.input(description="Which calendar is to be followed.")
class FollowCalendarInput:
    """See domain.schedules.following.NewFollow."""

    schedule_id: strawberry.ID = strawberry.field(description="The schedule.")
    url: str = strawberry.field(
        description="The calendar's secret address, `https://` or `webcal://`, at most 2,000 characters. It is kept "
        "sealed and not shown again."
    )
    meaning: imports.CalendarMeaning = strawberry.field(description=MEANING)
    user_id: strawberry.ID | None = strawberry.field(description=WHOSE, default=None)
    cover_id: strawberry.ID | None = strawberry.field(description=COVER, default=None)
    idempotency_key: str | None = strawberry.field(description=IDEMPOTENCY_KEY, default=None)


@strawberry.type(description="The calendar is followed; it is read within a minute.")
class FollowCalendarSuccess:
    """The schedule that follows it."""

    calendar_id: strawberry.ID = strawberry.field(description="The id of the followed calendar.")
    schedule: Schedule = strawberry.field(description="The schedule; `followedCalendars` tells how it goes.")


@mutation(
    payload("FollowCalendar", FollowCalendarSuccess, NotFound, IdempotencyConflict),
    description="Follow a calendar by its address: its times are overrides, and stay so as it changes.",
)
async def follow_calendar(info: Info, data: FollowCalendarInput) -> FollowCalendarSuccess:
    """Write it, its address sealed, and the audit entry in one transaction."""
    context = info.context
    schedule_id = uuid_of(data.schedule_id, "schedule", "scheduleId")
    viewer = context.require_viewer()
    asked = following.NewFollow(
        schedule_id=schedule_id,
        address=data.url,
        user_id=viewer.user_id if data.user_id is None else uuid_of(data.user_id, "person", "userId"),
        meaning=data.meaning,
        cover_id=None if data.cover_id is None else uuid_of(data.cover_id, "person", "coverId"),
    )
    async with context.uow() as uow:

        async def create() -> dict[str, object]:
            made = await following.follow_calendar(asked, desk=follow_desk(context, uow, "followCalendar"))
            return {"calendarId": str(made.id)}

        made, _ = await create_once(context, uow, mutation="followCalendar", data=data, create=create)
        await uow.commit()
    return FollowCalendarSuccess(
        calendar_id=strawberry.ID(str(UUID(made["calendarId"]))),
        schedule=await written(context, schedule_id),  # type: ignore[arg-type] # the domain object is it
    )
