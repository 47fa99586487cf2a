"""How is an on-call schedule shown? With its layers, and with what they come to."""

from datetime import datetime, timedelta
from typing import Annotated

import strawberry

from domain.identity import model as identity
from domain.schedules import followed, model
from domain.schedules.drafts import check_size, checked_span, size_of_plan
from domain.schedules.final import final_schedule
from graphql_api.context import Context, Info
from graphql_api.exposes import expose_enum, exposes
from graphql_api.identity.loaders import load_teams, load_users
from graphql_api.identity.types import Team, User
from graphql_api.scalars import LocalDateTime, LocalTime
from graphql_api.schedules.follow_types import FollowedCalendar, load_followed
from graphql_api.schedules.loaders import load_overrides, load_plans

# How far around a moment a shift's beginning and end are looked for.
REACH = timedelta(days=14)
MOST_TURNS = 200

expose_enum(
    model.Weekday,
    description="A day of the week, in the schedule's time zone.",
    values={day: f"{day.name.capitalize()}." for day in model.Weekday},
)
expose_enum(
    model.ShiftUnit,
    description="What a shift's length is counted in, on the clock of the schedule's zone.",
    values={
        model.ShiftUnit.HOUR: "Hours.",
        model.ShiftUnit.DAY: "Days; 23 or 25 hours when the clock changes.",
        model.ShiftUnit.WEEK: "Weeks.",
    },
)


def _weekdays(root: strawberry.Parent[model.Restriction]) -> list[model.Weekday]:
    return [day for day in model.Weekday if day in root.weekdays]


@exposes(model.Restriction, name="ScheduleRestriction", description="Hours of the week in which a layer counts.")
class ScheduleRestriction:
    """See domain.schedules.model.Restriction."""

    weekdays = strawberry.field(resolver=_weekdays, description="The days on which the window begins.")
    starts: LocalTime = strawberry.field(description="When it begins, on the clock of the schedule's zone.")
    ends: LocalTime = strawberry.field(description="When it ends; not after `starts` means on the next day.")


async def _participants(root: strawberry.Parent[model.Layer], info: Info) -> list[identity.User]:
    found = await info.context.loader(load_users).load_many(list(root.rotation.participants))
    return [user for user in found if user is not None]


@exposes(model.Layer, name="ScheduleLayer", description="People who take turns. A later layer covers earlier ones.")
class ScheduleLayer:
    """See domain.schedules.model.Layer."""

    id: strawberry.ID = strawberry.field(description="The layer's id; it stays through edits that give it.")
    name: str = strawberry.field(description="The name people read; may be empty.")
    participants = strawberry.field(
        resolver=_participants, graphql_type=list[User], description="Who takes turns, in this order."
    )

    @strawberry.field(description="The first handoff, on the clock of the schedule's zone.")
    def starts_at(root: strawberry.Parent[model.Layer]) -> LocalDateTime:  # noqa: N805 - strawberry's way
        """Of the rotation."""
        return LocalDateTime(root.rotation.starts_at)

    @strawberry.field(description="What a shift's length is counted in.")
    def unit(root: strawberry.Parent[model.Layer]) -> model.ShiftUnit:  # noqa: N805
        """Of the rotation."""
        return root.rotation.unit

    @strawberry.field(description="How many units a shift lasts.")
    def shift_length(root: strawberry.Parent[model.Layer]) -> int:  # noqa: N805
        """Of the rotation."""
        return root.rotation.shift_length

    restrictions: list[ScheduleRestriction] = strawberry.field(
        description="The hours in which it counts; none means always."
    )
    begins_at: datetime | None = strawberry.field(description="From when it counts; null for no bound.")
    ends_at: datetime | None = strawberry.field(description="Until when it counts; null for no bound.")


async def _user(root: strawberry.Parent[model.Shift | model.Override], info: Info) -> identity.User | None:
    return await info.context.loader(load_users).load(root.user_id)


@exposes(model.Shift, name="OnCallShift", description="One person on call for a time.")
class OnCallShift:
    """See domain.schedules.model.Shift."""

    user = strawberry.field(resolver=_user, graphql_type=User | None, description="Who is on call.")
    starts_at: datetime = strawberry.field(description="From when, as far as the time asked about reaches.")
    ends_at: datetime = strawberry.field(description="Until when, as far as the time asked about reaches.")
    layer_id: strawberry.ID | None = strawberry.field(description="The layer it comes from; null for an override.")
    override_id: strawberry.ID | None = strawberry.field(description="The override it comes from; null for a layer.")


@exposes(model.Span, name="ScheduleGap", description="A time in which nobody is on call.")
class ScheduleGap:
    """See domain.schedules.model.Span."""

    starts_at: datetime = strawberry.field(description="From when.")
    ends_at: datetime = strawberry.field(description="Until when.")


@exposes(model.FinalSchedule, description="Who is on call over a time: layers and overrides on top of each other.")
class FinalSchedule:
    """See domain.schedules.model.FinalSchedule."""

    shifts: list[OnCallShift] = strawberry.field(description="In order, without overlap.")
    gaps: list[ScheduleGap] = strawberry.field(description="The times in which nobody is on call, in order.")


