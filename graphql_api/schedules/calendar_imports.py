"""How does a client say what an uploaded calendar means, and how is what it comes to shown?"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import strawberry
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.identity import model as identity
from domain.schedules import imports, model
from domain.schedules.clock import zone
from graphql_api.context import Context, Info
from graphql_api.exposes import expose_enum, exposes
from graphql_api.identity.loaders import load_users
from graphql_api.identity.types import User
from graphql_api.scalars import uuid_of
from persistence.calendar_reading import read_calendar
from persistence.schedules import plans_of

if TYPE_CHECKING:
    from uuid import UUID

expose_enum(
    imports.CalendarMeaning,
    description="What the times of a calendar say of its person.",
    values={
        imports.CalendarMeaning.ON_CALL: "They are on call then.",
        imports.CalendarMeaning.AWAY: "They are away then: their shifts go to whoever covers for them.",
    },
)
CALENDAR = (
    "The calendar's text (iCalendar, an .ics file), at most 256 KiB and 200 events; recurring ones for a year ahead."
)
MEANING = "What its times say."
WHOSE = "Whose calendar it is; yours if left out."
COVER = "Who is on call while they are away; needed for AWAY."


@exposes(imports.ProposedOverride, name="ProposedOverride", description="An override that a calendar would make.")
class ProposedOverride:
    """See domain.schedules.imports.ProposedOverride."""

    @strawberry.field(description="Who would be on call.", graphql_type=User | None)
    async def user(root: strawberry.Parent[imports.ProposedOverride], info: Info) -> identity.User | None:  # noqa: N805
        """By id."""
        return await info.context.loader(load_users).load(root.user_id)

    starts_at: datetime = strawberry.field(description="From when.")
    ends_at: datetime = strawberry.field(description="Until when.")
    reason: str = strawberry.field(description="Why: the event it comes from.")


async def import_of(
    context: Context,
    schedule: model.Schedule,
    *,
    calendar: str,
    meaning: imports.CalendarMeaning,
    user_id: strawberry.ID | None,
    cover_id: strawberry.ID | None,
) -> imports.CalendarImport:
    """What was uploaded, read beside other work: the library takes its time."""
    span = imports.import_span(context.now())
    times = await asyncio.to_thread(read_calendar, calendar, where=zone(schedule.time_zone), span=span)
    return imports.CalendarImport(
        schedule_id=schedule.id,
        user_id=context.require_viewer().user_id if user_id is None else uuid_of(user_id, "person", "userId"),
        meaning=meaning,
        times=times,
        cover_id=None if cover_id is None else uuid_of(cover_id, "person", "coverId"),
    )


async def proposals_of(
    connection: AsyncConnection, asked: imports.CalendarImport, *, now: datetime
) -> Sequence[imports.ProposedOverride]:
    """What it comes to by the schedule as it is."""
    span, schedule_id = imports.plan_span(asked, now=now), asked.schedule_id
    plans: dict[UUID, tuple[list[model.Layers], list[model.Override]]] = await plans_of(connection, [schedule_id], span)
    return imports.proposed(asked, plans[schedule_id], now=now)
