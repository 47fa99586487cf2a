"""Which jobs does a worker know? One actor for each kind of due work."""

import asyncio
from typing import TYPE_CHECKING, Any

import dramatiq
import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.ports import Clock
from jobs.due import DUE, Due
from jobs.operations import Operations
from persistence.due_marks import mark_begun
from persistence.engine import create_engine
from tocsin.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

_log = structlog.get_logger(__name__)
QUEUE = "due"


class Actors:
    """The actors of one broker, and the engine of the loop they run on (an engine belongs to one loop)."""

    def __init__(
        self, broker: dramatiq.Broker, settings: Settings, *, clock: Clock, operations: Operations | None = None
    ) -> None:
        self._settings, self._clock = settings, clock
        self._operations = operations or Operations()
        self._engine: AsyncEngine | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.by_name: Mapping[str, dramatiq.Actor[Any, Any]] = {due.name: self._declare(due, broker) for due in DUE}

    def _declare(self, due: Due, broker: dramatiq.Broker) -> dramatiq.Actor[Any, Any]:
        async def perform() -> None:
            # Before the work, not after it: the scheduler waits five seconds for a sign, and some work takes minutes.
            await mark_begun(self._own_engine(), due.name)
            with self._operations.working(due.name):
                done = await due.perform(self._own_engine(), self._settings, self._clock.now())
            self._operations.work_done.labels(due.name).inc(done)
            if done:
                _log.info("due work done", work=due.name, count=done)

        return dramatiq.actor(actor_name=due.name, queue_name=QUEUE, broker=broker)(perform)

    def _own_engine(self) -> AsyncEngine:
        if self._engine is None or self._loop is not asyncio.get_running_loop():
            self._engine, self._loop = create_engine(self._settings, pool_size=2), asyncio.get_running_loop()
        return self._engine

    def close(self) -> None:
        """Let the connections go, on the loop they belong to."""
        if self._engine is not None and self._loop is not None and self._loop.is_running():
            asyncio.run_coroutine_threadsafe(self._engine.dispose(), self._loop).result(timeout=5)
