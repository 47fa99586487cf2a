"""How does a person leave a team?"""

import strawberry

from domain.teams import members
from graphql_api.context import Info
from graphql_api.errors import NotFound, WouldOpenGaps, mutation, payload
from graphql_api.escalations.guarding import EVEN_IF_IT_OPENS_GAPS, guarded
from graphql_api.scalars import uuid_of
from graphql_api.teams.acting import team_acting


@strawberry.input(description="A member of a team.")
class RemoveTeamMemberInput:
    """See domain.identity.model.Membership."""

    team_id: strawberry.ID = strawberry.field(description="The team.")
    user_id: strawberry.ID = strawberry.field(description="The member; you, to leave it.")
    even_if_it_opens_gaps: bool = strawberry.field(description=EVEN_IF_IT_OPENS_GAPS, default=False)


@strawberry.type(description="The person is no member any more.")
class RemoveTeamMemberSuccess:
    """Not the team: who left a private one sees it no longer."""

    team_id: strawberry.ID = strawberry.field(description="The team.")
    user_id: strawberry.ID = strawberry.field(description="The person.")


@mutation(
    payload("RemoveTeamMember", RemoveTeamMemberSuccess, NotFound, WouldOpenGaps),
    description="Take a person out of a team. Managers, and those who are managers within it; everybody may leave. "
    "What they follow keeps to their new sight at once.",
)
async def remove_team_member(info: Info, data: RemoveTeamMemberInput) -> RemoveTeamMemberSuccess:
    """Delete the membership."""
    context = info.context
    async with guarded(context, even_if=data.even_if_it_opens_gaps) as uow:
        await members.remove_member(
            team_acting(context, uow, "removeTeamMember"),
            team_id=uuid_of(data.team_id, "team", "teamId"),
            user_id=uuid_of(data.user_id, "member", "userId"),
        )
        await uow.commit()
    return RemoveTeamMemberSuccess(team_id=data.team_id, user_id=data.user_id)
