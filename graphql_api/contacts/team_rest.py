"""When does a team sleep? Shown to who may see the team."""

from typing import Annotated
from uuid import UUID

import strawberry

from domain.contacts import team_rest
from domain.identity import model as identity
from graphql_api.contacts.preferences import QuietHours
from graphql_api.context import Context, Info
from graphql_api.exposes import exposes
from graphql_api.identity.loaders import load_teams
from graphql_api.identity.types import Team
from graphql_api.scalars import uuid_or_none
from persistence.quiet_hours import rests_by_teams


async def _team(root: strawberry.Parent[team_rest.TeamRest], info: Info) -> identity.Team | None:
    return await info.context.loader(load_teams).load(root.team_id)


@exposes(team_rest.TeamRest, name="TeamQuietHours", description="When nothing of a team's alerts comes that can wait.")
class TeamQuietHours:
    """See domain.contacts.team_rest.TeamRest."""

    team = strawberry.field(resolver=_team, graphql_type=Team | None, description="The team, if you may see it.")
    quiet_hours: QuietHours | None = strawberry.field(description="When; null for never.")
    version: int = strawberry.field(description="Grows with each edit; give it as `expectedVersion`.")


async def load_team_rests(context: Context, team_ids: list[UUID]) -> list[team_rest.TeamRest]:
    """The quiet hours of teams."""
    async with context.read() as connection:
        return await rests_by_teams(connection, team_ids)


OfTeam = Annotated[strawberry.ID, strawberry.argument(description="The team.")]


@strawberry.type
class TeamRestQueries:
    """Mixed into Query."""

    @strawberry.field(
        description="The quiet hours of a team, whoever is told of its alerts; null for a team you may not see.",
        graphql_type=TeamQuietHours | None,
    )
    async def team_quiet_hours(self, info: Info, *, team_id: OfTeam) -> team_rest.TeamRest | None:
        """Of one team."""
        team = uuid_or_none(team_id)
        if team is None or await info.context.loader(load_teams).load(team) is None:
            return None
        return await info.context.loader(load_team_rests).load(team)
