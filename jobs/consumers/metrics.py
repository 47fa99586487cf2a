"""How do the numbers of a dashboard stay current? Each run of the log is added to the minutes it belongs to."""

import asyncpg

from jobs.consumers.contract import Move, Run
from persistence.metrics_store import add_run


class MetricsConsumer:
    """Adds to alert_metrics. The numbers and the place commit together, so no event is counted twice."""

    name = "metrics"
    reads_events = False
    # The numbers of a minute.
    rest_seconds = 0.2

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def consume(self, run: Run, move: Move) -> None:
        """Add the run and move, in one transaction."""
        async with self._pool.acquire() as connection, connection.transaction():
            # First: whoever lost the lease fails here and adds nothing.
            await move(connection)
            await add_run(connection, before=run.before, end=run.end)
