"""How do events reach the API processes? Published on the Redis stream that every hub reads."""

import asyncpg

from jobs.consumers.contract import RUN_EVENTS, Move, Run
from persistence.stream import EVENTS_STREAM, RedisStreamBackend
from persistence.stream_message import encode_run


class LiveConsumer:
    """Publishes every run. While Redis is down it stays where it is, and the hubs read the log themselves."""

    name = "live"
    reads_lines = True
    most_events = RUN_EVENTS
    # Somebody looks at a screen.
    rest_seconds = 0.0
    patience_seconds = 0.0

    def __init__(self, stream: RedisStreamBackend, pool: asyncpg.Pool) -> None:
        self._stream = stream
        self._pool = pool

    async def consume(self, run: Run, move: Move) -> None:
        """Publish, then move. A run published twice is dropped by the hubs: they know their place."""
        await self._stream.publish_all(EVENTS_STREAM, list(encode_run(run.before, run.lines)))
        async with self._pool.acquire() as connection:
            await move(connection)
