"""How are changes of teams followed? Each that concerns a team the viewer may see, from any place in their log."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any, TypeAlias, cast

import strawberry

from domain.alerts.cursor import Cursor
from domain.teams.events import RecordedTeamEvent, took_from_sight
from graphql_api.context import Context, Info
from graphql_api.identity.loaders import load_teams
from graphql_api.log_streams import changes
from graphql_api.teams.events import LostTeam, ShownTeamEvent, TeamStreamMessage

Item: TypeAlias = ShownTeamEvent | LostTeam


@strawberry.type
class TeamSubscriptions:
    """The subscriptions of this noun."""

    @strawberry.subscription(
        description="Every change of the teams you may see, at least once, in order; drop repeats by id. `after` "
        "resumes without a gap."
    )
    async def team_events(
        self,
        info: Info,
        *,
        after: Annotated[
            str | None,
            strawberry.argument(description="The `cursor` of the last event received. By default it begins now."),
        ] = None,
    ) -> AsyncGenerator[TeamStreamMessage, None]:
        """See graphql_api/log_streams.py."""
        stream = changes(info.context, info.context.state.team_feed, after, _shown)
        async with aclosing(stream) as events:
            async for item in events:
                yield cast("Any", item)


async def _shown(context: Context, recorded: RecordedTeamEvent, place: Cursor) -> Item | None:
    """What the viewer is told of an event."""
    if await context.loader(load_teams).load(recorded.event.team_id) is not None:
        return ShownTeamEvent(recorded=recorded, place=place)
    if took_from_sight(recorded.event, context.require_viewer().user_id):
        return LostTeam(recorded=recorded, place=place)
    return None
