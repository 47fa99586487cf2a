"""How does a person join a team?"""

import strawberry

from domain.identity import model
from domain.teams import members
from graphql_api.context import Info
from graphql_api.errors import NotFound, mutation, payload
from graphql_api.identity.types import Team
from graphql_api.scalars import uuid_of
from graphql_api.teams.acting import team_acting


@strawberry.input(description="A person, a team, and the role there.")
class AddTeamMemberInput:
    """See domain.identity.model.Membership."""

    team_id: strawberry.ID = strawberry.field(description="The team.")
    user_id: strawberry.ID = strawberry.field(description="The person.")
    role: model.Role = strawberry.field(
        description="The role within the team, at most as high as yours there; it gives no rights outside it.",
        default=model.Role.OPERATOR,
    )


@strawberry.type(description="The person is a member of the team.")
class AddTeamMemberSuccess:
    """The team."""

    team: Team = strawberry.field(description="The team.")


@mutation(
    payload("AddTeamMember", AddTeamMemberSuccess, NotFound),
    description="Make a person a member of a team, or change the role there. A first team becomes the primary one. "
    "Managers, and those who are managers within it.",
)
async def add_team_member(info: Info, data: AddTeamMemberInput) -> AddTeamMemberSuccess:
    """Write the membership."""
    context = info.context
    async with context.uow() as uow:
        team = await members.add_member(
            team_acting(context, uow, "addTeamMember"),
            team_id=uuid_of(data.team_id, "team", "teamId"),
            user_id=uuid_of(data.user_id, "person", "userId"),
            role=data.role,
        )
        await uow.commit()
    return AddTeamMemberSuccess(team=team)  # type: ignore[arg-type] # the domain object is the GraphQL object
