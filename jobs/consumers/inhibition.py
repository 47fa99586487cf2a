"""How do children follow their parents? Whoever opened, ended or changed its labels is looked at, with whom it holds.

An arriving child is held by a parent that stands as it is written (domain/inhibition/holding.py). This is for the other
half: a parent that comes after its children, and one that ends, by whomever.
"""

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.ports import Clock
from jobs.consumers.contract import RUN_EVENTS, Move, Run
from persistence.calling import inhibited_to_look_at
from persistence.inhibition_marks import follow


class InhibitionConsumer:
    """Sets marks of inhibition and takes them away. A run given twice comes to the same."""

    name = "inhibition"
    reads_lines = False
    most_events = RUN_EVENTS
    rest_seconds = 0.05
    patience_seconds = 0.0

    def __init__(self, engine: AsyncEngine, pool: asyncpg.Pool, *, clock: Clock) -> None:
        self._engine, self._pool, self._clock = engine, pool, clock
        # A look is a statement: with no transaction around it, one round trip and not three.
        self._looks = engine.execution_options(isolation_level="AUTOCOMMIT")

    async def consume(self, run: Run, move: Move) -> None:
        """Look at the run's alerts, then move."""
        async with self._looks.connect() as connection:
            alert_ids = await inhibited_to_look_at(connection, before=run.before, end=run.end)
        if alert_ids:
            await follow(self._engine, alert_ids, now=self._clock.now())
        async with self._pool.acquire() as place:
            await move(place)
