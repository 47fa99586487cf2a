"""How does a process know at once that somebody else is on call? It works out when that next changes, and waits for it.

A handoff comes by the clock, so nobody writes it: the feed sleeps until the next one. An override, an edit or an end is
told by a notice of PostgreSQL, a hint only: without it the feed looks again within half a minute. It works out all
schedules once, for everybody who follows, and only while somebody does. What is told is a state, not a log: who was
slow is told what is true now, and nothing that was true meanwhile.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TypeAlias
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.alerts.visibility import EVERYTHING
from domain.ports import Clock
from domain.schedules.final import final_schedule
from domain.schedules.model import Shift, Span
from persistence.backoff import Backoff
from persistence.listen import Listener
from persistence.schedules import ON_CALL_CHANNEL, list_schedules, plans_of
from persistence.tasks import end_tasks

_log = structlog.get_logger(__name__)
# A lost notice costs this long.
LOOK = timedelta(seconds=30)
# How far ahead the next handoff is looked for. It is looked for again before that.
AHEAD = timedelta(hours=1)
# The clock is asked so often: it may be moved.
TICK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Duty:
    """Who is on call by a schedule, and for what reason."""

    user_id: UUID
    layer_id: UUID | None
    override_id: UUID | None

    @classmethod
    def of(cls, shift: Shift) -> "Duty":
        """The shift's."""
        return cls(shift.user_id, shift.layer_id, shift.override_id)


Duties: TypeAlias = Mapping[UUID, Duty | None]


@dataclass(frozen=True, slots=True)
class Watch:
    """Who was on call by every schedule at a moment."""

    at: datetime
    duties: Duties


class OnCallFeed:
    """The process's knowledge of who is on call, and who follows it."""

    def __init__(self, engine: AsyncEngine, dsn: str, clock: Clock) -> None:
        self._engine, self._dsn, self._clock = engine, dsn, clock
        self._wake, self._wanted, self._moved = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._followers = 0
        self._watch: Watch | None = None
        self._next_at: datetime | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin to listen. Nothing is worked out before somebody follows."""
        listener = Listener(self._dsn, ON_CALL_CHANNEL, self._wake.set)
        self._tasks = [
            asyncio.create_task(self._look_for_ever(), name="on-call feed"),
            asyncio.create_task(listener.run(), name="on-call listener"),
        ]

    async def close(self) -> None:
        """Stop; whoever follows is left waiting, for the server to end."""
        await end_tasks(self._tasks)

    async def follow(self) -> AsyncGenerator[Watch, None]:
        """Who is on call now, and again whenever that is another, by whichever schedule."""
        self._followers += 1
        if self._followers == 1:
            self._watch = None  # what was known before may be old
            self._wake.set()
        self._wanted.set()
        try:
            told: Watch | None = None
            while True:
                if self._watch is None or self._watch is told:
                    await self._moved.wait()
                    continue
                told = self._watch
                yield told
        finally:
            self._followers -= 1
            if not self._followers:
                self._wanted.clear()

    async def _look_for_ever(self) -> None:
        backoff = Backoff()
        while True:
            await self._wanted.wait()
            self._wake.clear()
            try:
                await self._look()
                backoff.reset()
            except (OSError, TimeoutError, SQLAlchemyError) as error:
                _log.warning("who is on call waits for the database", error=repr(error))
                await backoff.wait()
                continue
            await self._wait()

    async def _wait(self) -> None:
        """Until a notice, or the moment at which somebody else is on call."""
        looked_at = self._clock.now()
        until = min(self._next_at or looked_at + LOOK, looked_at + LOOK)
        while self._wanted.is_set() and not self._wake.is_set() and (now := self._clock.now()) < until:
            seconds = min(TICK_SECONDS, (until - now).total_seconds())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.001, seconds)):
                    await self._wake.wait()

    async def _look(self) -> None:
        now = self._clock.now()
        span = Span(now, now + AHEAD)
        async with self._engine.connect() as connection:
            ids = [one.id for one in await list_schedules(connection, sight=EVERYTHING)]
            plans = await plans_of(connection, ids, span)
        duties: dict[UUID, Duty | None] = {}
        following = span.ends_at
        for schedule_id in ids:
            shifts = final_schedule(*plans[schedule_id], span).shifts
            current = shifts[0] if shifts and shifts[0].starts_at <= now else None
            duties[schedule_id] = None if current is None else Duty.of(current)
            edges = [edge for shift in shifts for edge in (shift.starts_at, shift.ends_at) if edge > now]
            following = min(following, *edges) if edges else following
        self._next_at = following
        if self._watch is None or self._watch.duties != duties:
            self._watch = Watch(now, MappingProxyType(duties))
            moved, self._moved = self._moved, asyncio.Event()
            moved.set()
