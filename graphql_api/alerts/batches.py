"""How does a dashboard follow a storm? The events of a short window as one list, with the place to go on from.

It is what `alertEvents` brings, in the same order and with the same guarantee; only the number of messages differs, and
what is read for them: the alerts of a whole list are one statement.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, Union, cast

import strawberry

from domain.alerts.cursor import Cursor, encode_cursor
from domain.alerts.cursor import StreamReset as DomainStreamReset
from domain.alerts.events import RecordedEvent
from domain.alerts.filter import AlertFilter
from domain.errors import InvalidInput
from graphql_api.alerts.events import AlertEvent
from graphql_api.alerts.leaving import AlertLeftView, LeftView, left_view
from graphql_api.alerts.passing import alerts_of, passed
from graphql_api.alerts.subscriptions import (
    Filter,
    following,
    hub_of,
    one_word,
    own_place,
    streamable,
    until_executed,
)
from graphql_api.context import Context, Info
from graphql_api.exposes import exposes
from graphql_api.live.course import Course
from graphql_api.live.hub import Hub
from graphql_api.live.patience import patiently
from graphql_api.live.stream_reset import StreamReset
from graphql_api.live.upcoming import Upcoming
from graphql_api.live.windows import windows

if TYPE_CHECKING:
    from graphql_api.live.sessions import Watched

SHORTEST, LONGEST = timedelta(milliseconds=50), timedelta(seconds=30)
# In one list: a replay of days must not become one message.
MOST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class EventBatch:
    """The events of one window that the viewer may see and asked for.

    `place` is that of the last one looked at, `begins` that of the first one told.
    """

    events: Sequence[RecordedEvent]
    left_view: Sequence[LeftView]
    begins: Cursor
    place: Cursor


_Batch: TypeAlias = strawberry.Parent[EventBatch]


def _cursor(root: _Batch) -> str:
    return encode_cursor(root.place)


@exposes(EventBatch, description="The events of a short time, in order.")
class AlertEventBatch:
    """Never without anything."""

    events: list[AlertEvent] = strawberry.field(description=f"The events, at most {MOST}.")
    left_view: list[AlertLeftView] = strawberry.field(
        description="The alerts that left your sight meanwhile, and did not come back."
    )
    cursor: str = strawberry.field(
        resolver=_cursor, description="The place in the log after them: give it as `after` to go on from here."
    )


AlertBatchMessage: TypeAlias = Annotated[
    Union[AlertEventBatch, StreamReset],  # noqa: UP007 - strawberry names a union by its annotation
    strawberry.union(
        "AlertBatchMessage",
        description="What a stream of batches brings: some events, or the word that it cannot go on.",
    ),
]
Item: TypeAlias = EventBatch | DomainStreamReset


@strawberry.type
class AlertBatchSubscriptions:
    """Beside AlertSubscriptions."""

    @strawberry.subscription(
        description="What `alertEvents` brings, as a list for each short time in which something happened: for "
        "dashboards in a storm. The same order, cursors and guarantee."
    )
    async def alert_event_batches(
        self,
        info: Info,
        *,
        wanted: Filter = None,
        after: Annotated[
            str | None,
            strawberry.argument(description="The `cursor` of the last batch or event. By default it begins now."),
        ] = None,
        max_wait: Annotated[
            timedelta,
            strawberry.argument(description="How long an event may wait for others to go with it: PT0.05S to PT30S."),
        ] = timedelta(seconds=1),
    ) -> AsyncGenerator[AlertBatchMessage, None]:
        """See graphql_api/live/windows.py for what is put together."""
        if not SHORTEST <= max_wait <= LONGEST:
            raise InvalidInput(message="maxWait is from PT0.05S to PT30S", path=("maxWait",))
        context = info.context
        found = _batches(context, streamable(wanted), own_place(context, after), seconds=max_wait.total_seconds())
        async with aclosing(found) as batches:
            async for item in batches:
                yield cast("Any", item)


async def _batches(
    context: Context, wanted: AlertFilter, after: Cursor | None, *, seconds: float
) -> AsyncGenerator[Item, None]:
    course = context.course = context.course or Course()
    if course.follows_nothing:
        word = await one_word(context, after)
        if word is not None:
            yield word
    elif course.feed is not None:
        if course.upcoming is not None:
            course.upcoming.wanted = wanted
        lists = windows(course.feed, seconds=seconds, most=MOST)
        async with aclosing(_passing(context, hub_of(context), wanted, lists)) as passing:
            async for item in passing:
                yield item
    else:
        async with following(context) as (hub, watched, ending):
            stream = hub.follow(after, upcoming=Upcoming(wanted))
            lists = windows(ending.each_of(stream), seconds=seconds, most=MOST)
            async with aclosing(stream), aclosing(_passing(context, hub, wanted, lists, watched=watched)) as passing:
                async for item in passing:
                    yield item


async def _passing(
    context: Context,
    hub: Hub,
    wanted: AlertFilter,
    lists: AsyncGenerator[list[Any], None],
    *,
    watched: "Watched | None" = None,
) -> AsyncGenerator[Item, None]:
    """What the viewer may see and asked for of each list; a reset is the last of one."""
    course = context.course or Course()
    async with aclosing(lists):
        async for items in lists:
            # What its first event waited for others is no work, for which the run would have to rest.
            course.began = asyncio.get_running_loop().time()
            # Role and teams as they are now.
            context.viewer = watched.viewer if watched else context.viewer
            events = [item for item in items if isinstance(item, RecordedEvent)]
            batch = await patiently(partial(_batch, context, wanted, events, hub)) if events else None
            if batch is not None:
                course.begins = batch.begins
                async with aclosing(until_executed(context, course, batch, batch.place)) as given:
                    async for again in given:
                        yield again
            if isinstance(items[-1], DomainStreamReset):
                yield items[-1]
                return


async def _batch(context: Context, wanted: AlertFilter, events: Sequence[RecordedEvent], hub: Hub) -> EventBatch | None:
    """The events of alerts that the viewer may see and that pass the filter; None when there is nothing to say."""
    context.renew()
    both = list(zip(events, await alerts_of(context, events), strict=True))
    found = await passed(context, wanted, [(item, alert) for item, alert in both if alert is not None])
    left = await left_view(context, [item for item, alert in both if alert is None])
    if not found and not left:
        return None
    gone = [LeftView(recorded=item, place=hub.place_of(item)) for item in left]
    first = min((*found[:1], *left[:1]), key=lambda item: item.position)
    return EventBatch(events=found, left_view=gone, begins=hub.place_of(first), place=hub.place_of(events[-1]))
