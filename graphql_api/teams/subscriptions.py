"""How are changes of teams followed? Each that concerns a team the viewer may see, from any place in their log."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial
from typing import Annotated, Any, TypeAlias, cast

import strawberry

from domain.alerts.cursor import Cursor, StreamReset, decode_cursor
from domain.teams.events import RecordedTeamEvent, took_from_sight
from graphql_api.alerts.subscriptions import following, until_executed
from graphql_api.context import Context, Info
from graphql_api.identity.loaders import load_teams
from graphql_api.live.course import Course
from graphql_api.live.log_tail import patiently
from graphql_api.live.team_feed import TeamFeed
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
        """See graphql_api/live/log_feed.py for how nothing is missed."""
        cursor = None if after is None else decode_cursor(after)
        async with aclosing(_events(info.context, cursor)) as events:
            async for item in events:
                yield cast("Any", item)


def _feed_of(context: Context) -> TeamFeed:
    if context.state.team_feed is None:
        message = "the feed of teams is not open"
        raise RuntimeError(message)
    return context.state.team_feed


async def _events(context: Context, after: Cursor | None) -> AsyncGenerator[Item | StreamReset, None]:
    course = context.course = context.course or Course()
    async with following(context) as (_hub, watched, ending):
        stream = _feed_of(context).follow(after)
        async with aclosing(stream), aclosing(ending.each_of(stream)) as items:
            async for item in items:
                if isinstance(item, StreamReset):
                    yield item
                    return
                recorded, place = item
                # Role and teams as they are since the event: the feed has had them read anew.
                context.viewer = watched.viewer
                context.renew()
                shown = await patiently(partial(_shown, context, recorded, place))
                if shown is None:
                    continue
                async with aclosing(until_executed(context, course, shown, place)) as given:
                    async for again in given:
                        yield again


async def _shown(context: Context, recorded: RecordedTeamEvent, place: Cursor) -> Item | None:
    """What the viewer is told of an event."""
    if await context.loader(load_teams).load(recorded.event.team_id) is not None:
        return ShownTeamEvent(recorded=recorded, place=place)
    if took_from_sight(recorded.event, context.require_viewer().user_id):
        return LostTeam(recorded=recorded, place=place)
    return None
