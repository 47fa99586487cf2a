"""How does this process keep up with the log? One reader follows it and hands on each event once, in order.

It reads the live stream, where each message says from where in the log it reaches. When a message is missing (a trim,
a restart of Redis, no Redis at all), when the stream is silent although something was written, and every now and then,
it reads the log itself. What is not newer than its place is dropped, so nobody sees an event twice or out of order.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Protocol

import structlog
from broadcaster import Broadcast

from domain.alerts.cursor import Cursor, LogState, is_of_log
from domain.alerts.events import RecordedEvent
from domain.alerts.sieve import ANYTHING, Known, Possible
from graphql_api.live.patience import STORE_TROUBLE, patiently
from persistence.backoff import Backoff
from persistence.direct import open_log_pool
from persistence.event_log import EVENTS_CHANNEL, LogReader
from persistence.listen import Listener
from persistence.shared_lookup import SharedLookup
from persistence.stream import EVENTS_STREAM, RedisStreamBackend
from persistence.stream_message import decode_message, decode_span
from persistence.tasks import end_tasks
from tocsin.settings import Settings

_log = structlog.get_logger(__name__)
PAGE = 500
# Few: a thousand sockets that resume at once take turns here.
LOG_CONNECTIONS = 3
# How long the stream may take for what PostgreSQL says was written, before the log is read instead.
STREAM_GRACE_SECONDS = 0.5
# Without Redis a lost notice costs this long.
POLL_SECONDS = 0.25
# With it, a message that vanished without a successor to tell is found this late.
AUDIT_SECONDS = 2.0


def place_after(event: RecordedEvent, place: Cursor) -> Cursor:
    """The place of an event that comes after this one, in the same log."""
    return Cursor(epoch=place.epoch, position=event.position, recorded_at=event.recorded_at)


class _States(SharedLookup[None, LogState]):
    """Where the log is, for all who ask at once."""

    def __init__(self, reader: LogReader) -> None:
        super().__init__()
        self._reader = reader

    async def look_up(self, keys: list[None]) -> dict[None, LogState]:
        """One statement, now."""
        return dict.fromkeys(keys, await self._reader.state())


class Audience(Protocol):
    """Who is told of what the log brings."""

    def may_want(self, possible: Possible) -> bool:
        """Whether events of such alerts may be for anybody: else they need not be decoded."""
        ...

    def pass_over(self, place: Cursor) -> None:
        """There is nothing for anybody up to there."""
        ...

    def receive(self, events: Sequence[tuple[RecordedEvent, Known | None]]) -> None:
        """New events, in order, with what is known of their alerts."""
        ...

    def begin_anew(self, head: Cursor) -> None:
        """The log was replaced by another, whose head this is."""
        ...


class LogTail:
    """The process's place in the log."""

    def __init__(self, settings: Settings, audience: Audience) -> None:
        self._settings = settings
        self._audience = audience
        # As they came: what is decoded of them depends on who follows when they are taken.
        self._messages: deque[str] = deque()
        self._wake = asyncio.Event()
        self._ready = asyncio.Event()
        self._known_place: Cursor | None = None
        # When something was written that the stream has not brought yet.
        self._hinted_at: float | None = None
        self._moved = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._stack = contextlib.AsyncExitStack()
        self._stream: RedisStreamBackend | None = None
        self._reader: LogReader | None = None

    async def ready(self) -> None:
        """Wait until the log was read for the first time."""
        await self._ready.wait()

    @property
    def reader(self) -> LogReader:
        """The log."""
        assert self._reader is not None, "it was not started"  # noqa: S101 - for the type checker
        return self._reader

    async def state(self) -> LogState:
        """Where the log is now, however long the database is away; thousands may come at once and ask."""
        state = await patiently(partial(self._states.find, None))
        assert state is not None  # noqa: S101 - for the type checker
        return state

    @property
    def known_place(self) -> Cursor | None:
        """The same, None before."""
        return self._known_place

    @property
    def place(self) -> Cursor:
        """Where in the log this process is; known once it is ready."""
        assert self._known_place is not None, "the log was not read yet"  # noqa: S101 - for the type checker
        return self._known_place

    async def start(self) -> None:
        """Begin to follow. Stores that are down are waited for in the background."""
        pool = await open_log_pool(self._settings, size=LOG_CONNECTIONS, name="tocsin live")
        self._stack.callback(pool.terminate)
        self._reader = LogReader(pool)
        self._states = _States(self._reader)
        if self._settings.redis_url is not None:
            self._stream = RedisStreamBackend(self._settings.redis_url)
            broadcast = await self._stack.enter_async_context(Broadcast(backend=self._stream))
            self._spawn(self._read_stream(broadcast), "live stream")
        self._spawn(Listener(self._settings.database_dsn, EVENTS_CHANNEL, self._hint).run(), "live listener")
        self._spawn(self._run(), "live log")

    def _spawn(self, work: Coroutine[object, object, None], name: str) -> None:
        self._tasks.append(asyncio.create_task(work, name=name))

    async def close(self) -> None:
        """Stop."""
        await end_tasks(self._tasks)
        await self._stack.aclose()

    async def news_since(self, known: Cursor | None, *, unless: Callable[[], bool]) -> None:
        """Wait until the log has gone on from `known`; `unless` is asked whenever somebody calls `wake`."""
        await self._ready.wait()
        while known is not None and known == self.place and not unless():
            await self._moved.wait()

    def wake(self) -> None:
        """Let those who wait for news look."""
        self._tell_moved()

    # -- reading ---------------------------------------------------------------------------------------------------

    def _hint(self) -> None:
        """PostgreSQL says that something was written."""
        if self._hinted_at is None:
            self._hinted_at = asyncio.get_running_loop().time()
        self._wake.set()

    async def _read_stream(self, broadcast: Broadcast) -> None:
        # Bounded: the backend lets a message in for each that _take_messages has dealt with.
        async with broadcast.subscribe(EVENTS_STREAM) as subscriber:
            while True:
                self._messages.append((await subscriber.get()).message)
                self._wake.set()

    async def _run(self) -> None:
        backoff = Backoff()
        while True:
            try:
                if self._known_place is None:
                    self._known_place = (await self.reader.state()).head
                    self._ready.set()
                await self._wait()
                await self._advance()
                backoff.reset()
            except STORE_TROUBLE as error:
                _log.warning("live events wait for the database", error=repr(error))
                await backoff.wait()

    async def _wait(self) -> None:
        """Until there is a message, or the log should be looked at."""
        now = asyncio.get_running_loop().time()
        seconds = AUDIT_SECONDS if self._is_stream_up else POLL_SECONDS
        if self._hinted_at is not None:
            grace = STREAM_GRACE_SECONDS if self._is_stream_up else 0.0
            seconds = min(seconds, max(0.0, self._hinted_at + grace - now))
        if not self._messages and seconds:
            # Not wait_for(): woken and cancelled in one moment, it forgets that it was cancelled.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._wake.wait()
        self._wake.clear()

    @property
    def _is_stream_up(self) -> bool:
        return self._stream is not None and self._stream.is_connected

    async def _advance(self) -> None:
        if self._messages:
            self._hinted_at = None
            await self._take_messages()
            return
        now = asyncio.get_running_loop().time()
        grace = STREAM_GRACE_SECONDS if self._is_stream_up else 0.0
        if self._hinted_at is not None and now < self._hinted_at + grace:
            return
        self._hinted_at = None
        if not await self._catch_up():
            await self._check_log(await self.reader.state())

    async def _take_messages(self) -> None:
        while self._messages:
            text = self._messages.popleft()
            if self._stream is not None:
                self._stream.done_with_one()
            await self._take_message(text)

    async def _take(self, text: str) -> None:
        message = decode_message(text)
        if message is None or message.epoch != self.place.epoch:
            await self._check_log(await self.reader.state())
            await self._catch_up()
        elif message.after <= self.place.position:
            return
        elif message.events is None or message.before > self.place.position:
            await self._catch_up()
        else:
            self._deliver(message.events, message.known)

    async def _take_message(self, text: str) -> None:
        """Where it is for nobody, only the place moves: a flood of posts is mostly events that nobody asked for."""
        span = decode_span(text)
        if span is None or span.epoch != self.place.epoch or span.before > self.place.position:
            await self._take(text)
        elif span.after > self.place.position:
            if self._audience.may_want(span.possible):
                await self._take(text)
                return
            self._pass_over(span.end)

    async def _catch_up(self) -> bool:
        """Read the log up to its head; whether there was anything."""
        found = False
        while True:
            number = await self._read_page()
            found = found or bool(number)
            if number < PAGE:
                return found
            await asyncio.sleep(0)  # let the subscribers take some

    async def _read_page(self) -> int:
        """How many events come next in the log. Where nobody follows, only the place moves here, too."""
        if not self._audience.may_want(ANYTHING):
            reached, number = await self.reader.reach(self.place, limit=PAGE)
            # Who came meanwhile is at the place of before, and waits for the events themselves.
            if not self._audience.may_want(ANYTHING):
                if reached is not None:
                    self._pass_over(reached)
                return number
        page = await self.reader.read_after(self.place, limit=PAGE)
        self._deliver(page)
        return len(page)

    def _pass_over(self, place: Cursor) -> None:
        self._known_place = place
        self._audience.pass_over(place)
        self._tell_moved()

    async def _check_log(self, state: LogState) -> None:
        """A restored log, or one that lost its tail, ends every stream: its events have other, maybe smaller places."""
        if is_of_log(self.place, state):
            return
        _log.warning("the log was replaced; live streams begin anew")
        self._known_place = state.head
        self._tell_moved()
        self._audience.begin_anew(state.head)

    def _deliver(self, events: Sequence[RecordedEvent], known: Sequence[Known | None] | None = None) -> None:
        if not events:
            return
        new = []
        for event, of_alert in zip(events, known or [None] * len(events), strict=True):
            if event.position > self.place.position:
                self._known_place = place_after(event, self.place)
                new.append((event, of_alert))
        self._tell_moved()
        self._audience.receive(new)

    def _tell_moved(self) -> None:
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()
