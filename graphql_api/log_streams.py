"""How does a client follow the log of what seldom changes? Each event as the viewer may see it by then, from any place.

Nothing is missed on the way (graphql_api/live/log_feed.py); what cannot be read for an outage is read when it is over.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from functools import partial
from typing import TypeVar

from domain.alerts.cursor import Cursor, StreamReset, decode_cursor
from graphql_api.alerts.subscriptions import following, until_executed
from graphql_api.context import Context
from graphql_api.live.course import Course
from graphql_api.live.log_feed import InLog, LogFeed
from graphql_api.live.patience import patiently

Recorded = TypeVar("Recorded", bound=InLog)
Shown = TypeVar("Shown")
# What the viewer is told of an event, whose place is given; None for nothing.
Show = Callable[[Context, Recorded, Cursor], Awaitable[Shown | None]]


async def changes(
    context: Context, feed: LogFeed[Recorded] | None, after: str | None, show: "Show[Recorded, Shown]"
) -> AsyncGenerator[Shown | StreamReset, None]:
    """What happens after the place of the cursor, or from now on."""
    if feed is None:
        message = "the feed of the log is not open"
        raise RuntimeError(message)
    place = None if after is None else decode_cursor(after)
    course = context.course = context.course or Course()
    async with following(context) as (_hub, watched, ending):
        stream = feed.follow(place)
        async with aclosing(stream), aclosing(ending.each_of(stream)) as items:
            async for item in items:
                if isinstance(item, StreamReset):
                    yield item
                    return
                recorded, at = item
                # Role and teams as they are since the event: the feed has had them read anew.
                context.viewer = watched.viewer
                shown = await patiently(partial(_as_now, context, recorded, at, show))
                if shown is None:
                    continue
                async with aclosing(until_executed(context, course, shown, at)) as given:
                    async for again in given:
                        yield again


async def _as_now(context: Context, recorded: Recorded, at: Cursor, show: "Show[Recorded, Shown]") -> Shown | None:
    """By rows that are read now: a loader that failed would go on to fail."""
    context.renew()
    return await show(context, recorded, at)
