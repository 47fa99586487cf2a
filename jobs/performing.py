"""How is a piece of due work done in a process? So many at once, so long at most, counted, its failures written down.

Each kind has places of its own: one that hangs holds its own places and no others. A hint that finds them taken is not
lost: who is at work goes over it once more.
"""

import asyncio
from collections import Counter

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.ports import Clock
from jobs.due import Due
from jobs.operations import Operations
from persistence.due_marks import note_failure, note_well
from tocsin.settings import Settings

_log = structlog.get_logger(__name__)


class Performer:
    """Does due work on one loop."""

    def __init__(self, settings: Settings, *, clock: Clock, operations: Operations) -> None:
        self._settings, self._clock, self._operations = settings, clock, operations
        self._running: Counter[str] = Counter()
        self._again: set[str] = set()
        # What went well here since it last failed: only the first time needs to be written down.
        self._well: set[str] = set()

    async def perform(self, due: Due, engine: AsyncEngine) -> int:
        """Do it, and once more for a hint that came meanwhile; how much was done. Raises what went wrong."""
        if self._running[due.name] >= due.places:
            self._again.add(due.name)
            return 0
        self._running[due.name] += 1
        done = 0
        try:
            while True:
                self._again.discard(due.name)
                done += await self._once(due, engine)
                if due.name not in self._again:
                    return done
        finally:
            self._running[due.name] -= 1

    async def _once(self, due: Due, engine: AsyncEngine) -> int:
        limit = asyncio.timeout(due.limit.total_seconds())
        try:
            with self._operations.working(due.name):
                async with limit:
                    done = await due.perform(engine, self._settings, self._clock.now())
        except Exception as error:
            problem = f"not done within {due.limit}" if limit.expired() else type(error).__name__
            await self._failed(due, engine, problem, error)
            raise
        if due.name not in self._well:
            await note_well(engine, due.name)
            self._well.add(due.name)
        self._operations.work_done.labels(due.name).inc(done)
        if done:
            _log.info("due work done", work=due.name, count=done)
        return done

    async def _failed(self, due: Due, engine: AsyncEngine, problem: str, error: Exception) -> None:
        """Write the kind of the problem down, never its text: that may hold what is nobody's business."""
        self._well.discard(due.name)
        _log.error("due work failed", work=due.name, problem=problem, exc_info=error)
        try:
            await note_failure(engine, due.name, problem)
        except (OSError, sa.exc.SQLAlchemyError):
            _log.warning("the failure could not be written down", work=due.name)
