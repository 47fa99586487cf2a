"""Which jobs does a worker know? One actor for each kind of due work, in the queue of its hurry."""

import asyncio
from typing import TYPE_CHECKING, Any

import dramatiq
import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.ports import Clock
from jobs.broker import DUE as DUE_QUEUE
from jobs.broker import SLOW, URGENT
from jobs.due import DUE, Due, Hurry
from jobs.operations import Operations
from jobs.performing import Performer
from persistence.due_marks import mark_begun
from persistence.engine import create_engine
from tocsin.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jobs.hints import Hints

_log = structlog.get_logger(__name__)
QUEUE_OF = {Hurry.URGENT: URGENT, Hurry.DUE: DUE_QUEUE, Hurry.SLOW: SLOW}
# What reaches people has connections of its own: it never waits for one that a purge holds.
POOLS = {Hurry.URGENT: 6, Hurry.DUE: 4, Hurry.SLOW: 2}
# dramatiq's own limit is for what does not end when asked to.
LAST_RESORT_MS = 60_000


class Actors:
    """The actors of one broker, and the engines of the loop they run on (an engine belongs to one loop)."""

    def __init__(
        self,
        broker: dramatiq.Broker,
        settings: Settings,
        *,
        clock: Clock,
        operations: Operations | None = None,
        works: "Sequence[Due]" = DUE,
    ) -> None:
        self._settings = settings
        self._performer = Performer(settings, clock=clock, operations=operations or Operations())
        self._engines: dict[Hurry, AsyncEngine] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        # Who says what is to follow; a process that only hints needs none.
        self.hints: Hints | None = None
        self.by_name: Mapping[str, dramatiq.Actor[Any, Any]] = {due.name: self._declare(due, broker) for due in works}

    def _declare(self, due: Due, broker: dramatiq.Broker) -> dramatiq.Actor[Any, Any]:
        async def perform() -> None:
            engine = self.engine(due.hurry)
            try:
                # Before the work, not after it: the scheduler waits five seconds for a sign, and some work takes
                # minutes.
                await mark_begun(engine, due.name)
                done = await self._performer.perform(due, engine)
            except Exception:  # noqa: BLE001 - it is logged and written down, and the next hint tries again
                return
            if done and self.hints is not None:
                await self.hints.give(due.followed_by)

        return dramatiq.actor(
            actor_name=due.name,
            queue_name=QUEUE_OF[due.hurry],
            broker=broker,
            # In the queue of a worker's own, which all of its threads take from.
            priority=due.hurry.value,
            time_limit=due.limit.total_seconds() * 1000 + LAST_RESORT_MS,
        )(perform)

    def engine(self, hurry: Hurry) -> AsyncEngine:
        """The connections for work of this hurry, on the loop that asks."""
        if self._loop is not asyncio.get_running_loop():
            self._engines, self._loop = {}, asyncio.get_running_loop()
        if hurry not in self._engines:
            self._engines[hurry] = create_engine(self._settings, pool_size=POOLS[hurry])
        return self._engines[hurry]

    def close(self) -> None:
        """Let the connections go, on the loop they belong to."""
        if self._loop is None or not self._loop.is_running():
            return
        for engine in self._engines.values():
            asyncio.run_coroutine_threadsafe(engine.dispose(), self._loop).result(timeout=5)


class ConnectionsLast(dramatiq.Middleware):
    """Lets the connections go when the last job has ended, and not before: it would open new ones that nobody closes.

    Added after the loop's own, it comes before the loop's end.
    """

    def __init__(self, actors: Actors) -> None:
        self._actors = actors

    def after_worker_shutdown(self, broker: dramatiq.Broker, worker: dramatiq.Worker) -> None:  # noqa: ARG002 - its port
        """The worker has stopped, and its loop still runs."""
        self._actors.close()
