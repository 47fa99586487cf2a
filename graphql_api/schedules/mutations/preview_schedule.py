"""What would a schedule come to? Computed from a draft, by the same rules and checks, and kept nowhere."""

from datetime import datetime

import strawberry

from domain.schedules.drafts import Draft, check_size, checked_draft, checked_span
from domain.schedules.final import final_schedule
from domain.schedules.model import Layers, Override
from graphql_api.context import Info
from graphql_api.errors import NotFound, mutation, payload
from graphql_api.scalars import uuid_of
from graphql_api.schedules.inputs import ScheduleLayerInput, layers_of
from graphql_api.schedules.loaders import load_plans, written
from graphql_api.schedules.types import FinalSchedule


@strawberry.input(description="A schedule as it might be.")
class PreviewScheduleInput:
    """See domain.schedules.drafts.Draft."""

    time_zone: str = strawberry.field(description="The IANA time zone.")
    layers: list[ScheduleLayerInput] = strawberry.field(description="Who takes turns.")
    since: datetime = strawberry.field(description="From when.")
    until: datetime = strawberry.field(description="Until when; at most 400 days after `since`.")
    schedule_id: strawberry.ID | None = strawberry.field(
        description="The schedule whose overrides are to count; none do without it.", default=None
    )


@strawberry.type(description="What the draft comes to; nothing was saved.")
class PreviewScheduleSuccess:
    """The shifts and gaps."""

    final_schedule: FinalSchedule = strawberry.field(description="Who would be on call, and when nobody would.")


@mutation(
    payload("PreviewSchedule", PreviewScheduleSuccess, NotFound),
    description="Show what layers come to before they are saved.",
)
async def preview_schedule(info: Info, data: PreviewScheduleInput) -> PreviewScheduleSuccess:
    """Check and compute."""
    span = checked_span(data.since, data.until)
    draft = checked_draft(Draft(name="a draft", time_zone=data.time_zone, layers=layers_of(data.layers)))
    check_size(draft.layers, span)
    overrides: list[Override] = []
    if data.schedule_id is not None:
        schedule = await written(info.context, uuid_of(data.schedule_id, "schedule", "scheduleId"))
        _, overrides = await info.context.loader(load_plans).load((schedule.id, span))
    version = Layers(version=1, effective_from=span.starts_at, time_zone=draft.time_zone, layers=draft.layers)
    found = final_schedule([version], overrides, span)
    return PreviewScheduleSuccess(final_schedule=found)  # type: ignore[arg-type] # the domain object is it
