"""How does a person join a team?"""

import strawberry

from domain.identity import model
from domain.identity.people import add_member
from graphql_api.context import Info
from graphql_api.errors import NotFound, mutation, payload
from graphql_api.identity.types import Team
from graphql_api.scalars import uuid_of
from persistence.users import teams_by_ids


@strawberry.input(description="A person, a team, and the role there.")
class AddTeamMemberInput:
    """See domain.identity.model.Membership."""

    team_id: strawberry.ID = strawberry.field(description="The team.")
    user_id: strawberry.ID = strawberry.field(description="The person.")
    role: model.Role = strawberry.field(
        description="The role within the team; it gives no rights outside it.", default=model.Role.OPERATOR
    )


@strawberry.type(description="The person is a member of the team.")
class AddTeamMemberSuccess:
    """The team."""

    team: Team = strawberry.field(description="The team.")


@mutation(
    payload("AddTeamMember", AddTeamMemberSuccess, NotFound),
    description="Make a person a member of a team, or change the role there. A first team becomes the primary one.",
)
async def add_team_member(info: Info, data: AddTeamMemberInput) -> AddTeamMemberSuccess:
    """Write the membership."""
    context = info.context
    membership = model.Membership(
        team_id=uuid_of(data.team_id, "team", "teamId"),
        user_id=uuid_of(data.user_id, "person", "userId"),
        role=data.role,
        created_at=context.now(),
    )
    shown = {"userId": str(membership.user_id), "role": membership.role.value}
    entry = context.audit_entry("addTeamMember", target_kind="team", target_id=membership.team_id, after=shown)
    async with context.uow() as uow:
        await add_member(membership, sight=context.require_viewer().sight, unit=uow, entry=entry)
        await uow.commit()
        (team,) = await teams_by_ids(uow.connection, [membership.team_id])
    return AddTeamMemberSuccess(team=team)  # type: ignore[arg-type] # the domain object is the GraphQL object
