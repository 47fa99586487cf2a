"""What can be read of one team?"""

from typing import Annotated

import strawberry

from domain.identity import model
from graphql_api.context import Info
from graphql_api.identity.loaders import load_teams
from graphql_api.identity.types import Team
from graphql_api.scalars import uuid_or_none


@strawberry.type
class TeamQueries:
    """Beside `teams`, which is with the people."""

    @strawberry.field(
        description="The team of this id, archived or not; null for one you may not see.", graphql_type=Team | None
    )
    async def team(
        self,
        info: Info,
        *,
        id: Annotated[strawberry.ID, strawberry.argument(description="The team's id.")],  # noqa: A002
    ) -> model.Team | None:
        """Absent and invisible look the same."""
        team_id = uuid_or_none(id)
        return None if team_id is None else await info.context.loader(load_teams).load(team_id)
