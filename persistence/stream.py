"""How do events get from the relay to every API process? Over one Redis stream, read by one task a process.

This is a backend for `broadcaster`, whose own ones lose the first channel with redis-py 8 and die with the connection.
It may lose messages (a trim, a restart of Redis): each message says from where in the log it reaches, and the hub reads
the log when it misses some. So nothing here has to be durable, and nothing here raises at the reader.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import redis.asyncio as redis
import structlog
from broadcaster import Event
from broadcaster._backends.base import BroadcastBackend
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from persistence.backoff import Backoff
from persistence.tasks import end_tasks

_log = structlog.get_logger(__name__)
EVENTS_STREAM = "tocsin:events"
MAX_MESSAGES = 1000
# How many messages may be on their way inside the process; with those in Redis this is all that is ever held.
WINDOW = 64
BLOCK_MS = 2000
# Longer than a blocking read, or every quiet moment would look like a lost connection.
SOCKET_SECONDS = 10.0
CONNECT_SECONDS = 3.0
_FIELD = "message"


class RedisStreamBackend(BroadcastBackend):
    """Publishes to and reads from Redis streams; a channel is a stream."""

    def __init__(self, url: str, *, max_messages: int = MAX_MESSAGES) -> None:
        self._redis = redis.Redis.from_url(
            url,
            socket_timeout=SOCKET_SECONDS,
            socket_connect_timeout=CONNECT_SECONDS,
            decode_responses=True,
            # Without a retry of its own: who publishes and who reads try again by themselves, and know that they do.
            retry=Retry(NoBackoff(), 0),
            # One shape of answer, whatever the server prefers.
            protocol=2,
            client_name="tocsin",
        )
        self._max_messages = max_messages
        # The last id read of each stream; None until Redis has told where its end is.
        self._read_up_to: dict[str, str | None] = {}
        self._subscribed = asyncio.Event()
        self._arrived: asyncio.Queue[Event] = asyncio.Queue()
        self._room = asyncio.Semaphore(WINDOW)
        self._reading: asyncio.Task[None] | None = None
        self.is_connected = False

    async def connect(self) -> None:
        """Begin to read; Redis may come up later."""
        self._reading = asyncio.create_task(self._read_for_ever(), name="redis stream")

    async def disconnect(self) -> None:
        """Stop reading and let go of the connections."""
        if self._reading is not None:
            await end_tasks([self._reading])
        await self._redis.aclose()

    async def subscribe(self, group: str) -> None:
        """Read a stream from its end on."""
        self._read_up_to.setdefault(group, None)
        self._subscribed.set()

    async def unsubscribe(self, group: str) -> None:
        """Read it no longer."""
        self._read_up_to.pop(group, None)
        if not self._read_up_to:
            self._subscribed.clear()

    async def publish(self, channel: str, message: Any) -> None:  # noqa: ANN401  # broadcaster's signature
        """Append to the stream and cut its old end. Raises RedisError or OSError when Redis did not take it."""
        await self._redis.xadd(channel, {_FIELD: message}, maxlen=self._max_messages, approximate=True)

    async def publish_all(self, channel: str, messages: Sequence[str]) -> None:
        """Append several in one round trip, in their order. Raises as `publish` does; then some may have been taken."""
        pipeline = self._redis.pipeline(transaction=False)
        for message in messages:
            pipeline.xadd(channel, {_FIELD: message}, maxlen=self._max_messages, approximate=True)
        await pipeline.execute()

    async def next_published(self) -> Event:
        """The next message of any subscribed stream; it waits, and never raises."""
        return await self._arrived.get()

    def done_with_one(self) -> None:
        """The subscriber has dealt with a message, so another may come in.

        broadcaster's own queue is unbounded; without this a reader that is busy would let it grow without end.
        """
        self._room.release()

    async def _read_for_ever(self) -> None:
        backoff = Backoff()
        while True:
            try:
                await self._subscribed.wait()
                await self._find_ends()
                await self._read_once()
                backoff.reset()
            except (RedisError, OSError, TimeoutError) as error:
                if self.is_connected:
                    _log.warning("live stream lost; the log is read instead", error=repr(error))
                self.is_connected = False
                await backoff.wait()

    async def _find_ends(self) -> None:
        """Where to begin in streams not read yet, and in those that Redis lost (its ids began anew)."""
        if self.is_connected and None not in self._read_up_to.values():
            return
        for stream, read_up_to in list(self._read_up_to.items()):
            end = await self._end_of(stream)
            if read_up_to is None or _number(end) < _number(read_up_to):
                self._read_up_to[stream] = end
        self.is_connected = True

    async def _end_of(self, stream: str) -> str:
        newest = await self._redis.xrevrange(stream, count=1)
        return str(newest[0][0]) if newest else "0-0"

    async def _read_once(self) -> None:
        positions: dict[Any, Any] = {stream: place or "0-0" for stream, place in self._read_up_to.items()}
        if not positions:
            return
        # With this protocol and decoded answers: [stream, [id, fields]]. The client's types cover all its shapes.
        answer: Any = await self._redis.xread(positions, count=WINDOW, block=BLOCK_MS)
        for stream, entries in answer or []:
            for entry_id, fields in entries:
                await self._room.acquire()
                self._arrived.put_nowait(Event(channel=stream, message=fields.get(_FIELD, "")))
                if stream in self._read_up_to:
                    self._read_up_to[stream] = entry_id


def _number(entry_id: str) -> tuple[int, int]:
    milliseconds, _, sequence = entry_id.partition("-")
    return int(milliseconds), int(sequence or 0)


async def empty_stream(url: str) -> None:
    """Take all that was published out of Redis: it is the log's, and who follows reads what is missing there."""
    client = redis.Redis.from_url(url, socket_timeout=SOCKET_SECONDS, socket_connect_timeout=CONNECT_SECONDS)
    try:
        # Not deleted: its ids go on from where they are, which is how readers know their place.
        await client.xtrim(EVENTS_STREAM, maxlen=0, approximate=False)
    finally:
        await client.aclose()
