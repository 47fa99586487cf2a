"""How does one team take over from another?"""

import strawberry

from domain.teams import owning
from domain.teams.handover import STEPS_AT_ONCE
from graphql_api.context import Info
from graphql_api.errors import NotFound, mutation, payload
from graphql_api.identity.loaders import load_teams
from graphql_api.identity.types import Team
from graphql_api.scalars import uuid_of
from graphql_api.teams.acting import team_acting
from persistence.handovers import go_on


@strawberry.input(description="A team, and the team that takes over from it.")
class HandOverTeamInput:
    """See domain.teams.handover.Handover."""

    team_id: strawberry.ID = strawberry.field(description="The team that gives.")
    to_team_id: strawberry.ID = strawberry.field(description="The team that takes over.")
    include_resolved: bool = strawberry.field(
        description="Whether resolved alerts go as well; by default only the open ones do.", default=False
    )
    archive: bool = strawberry.field(
        description="Whether the team is archived when its last open alert has gone.", default=False
    )


@strawberry.type(description="The hand-over is under way, or done.")
class HandOverTeamSuccess:
    """Both teams."""

    team: Team = strawberry.field(description="The team that gives: `handover` says how far it is.")
    to_team: Team = strawberry.field(description="The team that takes over.")


@mutation(
    payload("HandOverTeam", HandOverTeamSuccess, NotFound),
    description="Let a team take over from another: what it owns and its integrations at once, its alerts step by "
    "step, the first thousand before the answer. You must be able to manage both teams.",
)
async def hand_over_team(info: Info, data: HandOverTeamInput) -> HandOverTeamSuccess:
    """The scheduler goes on with what is left, also when this process dies."""
    context = info.context
    team_id, to_team_id = uuid_of(data.team_id, "team", "teamId"), uuid_of(data.to_team_id, "team", "toTeamId")
    async with context.uow() as uow:
        handover = await owning.begin_handover(
            team_acting(context, uow, "handOverTeam"),
            team_id=team_id,
            to_team_id=to_team_id,
            includes_resolved=data.include_resolved,
            archives=data.archive,
        )
        await uow.commit()
    # One step more than the thousand: it finds nothing left, and ends the hand-over.
    await go_on(context.state.engine, handover, steps=STEPS_AT_ONCE + 1, now=context.now())
    teams = await context.loader(load_teams).load_many([team_id, to_team_id])
    return HandOverTeamSuccess(team=teams[0], to_team=teams[1])  # type: ignore[arg-type] # domain objects are it
