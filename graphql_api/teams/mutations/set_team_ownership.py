"""How is said what a team owns?"""

import strawberry

from domain.teams import owning
from domain.teams.ownership import DEFAULT_RANK
from graphql_api.context import Info
from graphql_api.errors import NotFound, StaleVersion, mutation, payload
from graphql_api.identity.types import Team
from graphql_api.scalars import uuid_of
from graphql_api.teams.acting import EXPECTED_VERSION, team_acting


@strawberry.input(description="One thing a team is to own: exactly one of `service` and `matchers`.")
class TeamOwnershipInput:
    """See domain.teams.owning.OwnershipDraft."""

    service: str | None = strawberry.field(description="A service, by its exact name.", default=None)
    matchers: str | None = strawberry.field(
        description='Conditions on labels, all of which must hold, as silences have them: `env="prod",shop=~"eu-.*"`.',
        default=None,
    )
    rank: int = strawberry.field(
        description="Of several lines that fit an alert the smallest counts, of equal ones the team whose name comes "
        f"first. 1 to {owning.MAX_RANK}.",
        default=DEFAULT_RANK,
    )


@strawberry.input(description="All that a team is to own, in place of what it owns now.")
class SetTeamOwnershipInput:
    """The list as a whole: what is not in it, the team no longer owns."""

    team_id: strawberry.ID = strawberry.field(description="The team.")
    ownership: list[TeamOwnershipInput] = strawberry.field(description=f"At most {owning.MAX_LINES} lines.")
    expected_version: int | None = strawberry.field(description=EXPECTED_VERSION, default=None)


@strawberry.type(description="The team owns exactly this.")
class SetTeamOwnershipSuccess:
    """The team."""

    team: Team = strawberry.field(description="The team as it is now.")


@mutation(
    payload("SetTeamOwnership", SetTeamOwnershipSuccess, NotFound, StaleVersion),
    description="Say which services and labels a team owns. An alert that opens from now on, and whose team nobody "
    "named, is given to its owner; open alerts stay where they are. Managers, and those who are managers within it.",
)
async def set_team_ownership(info: Info, data: SetTeamOwnershipInput) -> SetTeamOwnershipSuccess:
    """Write the difference."""
    context = info.context
    drafts = [
        owning.OwnershipDraft(service_name=line.service, matchers=line.matchers, rank=line.rank)
        for line in data.ownership
    ]
    async with context.uow() as uow:
        team = await owning.set_ownership(
            team_acting(context, uow, "setTeamOwnership"),
            uuid_of(data.team_id, "team", "teamId"),
            drafts,
            expected_version=data.expected_version,
        )
        await uow.commit()
    return SetTeamOwnershipSuccess(team=team)  # type: ignore[arg-type] # the domain object is the GraphQL object
