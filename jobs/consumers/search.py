"""How does the search index follow the log? The alerts of each run are written as they are now.

Not as the events tell them: a state read late is newer, never wrong, and a run given twice writes the same documents.
While Elasticsearch is down the consumer stays where it is. Without an index it builds one first.
"""

import asyncpg
import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from jobs.consumers.contract import Move, Run
from jobs.operations import Operations
from persistence.relay_cursors import SEARCH_CONSUMER
from persistence.search.index import AlertIndex, IndexMissing
from persistence.search.reading import read_piece
from persistence.search.rebuild import rebuild

_log = structlog.get_logger(__name__)


class SearchConsumer:
    """Writes to Elasticsearch, then moves. A document that is refused for what it holds does not stop the rest."""

    name = SEARCH_CONSUMER
    reads_lines = False
    # What Elasticsearch makes durable at once is one wait for its disk.
    most_events = 2000
    # Soon enough for who types what they look for: Elasticsearch itself shows new documents once a second.
    rest_seconds = 0.5
    # A search that does not find the alerts of the last seconds of a storm is worth less than the storm's alerts.
    patience_seconds = 15.0

    def __init__(
        self, index: AlertIndex, engine: AsyncEngine, pool: asyncpg.Pool, *, operations: Operations | None = None
    ) -> None:
        self._index, self._engine, self._pool = index, engine, pool
        self._operations = operations or Operations()

    async def consume(self, run: Run, move: Move) -> None:
        """Write the run's alerts."""
        try:
            await self._write(run)
        except IndexMissing:
            _log.warning("the search index is missing and is built", alias=self._index.alias)
            done = await rebuild(self._engine, self._pool, self._index)
            _log.warning("the search index is built", alerts=done.written, seconds=round(done.seconds, 1))
            await self._write(run)
        async with self._pool.acquire() as connection, connection.transaction():
            await move(connection)

    async def _write(self, run: Run) -> None:
        refused = await self._index.write(await read_piece(self._pool, before=run.before, end=run.end))
        self._operations.refused_documents.inc(refused)
