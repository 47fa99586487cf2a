"""How is it followed who is on call? The state first, then every change of it, as far as the viewer sees."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from functools import partial
from typing import Annotated, Any, cast
from uuid import UUID

import strawberry

from domain.errors import NotFound
from domain.identity import model as identity
from domain.schedules import model
from graphql_api.alerts.subscriptions import following
from graphql_api.context import Context, Info
from graphql_api.identity.loaders import load_users
from graphql_api.identity.types import User
from graphql_api.live.on_call import Duties, OnCallFeed, Watch
from graphql_api.live.patience import patiently
from graphql_api.scalars import uuid_or_none
from graphql_api.schedules.loaders import load_schedules
from graphql_api.schedules.types import OnCallShift, Schedule, shift_at

OfSchedule = Annotated[
    strawberry.ID | None, strawberry.argument(description="Only this schedule; every one you may see if left out.")
]
OfTeam = Annotated[strawberry.ID | None, strawberry.argument(description="Only schedules of this team.")]


@strawberry.type(description="Who is on call by a schedule: as it is when the stream begins, then whenever it changes.")
class OnCallChange:
    """One message of `onCallChanged`."""

    at: datetime = strawberry.field(description="As of when.")
    is_snapshot: bool = strawberry.field(
        description="Whether it is what was found when the stream began, not a change."
    )
    schedule: Schedule = strawberry.field(description="The schedule.")
    shift: OnCallShift | None = strawberry.field(description="Who is on call; null for nobody.")
    was_id: strawberry.Private[UUID | None]

    @strawberry.field(description="Who was on call before; null for nobody, and at first.", graphql_type=User | None)
    async def previous_user(self, info: Info) -> identity.User | None:
        """By id."""
        return None if self.was_id is None else await info.context.loader(load_users).load(self.was_id)


@strawberry.type
class ScheduleSubscriptions:
    """The subscriptions of this noun."""

    @strawberry.subscription(
        description="Who is on call: first as it is for each schedule, then at each handoff, override or edit, when it "
        "begins to count. After a break begin anew: the first messages tell what was missed."
    )
    async def on_call_changed(
        self, info: Info, *, schedule_id: OfSchedule = None, team_id: OfTeam = None
    ) -> AsyncGenerator[OnCallChange, None]:
        """See graphql_api/live/on_call.py for how it is known."""
        wanted = tuple(_given(one, what) for one, what in ((schedule_id, "scheduleId"), (team_id, "teamId")))
        async with aclosing(_changes(info.context, *wanted)) as changes:
            async for change in changes:
                yield cast("Any", change)


def _given(text: strawberry.ID | None, argument: str) -> UUID | None:
    found = None if text is None else uuid_or_none(text)
    if text is not None and found is None:
        message = f"no such {argument.removesuffix('Id')}"
        raise NotFound(message, (argument,))
    return found


def _feed_of(context: Context) -> OnCallFeed:
    if context.state.on_call is None:
        message = "the feed of who is on call is not open"
        raise RuntimeError(message)
    return context.state.on_call


async def _changes(
    context: Context, schedule_id: UUID | None, team_id: UUID | None
) -> AsyncGenerator[OnCallChange, None]:
    known: Duties | None = None
    async with following(context) as (_hub, watched, ending):
        stream = _feed_of(context).follow()
        async with aclosing(stream), aclosing(ending.each_of(stream)) as watches:
            async for watch in watches:
                # Role and teams as they are now.
                context.viewer = watched.viewer
                ids = [one for one in _changed(known, watch) if schedule_id in {None, one}]
                for schedule in await patiently(partial(_seen, context, ids)):
                    if team_id is None or schedule.team_id == team_id:
                        yield await patiently(partial(_change, context, schedule, watch, known))
                known = watch.duties


def _changed(known: Duties | None, watch: Watch) -> list[UUID]:
    """The schedules to tell of: all at first."""
    if known is None:
        return list(watch.duties)
    ids = dict.fromkeys([*watch.duties, *known])
    return [one for one in ids if watch.duties.get(one) != known.get(one)]


async def _seen(context: Context, ids: list[UUID]) -> list[model.Schedule]:
    # In each attempt: a loader that failed would go on to fail.
    context.renew()
    found = await context.loader(load_schedules).load_many(ids)
    return [one for one in found if one is not None]


async def _change(context: Context, schedule: model.Schedule, watch: Watch, known: Duties | None) -> OnCallChange:
    context.renew()
    before = None if known is None else known.get(schedule.id)
    is_on_call = watch.duties.get(schedule.id) is not None
    shift = await shift_at(context, schedule, watch.at) if is_on_call else None
    return OnCallChange(
        at=watch.at,
        is_snapshot=known is None,
        schedule=cast("Any", schedule),
        shift=cast("Any", shift),
        was_id=None if before is None else before.user_id,
    )
