"""How do the numbers of a dashboard stay current? Each run of the log is added to the minutes it belongs to.

Behind each run the counts of alerts are folded (persistence/alert_counts.py). They are exact without it; this keeps
what has to be read of them short.
"""

import time

import asyncpg
import structlog

from jobs.consumers.contract import RUN_EVENTS, Move, Run
from persistence.alert_counts import fold_counts
from persistence.metrics_store import add_run
from persistence.relay_cursors import METRICS_CONSUMER

_log = structlog.get_logger(__name__)
FOLD_SECONDS = 1.0


class MetricsConsumer:
    """Adds to alert_metrics. The numbers and the place commit together, so no event is counted twice."""

    name = METRICS_CONSUMER
    reads_lines = False
    # It reads none of them itself; what comes in while it rests is one statement, in a storm too.
    most_events = 4 * RUN_EVENTS
    # The numbers of a minute.
    rest_seconds = 0.2
    patience_seconds = 0.0

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._folded_at = 0.0

    async def consume(self, run: Run, move: Move) -> None:
        """Add the run and move, in one transaction; then fold, at most once a second."""
        async with self._pool.acquire() as connection, connection.transaction():
            # First: whoever lost the lease fails here and adds nothing.
            await move(connection)
            await add_run(connection, before=run.before, end=run.end)
        if time.monotonic() - self._folded_at >= FOLD_SECONDS:
            await self._fold()

    async def _fold(self) -> None:
        """A fold that fails is no failure of the run: the next one takes its lines too."""
        self._folded_at = time.monotonic()
        try:
            async with self._pool.acquire() as connection:
                await fold_counts(connection)
        except asyncpg.PostgresError as error:
            _log.warning("counts are not folded this time", error=repr(error))
