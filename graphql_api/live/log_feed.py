"""How do changes of what seldom changes reach who follows them? From their log, by one place a process, read together.

Teams and alert rules have a log each. They change seldom, so nothing is carried to the processes: a notice of
PostgreSQL, or a look every two seconds, says that the log has gone on, and whoever follows reads from its own place up
to there. So nothing can be lost on the way.

A change of a role, of a membership or of a team's privacy changes what others may see. The sessions of all sockets are
read anew before the process's place moves past it: nobody is shown an event of a team as who they were before it.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

import structlog

from domain.alerts.cursor import Cursor, LogState, StreamReset, StreamResetReason, is_of_log, why_reset
from graphql_api.live.hub import REPLAY_WINDOW
from graphql_api.live.patience import STORE_TROUBLE, patiently
from persistence.backoff import Backoff
from persistence.direct import open_log_pool
from persistence.event_log import LogReader
from persistence.listen import Listener
from persistence.tasks import end_tasks
from tocsin.settings import Settings

if TYPE_CHECKING:
    import asyncpg

    from domain.alerts.events import LogPosition

_log = structlog.get_logger(__name__)
PAGE = 200
CONNECTIONS = 2
# A lost notice costs this long.
LOOK_SECONDS = 2.0
# After a notice: how long, and how often, an event may be waited for that another running transaction holds back.
HELD_BACK_SECONDS = 0.1
HELD_BACK_LOOKS = 50


class InLog(Protocol):
    """An event as its log holds it."""

    @property
    def position(self) -> "LogPosition":
        """Where it stands."""
        ...

    def place_after(self, before: Cursor) -> Cursor:
        """The place of a reader who has read it, and was at `before`."""
        ...


Recorded = TypeVar("Recorded", bound=InLog)


class ReadLog(Protocol[Recorded]):
    """How the log is read."""

    async def __call__(self, pool: "asyncpg.Pool", cursor: Cursor, *, limit: int) -> list[Recorded]:
        """The next events after the cursor, at most `limit`, in the order every reader sees them."""
        ...


class LogFeed(Generic[Recorded]):
    """The process's place in one log, and who follows it."""

    def __init__(
        self,
        settings: Settings,
        renew_viewers: Callable[[], Awaitable[None]],
        *,
        name: str,
        channel: str,
        read: ReadLog[Recorded],
    ) -> None:
        self._settings = settings
        self._renew_viewers = renew_viewers
        self._name, self._channel, self._read_log = name, channel, read
        self._wake = asyncio.Event()
        self._moved = asyncio.Event()
        self._ready = asyncio.Event()
        self._known_place: Cursor | None = None
        # Looks that are still to come soon, since a notice was heard and its event not seen yet.
        self._soon = 0
        # Who is at one place and goes to another reads together with all who do the same.
        self._reading: dict[tuple[LogPosition, LogPosition], asyncio.Task[list[Recorded]]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._pool: asyncpg.Pool | None = None

    async def start(self) -> None:
        """Begin to look. A database that is down is waited for in the background."""
        self._pool = await open_log_pool(self._settings, size=CONNECTIONS, name=f"tocsin {self._name}s")
        self._reader = LogReader(self._pool)
        listener = Listener(self._settings.database_dsn, self._channel, self._hint)
        self._tasks = [
            asyncio.create_task(self._look_for_ever(), name=f"{self._name} feed"),
            asyncio.create_task(listener.run(), name=f"{self._name} listener"),
        ]

    async def close(self) -> None:
        """Stop; whoever follows is left waiting, for the server to end."""
        await end_tasks([*self._tasks, *self._reading.values()])
        if self._pool is not None:
            self._pool.terminate()

    @property
    def _place(self) -> Cursor:
        assert self._known_place is not None, "the log was not read yet"  # noqa: S101 - for the type checker
        return self._known_place

    def _hint(self) -> None:
        self._soon = HELD_BACK_LOOKS
        self._wake.set()

    # -- following -------------------------------------------------------------------------------------------------

    async def follow(self, after: Cursor | None) -> AsyncGenerator[tuple[Recorded, Cursor] | StreamReset, None]:
        """Every event after the cursor, or from now on, once and in order, with its place; a StreamReset ends it."""
        await self._ready.wait()
        state = await patiently(self._reader.state)
        reason = None if after is None else why_reset(after, state, window=REPLAY_WINDOW)
        if reason is not None:
            yield StreamReset(reason=reason, resume_after=state.head)
            return
        place = after or state.head
        while True:
            known = self._place
            if known.epoch != place.epoch:
                yield StreamReset(reason=StreamResetReason.LOG_RESTORED, resume_after=known)
                return
            page = await patiently(partial(self._page_after, place, known))
            for event in page:
                # What lies further on is for later: the viewers were not read anew since.
                if event.position > known.position:
                    break
                place = event.place_after(place)
                yield event, place
            is_all = len(page) < PAGE or page[-1].position > known.position
            while is_all and self._place == known:
                await self._moved.wait()

    async def _page_after(self, place: Cursor, known: Cursor) -> list[Recorded]:
        """The next events. What is shared was asked after `known` was reached, so nothing up to there is missing."""
        key = place.position, known.position
        reading = self._reading.get(key)
        if reading is None:
            reading = self._reading[key] = asyncio.create_task(self._read(place))
            reading.add_done_callback(partial(self._has_read, key))
        return await asyncio.shield(reading)

    def _has_read(self, key: "tuple[LogPosition, LogPosition]", task: "asyncio.Task[list[Recorded]]") -> None:
        del self._reading[key]
        if not task.cancelled():
            task.exception()  # nobody may be left to hear of it

    async def _read(self, place: Cursor) -> list[Recorded]:
        assert self._pool is not None  # noqa: S101 - for the type checker: nobody follows before the start
        return await self._read_log(self._pool, place, limit=PAGE)

    # -- looking ---------------------------------------------------------------------------------------------------

    async def _look_for_ever(self) -> None:
        backoff = Backoff()
        while True:
            try:
                if self._known_place is None:
                    self._known_place = (await self._reader.state()).head
                    self._ready.set()
                await self._wait()
                await self._look()
                backoff.reset()
            except STORE_TROUBLE as error:
                _log.warning("changes wait for the database", log=self._name, error=repr(error))
                await backoff.wait()

    async def _wait(self) -> None:
        seconds = HELD_BACK_SECONDS if self._soon else LOOK_SECONDS
        self._soon = max(0, self._soon - 1)
        # Not wait_for(): woken and cancelled in one moment, it forgets that it was cancelled.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        self._wake.clear()

    async def _look(self) -> None:
        """Go on to the log's end, and let all viewers be read anew before anybody is told."""
        while page := await self._read(self._place):
            self._soon = 0
            await self._renew_viewers()
            self._go_to(page[-1].place_after(self._place))
        await self._check(await self._reader.state())

    async def _check(self, state: LogState) -> None:
        if not is_of_log(self._place, state):
            _log.warning("the log was replaced; its streams begin anew", log=self._name)
            self._go_to(state.head)

    def _go_to(self, place: Cursor) -> None:
        self._known_place = place
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()
