"""How is what happens to alerts followed? Each event the viewer may see and asked for, from any place in the log."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, TypeVar, Union, cast

import strawberry

from domain.alerts import counts
from domain.alerts.cursor import Cursor, decode_cursor, why_reset
from domain.alerts.cursor import StreamReset as DomainStreamReset
from domain.alerts.events import RecordedEvent
from domain.alerts.filter import AlertFilter, search_within
from domain.alerts.model import Alert
from domain.errors import InvalidInput, Unauthenticated
from graphql_api.alerts.counts import AlertCounts, selected_figures
from graphql_api.alerts.direct_events import DirectEvents, direct_events
from graphql_api.alerts.events import AlertEvent
from graphql_api.alerts.filters import AlertFilterInput, filter_of
from graphql_api.alerts.leaving import AlertLeftView, LeftView, left_view
from graphql_api.alerts.loaders import load_log_epoch
from graphql_api.alerts.passing import alerts_of, passes
from graphql_api.context import Context, Info
from graphql_api.live.course import Course, Item
from graphql_api.live.endings import Ending, SessionEnded, ending_of
from graphql_api.live.hub import REPLAY_WINDOW, Hub
from graphql_api.live.patience import patiently
from graphql_api.live.stream_reset import StreamReset
from graphql_api.live.upcoming import Upcoming
from persistence.backoff import Backoff
from persistence.reads.counts import read_counts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from graphql_api.live.sessions import Watched

T = TypeVar("T")
SESSION_ENDED = "the session has ended: sign in again"

AlertStreamMessage: TypeAlias = Annotated[
    Union[AlertEvent, AlertLeftView, StreamReset],  # noqa: UP007 - strawberry names a union by its annotation
    strawberry.union(
        "AlertStreamMessage",
        description="What a stream of events brings: an event; or the word that an alert left your sight, or that the "
        "stream cannot go on.",
    ),
]
Filter: TypeAlias = Annotated[
    AlertFilterInput | None,
    strawberry.argument(name="filter", description="Of which alerts; all that you may see by default. No `search`."),
]
After: TypeAlias = Annotated[
    str | None,
    strawberry.argument(
        description="The `cursor` of the last event received, or at first the `eventCursor` that was read with a list. "
        "By default the stream begins now."
    ),
]


@strawberry.type
class AlertSubscriptions:
    """The subscriptions of this noun."""

    @strawberry.subscription(
        description="Every event at least once, in order; drop repeats by id. `after` resumes without a gap. An event "
        "passes the filter when its alert matched before or after it."
    )
    async def alert_events(
        self,
        info: Info,
        *,
        wanted: Filter = None,
        after: After = None,
    ) -> AsyncGenerator[AlertStreamMessage, None]:
        """See graphql_api/live/hub.py for how nothing is missed."""
        context = info.context
        direct = direct_events(info) if context.course is not None and context.course.tell is not None else None
        found = _events(context, streamable(wanted), own_place(context, after), direct=direct)
        async with aclosing(found) as events:
            async for item in events:
                yield cast("Any", item)

    @strawberry.subscription(
        description="The counts now, and again whenever they have changed; at most once a second, however much happens."
    )
    async def alert_counts(self, info: Info, *, wanted: Filter = None) -> AsyncGenerator[AlertCounts, None]:
        """Counted anew: a sum of increments would drift from what the lists show."""
        async with aclosing(_counts(info.context, streamable(wanted), selected_figures(info))) as found:
            async for one in found:
                yield cast("Any", one)


def own_place(context: Context, after: str | None) -> Cursor | None:
    """Where the client's own stream begins; a run for many begins elsewhere."""
    is_shared = context.course is not None and context.course.is_shared
    return None if after is None or is_shared else decode_cursor(after)


def streamable(given: AlertFilterInput | None) -> AlertFilter:
    """The domain's filter; InvalidInput for one that searches."""
    wanted = filter_of(given)
    place = search_within(wanted)
    if place is not None:
        raise InvalidInput(message="a subscription cannot search; filter by fields", path=place)
    return wanted


def hub_of(context: Context) -> Hub:
    """What feeds the streams of this process."""
    if context.state.hub is None:
        message = "the hub is not open"
        raise RuntimeError(message)
    return context.state.hub


@asynccontextmanager
async def following(context: Context) -> "AsyncIterator[tuple[Hub, Watched, Ending]]":
    """What a stream of one client needs: the hub, the session as it is now, and its end as an error."""
    hub, sessions = hub_of(context), context.state.sessions
    if sessions is None:
        message = "the sessions are not watched"
        raise RuntimeError(message)
    with sessions.watching(context.require_viewer()) as watched:
        async with ending_of(watched) as ending:
            try:
                yield hub, watched, ending
            except SessionEnded:
                raise Unauthenticated(SESSION_ENDED) from None


async def one_word(context: Context, after: Cursor | None) -> DomainStreamReset | None:
    """All that there is to say where the run follows nothing: that it is over, and why it cannot begin at `after`."""
    course = context.course or Course()
    if course.is_over:
        raise Unauthenticated(SESSION_ENDED)
    if course.reset is not None:
        return course.reset
    context.require_viewer()
    # "Now" is the log's head: this process may be a moment behind it.
    state = await hub_of(context).state()
    reason = None if after is None else why_reset(after, state, window=REPLAY_WINDOW)
    if reason is not None:
        return DomainStreamReset(reason=reason, resume_after=state.head)
    course.place, course.has_answered = after or state.head, True
    return None


