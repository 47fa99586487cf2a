"""How do the times of a calendar become overrides? As they were shown, all in one transaction."""

import strawberry

from domain.errors import InvalidInput
from domain.errors import NotFound as NoSuch
from domain.schedules import actions, imports
from graphql_api.context import Info
from graphql_api.errors import IdempotencyConflict, NotFound, mutation, payload
from graphql_api.idempotency import IDEMPOTENCY_KEY, create_once
from graphql_api.scalars import uuid_of
from graphql_api.schedules.calendar_imports import CALENDAR, COVER, MEANING, WHOSE, import_of, proposals_of
from graphql_api.schedules.inputs import desk
from graphql_api.schedules.loaders import written
from graphql_api.schedules.types import Schedule


@strawberry.input(description="A calendar that was previewed.")
class ImportCalendarInput:
    """See domain.schedules.imports.CalendarImport."""

    schedule_id: strawberry.ID = strawberry.field(description="The schedule.")
    calendar: str = strawberry.field(description=CALENDAR)
    meaning: imports.CalendarMeaning = strawberry.field(description=MEANING)
    fingerprint: str = strawberry.field(description="That of the preview; refused when it comes to something else now.")
    user_id: strawberry.ID | None = strawberry.field(description=WHOSE, default=None)
    cover_id: strawberry.ID | None = strawberry.field(description=COVER, default=None)
    idempotency_key: str | None = strawberry.field(description=IDEMPOTENCY_KEY, default=None)


@strawberry.type(description="The overrides count.")
class ImportCalendarSuccess:
    """The schedule with its overrides."""

    override_ids: list[strawberry.ID] = strawberry.field(description="The overrides it made.")
    schedule: Schedule = strawberry.field(description="The schedule.")


@mutation(
    payload("ImportCalendar", ImportCalendarSuccess, NotFound, IdempotencyConflict),
    description="Make the overrides that `previewCalendarImport` showed: all of them, or none.",
)
async def import_calendar(info: Info, data: ImportCalendarInput) -> ImportCalendarSuccess:
    """Under the schedule's lock, so that what was shown is what is made."""
    context = info.context
    schedule_id = uuid_of(data.schedule_id, "schedule", "scheduleId")
    asked = await import_of(
        context,
        await written(context, schedule_id),
        calendar=data.calendar,
        meaning=data.meaning,
        user_id=data.user_id,
        cover_id=data.cover_id,
    )
    async with context.uow() as uow:

        async def create() -> dict[str, object]:
            schedule = await uow.schedules.locked(schedule_id, sight=context.require_viewer().sight)
            if schedule is None:
                raise NoSuch(actions.NO_SUCH, ("scheduleId",))
            found = await proposals_of(uow.connection, asked, now=context.now())
            if imports.fingerprint(found) != data.fingerprint:
                message = "this comes to something else than what was shown: preview it again"
                raise InvalidInput(message, ("fingerprint",))
            made = await imports.import_calendar(asked, schedule, found, desk=desk(context, uow, "importCalendar"))
            return {"overrideIds": [str(one.id) for one in made]}

        made, _ = await create_once(context, uow, mutation="importCalendar", data=data, create=create)
        await uow.commit()
    context.renew()
    return ImportCalendarSuccess(
        override_ids=[strawberry.ID(one) for one in made["overrideIds"]],
        schedule=await written(context, schedule_id),  # type: ignore[arg-type] # the domain object is it
    )
