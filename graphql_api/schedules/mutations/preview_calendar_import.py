"""What would a calendar make of a schedule? Computed by the same rules, and kept nowhere."""

import strawberry

from domain.schedules import imports
from graphql_api.context import Info
from graphql_api.errors import NotFound, mutation, payload
from graphql_api.scalars import uuid_of
from graphql_api.schedules.calendar_imports import (
    CALENDAR,
    COVER,
    MEANING,
    WHOSE,
    ProposedOverride,
    import_of,
    proposals_of,
)
from graphql_api.schedules.loaders import written


@strawberry.input(description="A calendar, and what it means.")
class PreviewCalendarImportInput:
    """See domain.schedules.imports.CalendarImport."""

    schedule_id: strawberry.ID = strawberry.field(description="The schedule.")
    calendar: str = strawberry.field(description=CALENDAR)
    meaning: imports.CalendarMeaning = strawberry.field(description=MEANING)
    user_id: strawberry.ID | None = strawberry.field(description=WHOSE, default=None)
    cover_id: strawberry.ID | None = strawberry.field(description=COVER, default=None)


@strawberry.type(description="What the calendar comes to; nothing was saved.")
class PreviewCalendarImportSuccess:
    """The overrides."""

    overrides: list[ProposedOverride] = strawberry.field(description="The overrides it would make, at most 200.")
    fingerprint: str = strawberry.field(description="Give it to `importCalendar` to say that these are meant.")


@mutation(
    payload("PreviewCalendarImport", PreviewCalendarImportSuccess, NotFound),
    description="Show which overrides a calendar would make before it is saved.",
)
async def preview_calendar_import(info: Info, data: PreviewCalendarImportInput) -> PreviewCalendarImportSuccess:
    """Read and compute."""
    context = info.context
    schedule = await written(context, uuid_of(data.schedule_id, "schedule", "scheduleId"))
    asked = await import_of(
        context,
        schedule,
        calendar=data.calendar,
        meaning=data.meaning,
        user_id=data.user_id,
        cover_id=data.cover_id,
    )
    async with context.read() as connection:
        found = await proposals_of(connection, asked, now=context.now())
    return PreviewCalendarImportSuccess(
        overrides=list(found),  # type: ignore[arg-type] # the domain objects are the GraphQL objects
        fingerprint=imports.fingerprint(found),
    )