async def _events(
    context: Context, wanted: AlertFilter, after: Cursor | None, *, direct: DirectEvents | None
) -> AsyncGenerator[Item | LeftView, None]:
    course = context.course = context.course or Course()
    if course.follows_nothing:
        word = await one_word(context, after)
        if word is not None:
            yield word
    elif course.feed is not None:
        if course.upcoming is not None:
            course.upcoming.wanted = wanted
        async with aclosing(_passing(context, hub_of(context), wanted, course.feed, direct=direct)) as passing:
            async for item in passing:
                yield item
    else:
        async with following(context) as (hub, watched, ending):
            stream = hub.follow(after, upcoming=Upcoming(wanted))
            passed = _passing(context, hub, wanted, ending.each_of(stream), watched=watched)
            async with aclosing(stream), aclosing(passed) as passing:
                async for item in passing:
                    yield item


async def _passing(
    context: Context,
    hub: Hub,
    wanted: AlertFilter,
    stream: AsyncGenerator[Any, None],
    *,
    watched: "Watched | None" = None,
    direct: DirectEvents | None = None,
) -> AsyncGenerator[Item | LeftView, None]:
    """The events that the viewer may see and asked for, but for those that are told directly.

    One that met an outage comes again, until it did not.
    """
    course = context.course or Course()
    async with aclosing(stream):
        async for item in stream:
            if not isinstance(item, RecordedEvent):
                yield item
                continue
            # Role and teams as they are now; the loaders' rows as they are now.
            context.viewer = watched.viewer if watched else context.viewer
            at = hub.place_of(item)
            shown, alert = await patiently(partial(_shown, context, wanted, item, at))
            if shown is None:
                course.place = at
                continue
            if direct is not None and course.tell is not None and alert is not None:
                told = direct.told(item, alert, at)
                if told is not None:
                    course.at = at
                    await course.tell(told)
                    continue
            async with aclosing(until_executed(context, course, shown, at)) as given:
                async for again in given:
                    yield again


async def until_executed(context: Context, course: Course, item: T, at: Cursor) -> AsyncGenerator[T, None]:
    """The item, whose place is `at`; once more as long as its execution met an outage."""
    backoff = Backoff()
    while True:
        # The cursor's epoch is known here: no field has to ask for it.
        context.loader(load_log_epoch).prime(None, at.epoch)
        course.at, course.again = at, False
        yield item
        if not course.again:
            return
        await backoff.wait()
        context.renew()


async def _shown(
    context: Context, wanted: AlertFilter, item: RecordedEvent, at: Cursor
) -> tuple[RecordedEvent | LeftView | None, Alert | None]:
    """What the viewer is told of an event, and its alert if they may see it."""
    context.renew()
    (alert,) = await alerts_of(context, [item])
    if alert is not None:
        return item if await passes(context, wanted, item, alert) else None, alert
    return LeftView(recorded=item, place=at) if await left_view(context, [item]) else None, None


async def _counts(
    context: Context, wanted: AlertFilter, figures: Callable[[counts.AlertCounts], object]
) -> AsyncGenerator[counts.AlertCounts, None]:
    course = context.course or Course()
    if course.follows_nothing:
        await one_word(context, None)
    elif course.is_shared:
        async with aclosing(_counted(context, wanted, hub_of(context), figures=figures)) as found:
            async for one in found:
                yield one
    else:
        async with (
            following(context) as (hub, watched, ending),
            aclosing(_counted(context, wanted, hub, figures=figures, watched=watched)) as stream,
        ):
            async for one in ending.each_of(stream):
                yield one


async def _counted(
    context: Context,
    wanted: AlertFilter,
    hub: Hub,
    *,
    figures: Callable[[counts.AlertCounts], object],
    watched: "Watched | None" = None,
) -> AsyncGenerator[counts.AlertCounts, None]:
    """The counts, and again when one has changed that the client sees."""
    place: Cursor | None = None
    sight_changes = 0
    told: object = None
    while True:
        place, sight_changes = await hub.news_since(place, sight_changes)
        context.viewer = watched.viewer if watched else context.viewer
        context.renew()
        found, place = await patiently(partial(_shared_count, context, wanted, place))
        if (shown := figures(found)) != told:
            yield found
            told = shown


async def _shared_count(context: Context, wanted: AlertFilter, place: Cursor) -> tuple[counts.AlertCounts, Cursor]:
    """Counted once for all who watch the same, at most once a second."""
    hub, sight = hub_of(context), context.require_viewer().sight
    return await hub.shared_counts.counts(
        (wanted, sight), place, now_at=lambda: hub.place, read=partial(_count, context, wanted)
    )


async def _count(context: Context, wanted: AlertFilter) -> counts.AlertCounts:
    async with context.read() as connection:
        return await read_counts(connection, wanted=wanted, sight=context.require_viewer().sight)
