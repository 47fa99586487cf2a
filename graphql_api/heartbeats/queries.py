"""What can be read of heartbeats?"""

from typing import Annotated

import strawberry

from domain.heartbeats import model
from graphql_api.context import Info
from graphql_api.heartbeats.loaders import load_heartbeats
from graphql_api.heartbeats.types import Heartbeat
from graphql_api.scalars import uuid_or_none
from persistence.heartbeats import list_heartbeats

Id = Annotated[strawberry.ID, strawberry.argument(description="The heartbeat's id.")]
OfTeam = Annotated[strawberry.ID | None, strawberry.argument(description="Only those of this team.")]
IncludeArchived = Annotated[bool, strawberry.argument(description="Whether ended ones are listed too.")]


@strawberry.type
class HeartbeatQueries:
    """Mixed into Query."""

    @strawberry.field(description="One heartbeat; null for none you may see.", graphql_type=Heartbeat | None)
    async def heartbeat(self, info: Info, *, id: Id) -> model.Heartbeat | None:  # noqa: A002 - the API's name
        """By id."""
        heartbeat_id = uuid_or_none(id)
        return None if heartbeat_id is None else await info.context.loader(load_heartbeats).load(heartbeat_id)

    @strawberry.field(description="The heartbeats you may see, by name.", graphql_type=list[Heartbeat])
    async def heartbeats(
        self, info: Info, *, team_id: OfTeam = None, include_archived: IncludeArchived = False
    ) -> list[model.Heartbeat]:
        """There are few: no paging."""
        team = None if team_id is None else uuid_or_none(team_id)
        if team_id is not None and team is None:
            return []
        async with info.context.read() as connection:
            sight = info.context.require_viewer().sight
            return await list_heartbeats(connection, sight=sight, team_id=team, with_archived=include_archived)
