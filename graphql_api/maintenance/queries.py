"""What can be read of maintenance windows?"""

from typing import Annotated

import strawberry

from domain.maintenance import model
from graphql_api.context import Info
from graphql_api.maintenance.loaders import load_windows
from graphql_api.maintenance.types import MaintenanceWindow
from graphql_api.scalars import uuid_or_none
from persistence.maintenance_windows import list_windows

Id = Annotated[strawberry.ID, strawberry.argument(description="The window's id.")]
OfTeam = Annotated[strawberry.ID | None, strawberry.argument(description="Only those of this team.")]
IncludeArchived = Annotated[bool, strawberry.argument(description="Whether ended ones are listed too.")]


@strawberry.type
class MaintenanceQueries:
    """Mixed into Query."""

    @strawberry.field(
        description="One maintenance window; null for none you may see.", graphql_type=MaintenanceWindow | None
    )
    async def maintenance_window(self, info: Info, *, id: Id) -> model.MaintenanceWindow | None:  # noqa: A002
        """By id."""
        window_id = uuid_or_none(id)
        return None if window_id is None else await info.context.loader(load_windows).load(window_id)

    @strawberry.field(description="The maintenance windows you may see, by name.", graphql_type=list[MaintenanceWindow])
    async def maintenance_windows(
        self, info: Info, *, team_id: OfTeam = None, include_archived: IncludeArchived = False
    ) -> list[model.MaintenanceWindow]:
        """There are at most 500: no paging."""
        team = None if team_id is None else uuid_or_none(team_id)
        if team_id is not None and team is None:
            return []
        async with info.context.read() as connection:
            sight = info.context.require_viewer().sight
            return await list_windows(connection, sight=sight, team_id=team, with_archived=include_archived)
