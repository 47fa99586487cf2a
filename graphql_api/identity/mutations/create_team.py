"""How does a team come to be?"""

from uuid import UUID

import strawberry

from domain.identity.model import Membership
from domain.identity.people import NewTeam, add_team, make_team
from graphql_api.context import Info
from graphql_api.errors import AlreadyExists, IdempotencyConflict, mutation, payload
from graphql_api.idempotency import IDEMPOTENCY_KEY, create_once
from graphql_api.identity.types import Team
from persistence.users import teams_by_ids


@strawberry.input(description="A team to be made.")
class CreateTeamInput:
    """See domain.identity.people.NewTeam."""

    name: str = strawberry.field(description="The name people read; unique among all teams, those you may not see too.")
    slug: str | None = strawberry.field(
        description="The name for addresses: lower-case letters, digits, hyphens. Without one it is made of the name.",
        default=None,
    )
    is_private: bool = strawberry.field(
        description="Whether only members and administrators see the team and its alerts.", default=False
    )
    idempotency_key: str | None = strawberry.field(description=IDEMPOTENCY_KEY, default=None)


@strawberry.type(description="The team exists.")
class CreateTeamSuccess:
    """The new team."""

    team: Team = strawberry.field(description="The new team.")


@mutation(
    payload("CreateTeam", CreateTeamSuccess, AlreadyExists, IdempotencyConflict),
    description="Make a team; add members with `addTeamMember`. A manager who makes a private one is its first member.",
)
async def create_team(info: Info, data: CreateTeamInput) -> CreateTeamSuccess:
    """Write the team."""
    context = info.context
    team = make_team(NewTeam(name=data.name, slug=data.slug, is_private=data.is_private), clock=context.state.clock)
    shown = {"name": team.name, "slug": team.slug, "isPrivate": team.is_private}
    entry = context.audit_entry("createTeam", target_kind="team", target_id=team.id, after=shown)
    viewer = context.require_viewer()
    sees_it = viewer.sight.everything or not team.is_private
    founder = Membership(team_id=team.id, user_id=viewer.user_id, role=viewer.role, created_at=team.created_at)
    async with context.uow() as uow:

        async def create() -> dict[str, object]:
            await add_team(team, founder=None if sees_it else founder, unit=uow, entry=entry)
            return {"teamId": str(team.id)}

        made, _ = await create_once(context, uow, mutation="createTeam", data=data, create=create)
        await uow.commit()
        (found,) = await teams_by_ids(uow.connection, [UUID(made["teamId"])])
    return CreateTeamSuccess(team=found)  # type: ignore[arg-type] # the domain object is the GraphQL object