async def _created_by(root: strawberry.Parent[model.Override], info: Info) -> identity.User | None:
    return None if root.created_by is None else await info.context.loader(load_users).load(root.created_by)


@exposes(model.Override, name="ScheduleOverride", description="Somebody else on call for a time, over every layer.")
class ScheduleOverride:
    """See domain.schedules.model.Override."""

    id: strawberry.ID = strawberry.field(description="The override's id.")
    user = strawberry.field(resolver=_user, graphql_type=User | None, description="Who is on call.")
    starts_at: datetime = strawberry.field(description="From when.")
    ends_at: datetime = strawberry.field(description="Until when.")
    reason: str = strawberry.field(description="Why; may be empty.")
    created_at: datetime = strawberry.field(description="When it was made; of two that overlap the later counts.")
    created_by = strawberry.field(resolver=_created_by, graphql_type=User | None, description="Who made it.")
    calendar_id: strawberry.ID | None = strawberry.field(
        description="The followed calendar it comes from, and ends with; null for one made by hand."
    )


async def _team(root: strawberry.Parent[model.Schedule], info: Info) -> identity.Team | None:
    return None if root.team_id is None else await info.context.loader(load_teams).load(root.team_id)


async def _overrides(root: strawberry.Parent[model.Schedule], info: Info) -> list[model.Override]:
    return await info.context.loader(load_overrides).load(root.id)


async def _followed(root: strawberry.Parent[model.Schedule], info: Info) -> list[followed.FollowedCalendar]:
    return await info.context.loader(load_followed).load(root.id)


Since = Annotated[datetime, strawberry.argument(description="From when.")]
Until = Annotated[datetime, strawberry.argument(description="Until when; at most 400 days after `since`.")]


async def _final_schedule(
    root: strawberry.Parent[model.Schedule], info: Info, *, since: Since, until: Until
) -> model.FinalSchedule:
    span = checked_span(since, until)
    versions, overrides = await info.context.loader(load_plans).load((root.id, span))
    for version in versions:
        check_size(version.layers, span)
    return final_schedule(versions, overrides, span)


async def _on_call_now(root: strawberry.Parent[model.Schedule], info: Info) -> model.Shift | None:
    return await shift_at(info.context, root, info.context.now())


async def shift_at(context: Context, schedule: model.Schedule, moment: datetime) -> model.Shift | None:
    """Who is on call by the schedule at the moment, with the whole shift as far as it reaches around the moment."""
    span = model.Span(moment - REACH, moment + REACH)
    versions, overrides = await context.loader(load_plans).load((schedule.id, span))
    # Many schedules of short shifts are asked for at once, and everybody waits while they are worked out.
    reach = REACH * min(1.0, MOST_TURNS / max(1.0, size_of_plan(versions, span)))
    shifts = final_schedule(versions, overrides, model.Span(moment - reach, moment + reach)).shifts
    return next((shift for shift in shifts if shift.starts_at <= moment < shift.ends_at), None)


@exposes(model.Schedule, description="Who is on call, when: layers of rotations in one time zone, and overrides.")
class Schedule:
    """See domain.schedules.model.Schedule."""

    id: strawberry.ID = strawberry.field(description="The schedule's id.")
    name: str = strawberry.field(description="The name people read; unique within the team.")
    description: str = strawberry.field(description="What it is for; may be empty.")
    time_zone: str = strawberry.field(description="The IANA time zone of its handoffs and hours.")
    team = strawberry.field(
        resolver=_team, graphql_type=Team | None, description="The team it is of; null for none you may see."
    )
    layers: list[ScheduleLayer] = strawberry.field(description="Its layers as they are now; later ones cover earlier.")
    overrides = strawberry.field(
        resolver=_overrides,
        graphql_type=list[ScheduleOverride],
        description="The overrides that are not over, the first to begin first.",
    )
    followed_calendars = strawberry.field(
        resolver=_followed,
        graphql_type=list[FollowedCalendar],
        description="The calendars it follows, at most twenty, the oldest first.",
    )
    final_schedule = strawberry.field(
        resolver=_final_schedule,
        graphql_type=FinalSchedule,
        description="Who is on call over a time, the past as it was and the future as it is planned.",
    )
    on_call_now = strawberry.field(
        resolver=_on_call_now,
        graphql_type=OnCallShift | None,
        description="Who is on call now, with the shift as far as two weeks around, less where shifts "
        "are short; null for nobody.",
    )
    created_at: datetime = strawberry.field(description="When it was made.")
    updated_at: datetime = strawberry.field(description="When it was last edited.")
    archived_at: datetime | None = strawberry.field(description="When it was ended; null while it counts.")
    version: int = strawberry.field(description="Grows with each edit; give it as `expectedVersion`.")


@strawberry.type(description="A schedule and who is on call by it.")
class OnCall:
    """One answer of `onCall`."""

    schedule: Schedule = strawberry.field(description="The schedule.")
    shift: OnCallShift | None = strawberry.field(description="Who is on call; null for nobody.")
