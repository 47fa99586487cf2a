"""How does a team come to be?"""

from uuid import UUID

import strawberry

from domain.identity import model
from domain.ids import new_id
from domain.teams import life
from graphql_api.context import Info
from graphql_api.errors import AlreadyExists, IdempotencyConflict, mutation, payload
from graphql_api.idempotency import IDEMPOTENCY_KEY, create_once
from graphql_api.identity.types import Team
from graphql_api.teams.acting import team_acting
from persistence.reads.teams import teams_by_ids


@strawberry.input(description="A team to be made.")
class CreateTeamInput:
    """See domain.identity.model.Team."""

    name: str = strawberry.field(description="The name people read; unique among all teams, those you may not see too.")
    slug: str | None = strawberry.field(
        description="The name for addresses: lower-case letters, digits, hyphens. Without one it is made of the name.",
        default=None,
    )
    description: str = strawberry.field(description="What the team is for.", default="")
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
    team = life.checked_team(
        model.Team(
            id=new_id(),
            name=data.name,
            slug=life.slug_of(data.name) if data.slug is None else data.slug,
            description=data.description,
            is_private=data.is_private,
            created_at=context.now(),
        )
    )
    async with context.uow() as uow:
        # Before the first write: the key's claim is one.
        await uow.teams.lock()

        async def create() -> dict[str, object]:
            await life.create_team(team_acting(context, uow, "createTeam"), team)
            return {"teamId": str(team.id)}

        made, _ = await create_once(context, uow, mutation="createTeam", data=data, create=create)
        await uow.commit()
        (found,) = await teams_by_ids(uow.connection, [UUID(made["teamId"])])
    return CreateTeamSuccess(team=found)  # type: ignore[arg-type] # the domain object is the GraphQL object
