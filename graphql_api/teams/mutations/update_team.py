"""How is a team renamed, described, made private or public?"""

import math
from dataclasses import replace
from datetime import timedelta
from typing import Any

import strawberry

from domain.teams import life
from graphql_api.context import Info
from graphql_api.errors import AlreadyExists, NotFound, StaleVersion, WouldOpenGaps, mutation, payload
from graphql_api.escalations.guarding import EVEN_IF_IT_OPENS_GAPS, guarded
from graphql_api.identity.types import Team
from graphql_api.scalars import uuid_of
from graphql_api.teams.acting import EXPECTED_VERSION, team_acting


@strawberry.input(description="What is to change of a team; what is left out stays.")
class UpdateTeamInput:
    """Omitted is not null."""

    id: strawberry.ID = strawberry.field(description="The team.")
    name: strawberry.Maybe[str] = strawberry.field(description="The name people read.", default=None)
    slug: strawberry.Maybe[str] = strawberry.field(description="The name for addresses.", default=None)
    description: strawberry.Maybe[str | None] = strawberry.field(
        description="What the team is for; null takes it away.", default=None
    )
    is_private: strawberry.Maybe[bool] = strawberry.field(
        description="Whether only members and administrators see the team and its alerts.", default=None
    )
    pause: strawberry.Maybe[timedelta | None] = strawberry.field(
        description="How long an alert of the team is held before anybody is woken, if its own past says that it ends "
        "by itself within that: at most an hour, PT0S for never; null as the server's setting says.",
        default=None,
    )
    even_if_it_opens_gaps: bool = strawberry.field(description=EVEN_IF_IT_OPENS_GAPS, default=False)
    expected_version: int | None = strawberry.field(description=EXPECTED_VERSION, default=None)


@strawberry.type(description="The team is as you want it.")
class UpdateTeamSuccess:
    """The team after the edit."""

    team: Team = strawberry.field(description="The team as it is now.")


_EDITED = ("name", "slug", "description", "is_private")


@mutation(
    payload("UpdateTeam", UpdateTeamSuccess, NotFound, AlreadyExists, StaleVersion, WouldOpenGaps),
    description="Change a team. Managers, and those who are managers within it.",
)
async def update_team(info: Info, data: UpdateTeamInput) -> UpdateTeamSuccess:
    """Edit the locked row."""
    context = info.context
    given: dict[str, Any] = {name: some.value for name in _EDITED if (some := getattr(data, name)) is not None}
    if given.get("description", "") is None:
        given["description"] = ""
    if data.pause is not None:
        given["pause_seconds"] = None if data.pause.value is None else math.ceil(data.pause.value.total_seconds())
    # Who is told of its alerts and is no member would see a private team's no more.
    async with guarded(context, even_if=data.even_if_it_opens_gaps or not given.get("is_private")) as uow:
        team = await life.update_team(
            team_acting(context, uow, "updateTeam"),
            uuid_of(data.id, "team", "id"),
            lambda before: replace(before, **given),
            expected_version=data.expected_version,
        )
        await uow.commit()
    return UpdateTeamSuccess(team=team)  # type: ignore[arg-type] # the domain object is the GraphQL object
