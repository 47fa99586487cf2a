"""How do events reach the subscriptions of this process? What the log brings is put before each of its followers.

log_tail.py keeps up with the log; a follower who comes back with a cursor reads the log up to there by itself.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog

from domain.alerts.cursor import Cursor, LogState, StreamReset, StreamResetReason, why_reset
from domain.alerts.events import RecordedEvent
from domain.alerts.filter import AlertFilter
from domain.alerts.sieve import Known, Possible, possible_of
from graphql_api.live.inbox import MOST_WAITING, Inbox
from graphql_api.live.log_tail import PAGE, LogTail, place_after
from graphql_api.live.overtaken import LATE, Overtaken
from graphql_api.live.patience import patiently
from graphql_api.live.shared_counts import SharedCounts
from graphql_api.live.upcoming import Upcoming
from persistence.event_log import LogReader
from persistence.tasks import end_tasks
from tocsin.settings import Settings

_log = structlog.get_logger(__name__)
# How often it is looked whether followers are told late.
WATCH_SECONDS = 15.0
# A resumed stream begins at most this far back: an older client reads the lists anew.
REPLAY_WINDOW = timedelta(days=7)
# A place whose event is older may soon be too old to resume at, though nothing has happened since.
AGED = timedelta(days=1)


class Hub:
    """The process's place in the log, and everybody who follows from it."""

    def __init__(self, settings: Settings, *, most_waiting: int = MOST_WAITING) -> None:
        self.tail = LogTail(settings, self)
        self._most_waiting = most_waiting
        self._inboxes: set[Inbox] = set()
        # What waits for each group, which follows for others.
        self._waiting: set[Upcoming] = set()
        self._watching: asyncio.Task[None] | None = None
        # Who takes from a group's run.
        self._in_groups = 0
        self.shared_counts = SharedCounts()
        # Called when others may see something else than before, though they are who they were.
        self.sight_listeners: set[Callable[[], None]] = set()

    @property
    def subscribers(self) -> int:
        """How many follow."""
        return len(self._inboxes) - len(self._waiting) + self._in_groups

    def place_of(self, event: RecordedEvent) -> Cursor:
        """The cursor of an event of this log."""
        return place_after(event, self.place)

    @contextlib.contextmanager
    def counting_one(self) -> Iterator[None]:
        """One that follows through a group."""
        self._in_groups += 1
        try:
            yield
        finally:
            self._in_groups -= 1

    def tell_sight_changed(self) -> None:
        """A team may have become private: what was made of its alerts must not be told again, and counts are others."""
        self.shared_counts.sight_changes += 1
        for listen in list(self.sight_listeners):
            listen()
        self.tail.wake()

    async def ready(self) -> None:
        """Wait until the log was read for the first time."""
        await self.tail.ready()

    @property
    def place(self) -> Cursor:
        """Where in the log this process is, once it is ready."""
        return self.tail.place

    @property
    def reader(self) -> LogReader:
        """The log."""
        return self.tail.reader

    async def state(self) -> LogState:
        """Where the log is now, however long the database is away."""
        return await self.tail.state()

    async def place_for_lists(self) -> Cursor:
        """Where lists can be followed from that are read from now on: all that happened up to there is in them.

        What this process has not read yet is told again, which is no loss. The place is taken before anything is
        waited for; its time is that of what comes next, or now: a quiet week makes no cursor too old. A list whose
        database is away is not waited for, nor is its place.
        """
        place = self.tail.known_place
        if place is None:
            message = "the log was not read yet"
            raise ConnectionError(message)
        if datetime.now(tz=UTC) - place.recorded_at < AGED:
            return place
        now = (await self.reader.state()).now
        following, _ = await self.reader.reach(place, limit=1)
        return replace(place, recorded_at=now if following is None else following.recorded_at)

    async def start(self) -> None:
        """Begin to follow. Stores that are down are waited for in the background."""
        await self.tail.start()
        self._watching = asyncio.create_task(self._watch(), name="live lag")

    async def close(self) -> None:
        """Stop; whoever follows is left waiting, for the server to end."""
        if self._watching is not None:
            await end_tasks([self._watching])
        await self.tail.close()

    @property
    def seconds_followers_wait(self) -> float:
        """How much older than the newest event the oldest one is that no group's followers were told of yet."""
        newest = self.tail.known_place
        oldest = [event.recorded_at for waiting in self._waiting if (event := waiting.oldest) is not None]
        if newest is None or not oldest:
            return 0.0
        return max(0.0, (newest.recorded_at - min(oldest)).total_seconds())

    async def _watch(self) -> None:
        """Say so in the log when followers are told late."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            if (seconds := self.seconds_followers_wait) > LATE.total_seconds():
                _log.warning("followers are told late", seconds=round(seconds, 1), followers=self.subscribers)

    # -- what the log brings ---------------------------------------------------------------------------------------

    def may_want(self, possible: Possible) -> bool:
        """Whether events of such alerts may be for anybody."""
        return any(inbox.may_want(possible) for inbox in self._inboxes)

    def pass_over(self, place: Cursor) -> None:
        """Up to there is nothing for anybody."""
        for inbox in self._inboxes:
            inbox.pass_to(place)

    def receive(self, events: Sequence[tuple[RecordedEvent, Known | None]]) -> None:
        """Put the events before each follower that may want them."""
        for event, known in events:
            possible, place = possible_of(event.event, known), self.place_of(event)
            for inbox in self._inboxes:
                if inbox.may_want(possible):
                    inbox.put(event)
                else:
                    inbox.pass_to(place)

    def begin_anew(self, head: Cursor) -> None:
        """A restored log ends every stream: its events have other, maybe smaller places."""
        for inbox in list(self._inboxes):
            inbox.end(StreamReset(reason=StreamResetReason.LOG_RESTORED, resume_after=head))

    # -- following -------------------------------------------------------------------------------------------------

    async def follow(
        self, after: Cursor | None, *, window: timedelta | None = REPLAY_WINDOW, upcoming: Upcoming | None = None
    ) -> AsyncGenerator[RecordedEvent | StreamReset, None]:
        """Every event after the cursor (or from now on), once and in order; a StreamReset is the last item.

        Attach first, replay from the log second, then take what arrived meanwhile and skip what was replayed: so there
        is no gap between the two.
        """
        await self.ready()
        state = await self.state()
        if after is not None:
            reason = why_reset(after, state, window=window)
            if reason is not None:
                yield StreamReset(reason=reason, resume_after=state.head)
                return
        # "Now" is the log's head: this process may be a moment behind it.
        place = after or state.head
        upcoming = upcoming or Upcoming()
        while True:
            with self._attached(upcoming.wanted) as inbox:
                while place.position < inbox.attached_at.position:
                    page = await patiently(partial(self.reader.read_after, place, limit=PAGE))
                    upcoming.begin_page(page)
                    for event in page:
                        upcoming.given()
                        place = place_after(event, place)
                        yield event
                    if not page:
                        break
                if inbox.overflowed:
                    continue  # the replay took long; what the inbox dropped is replayed as well
                upcoming.begin_inbox(inbox)
                while (arrived := await inbox.take()) is not None:
                    if arrived.position > place.position:
                        place = place_after(arrived, place)
                        yield arrived
                # Where a reader who was too slow goes on without a gap; after a restore there is only the new head.
                slow = StreamReset(reason=StreamResetReason.SLOW_CONSUMER, resume_after=inbox.further(place))
                yield inbox.reset or slow
                return

    async def follow_on(
        self, place: Cursor, *, upcoming: Upcoming | None = None
    ) -> AsyncGenerator[RecordedEvent | StreamReset, None]:
        """Every event after the place, for many: when they come too fast, the log is read instead of giving up.

        Who is told so late that it is of no use begins anew at the head.
        """
        upcoming, overtaken = upcoming or Upcoming(), Overtaken(asyncio.get_running_loop().time)
        while True:
            with self._for_others(upcoming):
                # A place of this process is never too old: nothing may have happened for longer than the window.
                async with contextlib.aclosing(self.follow(place, window=None, upcoming=upcoming)) as stream:
                    async for item in stream:
                        if isinstance(item, RecordedEvent):
                            if overtaken.is_at(item.recorded_at, self.place.recorded_at):
                                _log.warning("followers were overtaken and begin anew", at=item.recorded_at.isoformat())
                                yield StreamReset(reason=StreamResetReason.OVERTAKEN, resume_after=self.place)
                                return
                            yield item
                            if upcoming.is_empty:
                                overtaken.in_time()
                        elif item.reason is StreamResetReason.SLOW_CONSUMER:
                            place = item.resume_after
                        else:
                            yield item
                            return

    @contextlib.contextmanager
    def _for_others(self, upcoming: Upcoming) -> Iterator[None]:
        self._waiting.add(upcoming)
        try:
            yield
        finally:
            self._waiting.discard(upcoming)

    async def news_since(self, known: Cursor | None, sight_changes: int) -> tuple[Cursor, int]:
        """Wait until the log has gone on from `known`, or sight has changed; where both are. For who counts anew."""
        await self.tail.news_since(known, unless=lambda: self.shared_counts.sight_changes != sight_changes)
        return self.place, self.shared_counts.sight_changes

    @contextlib.contextmanager
    def _attached(self, wanted: AlertFilter | None) -> Iterator[Inbox]:
        inbox = Inbox(self.place, most=self._most_waiting, wanted=wanted)
        self._inboxes.add(inbox)
        try:
            yield inbox
        finally:
            self._inboxes.discard(inbox)
