"""How does a member of a team get another role there?"""

import strawberry

from domain.identity import model
from domain.teams import members
from graphql_api.context import Info
from graphql_api.errors import NotFound, mutation, payload
from graphql_api.identity.types import Team
from graphql_api.scalars import uuid_of
from graphql_api.teams.acting import team_acting


@strawberry.input(description="A member of a team, and the role there from now on.")
class ChangeTeamRoleInput:
    """See domain.identity.model.Membership."""

    team_id: strawberry.ID = strawberry.field(description="The team.")
    user_id: strawberry.ID = strawberry.field(description="The member.")
    role: model.Role = strawberry.field(description="The role within the team; at most as high as yours there.")


@strawberry.type(description="The member has the role.")
class ChangeTeamRoleSuccess:
    """The team."""

    team: Team = strawberry.field(description="The team.")


@mutation(
    payload("ChangeTeamRole", ChangeTeamRoleSuccess, NotFound),
    description="Change a member's role within a team. Managers, and those who are managers within it.",
)
async def change_team_role(info: Info, data: ChangeTeamRoleInput) -> ChangeTeamRoleSuccess:
    """Write the membership."""
    context = info.context
    async with context.uow() as uow:
        team = await members.change_role(
            team_acting(context, uow, "changeTeamRole"),
            team_id=uuid_of(data.team_id, "team", "teamId"),
            user_id=uuid_of(data.user_id, "member", "userId"),
            role=data.role,
        )
        await uow.commit()
    return ChangeTeamRoleSuccess(team=team)  # type: ignore[arg-type] # the domain object is the GraphQL object
