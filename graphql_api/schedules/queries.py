"""What can be read of on-call schedules?"""

import asyncio
from datetime import datetime
from typing import Annotated

import strawberry

from domain.schedules import model
from domain.schedules.clock import check_year
from graphql_api.context import Info
from graphql_api.scalars import uuid_or_none
from graphql_api.schedules.loaders import load_schedules
from graphql_api.schedules.types import OnCall, Schedule, shift_at
from persistence.schedules import list_schedules

Id = Annotated[strawberry.ID, strawberry.argument(description="The schedule's id.")]
OfTeam = Annotated[strawberry.ID | None, strawberry.argument(description="Only those of this team.")]
IncludeArchived = Annotated[bool, strawberry.argument(description="Whether ended ones are listed too.")]
At = Annotated[datetime | None, strawberry.argument(description="At which moment; now if left out.")]


@strawberry.type
class ScheduleQueries:
    """Mixed into Query."""

    @strawberry.field(description="One on-call schedule; null for none you may see.", graphql_type=Schedule | None)
    async def schedule(self, info: Info, *, id: Id) -> model.Schedule | None:  # noqa: A002 - the API's name
        """By id."""
        schedule_id = uuid_or_none(id)
        return None if schedule_id is None else await info.context.loader(load_schedules).load(schedule_id)

    @strawberry.field(description="The on-call schedules you may see, by name.", graphql_type=list[Schedule])
    async def schedules(
        self, info: Info, *, team_id: OfTeam = None, include_archived: IncludeArchived = False
    ) -> list[model.Schedule]:
        """There are few: no paging."""
        return await _listed(info, team_id, with_archived=include_archived)

    @strawberry.field(description="Who is on call, by each schedule you may see.")
    async def on_call(self, info: Info, *, team_id: OfTeam = None, at: At = None) -> list[OnCall]:
        """Now, or at any other moment."""
        moment = at or info.context.now()
        check_year(moment, "at")
        found = await _listed(info, team_id, with_archived=False)
        shifts = await asyncio.gather(*(shift_at(info.context, schedule, moment) for schedule in found))
        return [
            OnCall(schedule=schedule, shift=shift)  # type: ignore[arg-type] # the domain objects are the GraphQL objects
            for schedule, shift in zip(found, shifts, strict=True)
        ]


async def _listed(info: Info, team_id: strawberry.ID | None, *, with_archived: bool) -> list[model.Schedule]:
    team = None if team_id is None else uuid_or_none(team_id)
    if team_id is not None and team is None:
        return []
    async with info.context.read() as connection:
        sight = info.context.require_viewer().sight
        return await list_schedules(connection, sight=sight, team_id=team, with_archived=with_archived)
