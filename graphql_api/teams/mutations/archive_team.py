"""How does a team end?"""

import strawberry

from domain.teams import life
from graphql_api.context import Info
from graphql_api.errors import NotFound, StaleVersion, TeamInUse, mutation, payload
from graphql_api.identity.types import Team
from graphql_api.scalars import uuid_of
from graphql_api.teams.acting import EXPECTED_VERSION, team_acting
from persistence.locks import take_locks


@strawberry.input(description="A team to end.")
class ArchiveTeamInput:
    """See domain.teams.life.archive_team."""

    id: strawberry.ID = strawberry.field(description="The team.")
    expected_version: int | None = strawberry.field(description=EXPECTED_VERSION, default=None)


@strawberry.type(description="The team has ended.")
class ArchiveTeamSuccess:
    """The team as it stays."""

    team: Team = strawberry.field(description="The team as it stays.")


@mutation(
    payload("ArchiveTeam", ArchiveTeamSuccess, NotFound, StaleVersion, TeamInUse),
    description="End a team that has neither open alerts nor integrations: hand it over first. Its resolved alerts "
    "stay, for those who could see them; its alert rules and threshold rules end with it. Managers, and "
    "those who are managers within it.",
)
async def archive_team(info: Info, data: ArchiveTeamInput) -> ArchiveTeamSuccess:
    """Under the lock that keeps arriving alerts out: none comes between the count and the COMMIT."""
    context = info.context
    team_id = uuid_of(data.id, "team", "id")
    async with context.uow() as uow:
        await take_locks(uow.connection, [], silences="exclusive")
        team = await life.archive_team(
            team_acting(context, uow, "archiveTeam"), team_id, expected_version=data.expected_version
        )
        await uow.commit()
    return ArchiveTeamSuccess(team=team)  # type: ignore[arg-type] # the domain object is the GraphQL object
