"""How does the log start, pause and end escalations? Each run's alerts are looked at as they are now.

A run given twice comes to the same, so the place moves in a transaction of its own, after. The steps that are due by it
are fired at once, and whoever sends is told: the first page of a new problem waits for no tick.
"""

import asyncpg
import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.ports import Clock
from jobs.consumers.contract import RUN_EVENTS, Move, Run
from jobs.due import SENDING
from jobs.hints import Hints
from jobs.paging import page
from persistence.calling import alerts_to_look_at, worsened_among
from persistence.escalations import reconcile
from persistence.flapping_notices import tell_of_flapping
from persistence.released import release_held
from persistence.routing_run import route
from tocsin.settings import Settings

_log = structlog.get_logger(__name__)


class EscalationConsumer:
    """Sets escalation policies to work."""

    name = "escalations"
    reads_lines = False
    most_events = RUN_EVENTS
    rest_seconds = 0.05
    patience_seconds = 0.0

    def __init__(
        self,
        settings: Settings,
        engine: AsyncEngine,
        pool: asyncpg.Pool,
        *,
        clock: Clock,
        hints: Hints | None = None,
    ) -> None:
        self._settings, self._engine, self._pool, self._clock = settings, engine, pool, clock
        # A look is a statement: with no transaction around it, one round trip and not three.
        self._looks = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._hints = hints

    async def consume(self, run: Run, move: Move) -> None:
        """Reconcile, move, and page."""
        async with self._looks.connect() as connection:
            alert_ids = await alerts_to_look_at(connection, before=run.before, end=run.end)
            worsened = await worsened_among(connection, alert_ids, before=run.before, end=run.end)
        can_fire = 0
        if alert_ids:
            async with self._engine.begin() as connection:
                now = self._clock.now()
                can_fire = await reconcile(connection, alert_ids, now=now)
                can_fire += await tell_of_flapping(connection, alert_ids, now=now)
            async with self._engine.begin() as connection:
                routed = await route(connection, alert_ids, worsened=worsened, now=now)
                if routed:
                    # What a rule set to work for alerts of a group is one escalation for all of them.
                    can_fire += routed + await reconcile(connection, alert_ids, now=now)
                can_fire += await release_held(connection, worsened, now=now)
        async with self._pool.acquire() as place:
            await move(place)
        if can_fire:
            done = await page(self._engine, self._settings, self._clock.now())
            if done and self._hints is not None:
                await self._hints.give(SENDING)
