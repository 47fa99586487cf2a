"""Who carries the log to its consumers? One relay at a time; others stand by, and take over within seconds.

A consumer is a task of its own with a place of its own: one that is stuck (Redis is down) does not hold back the rest.
Nothing is lost with the relay: whatever it had not delivered is still in the log, after the consumer's place.
"""

import asyncio
import os
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial

import asyncpg
import structlog
from redis.exceptions import RedisError

from domain.alerts.cursor import Cursor, is_of_log, log_start
from domain.alerts.events import LogPosition
from domain.ports import Clock, SystemClock
from jobs.consumers.contract import Consumer, Run
from jobs.consumers.escalations import EscalationConsumer
from jobs.consumers.inhibition import InhibitionConsumer
from jobs.consumers.live import LiveConsumer
from jobs.consumers.metrics import MetricsConsumer
from jobs.consumers.search import SearchConsumer
from jobs.hints import opened_hints
from jobs.operations import Operations
from persistence.backoff import Backoff
from persistence.direct import DirectConnection, open_log_pool
from persistence.engine import create_engine
from persistence.event_log import EVENTS_CHANNEL, LogReader
from persistence.giving_way import Machine, rest
from persistence.leases import Lease, LeaseLost, Leases
from persistence.listen import Listener
from persistence.relay_cursors import RelayCursors
from persistence.search.index import BULK_SECONDS, AlertIndex, open_client
from persistence.stream import RedisStreamBackend
from persistence.tasks import end_tasks
from tocsin.settings import Settings

_log = structlog.get_logger(__name__)
LEASE = "relay"
LEASE_TTL = timedelta(seconds=6)
RENEW_SECONDS = 2.0
# A lost notice costs this long.
POLL_SECONDS = 0.25
# Without a notice for so long the storm is over, and whoever gave way need not.
WRITTEN_SECONDS = 0.5
# Who is patient rests so many times as long as it has worked, or until the storm is over. Who is further behind than
# its patience rests less; with so many times as far behind (the search: five minutes) not at all.
GIVES_WAY, GIVES_WAY_LATE = 19.0, 9.0
TOO_LATE = 20.0
# From here on it is said in the log, and by `tocsin doctor`.
LATE_SECONDS = 60.0
STORE_TROUBLE = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


class Wake:
    """Tells every consumer that something was written; each also looks by itself."""

    def __init__(self) -> None:
        self._next = asyncio.Event()
        self._woken_at = 0.0

    @property
    def is_written(self) -> bool:
        """Whether something was written just now."""
        return time.monotonic() - self._woken_at < WRITTEN_SECONDS

    def all(self) -> None:
        """Wake whoever waits."""
        self._woken_at = time.monotonic()
        current, self._next = self._next, asyncio.Event()
        current.set()

    async def wait(self) -> None:
        """Until something was written, or it is time to look."""
        # Not wait_for(): woken and cancelled in one moment, it forgets that it was cancelled.
        try:
            async with asyncio.timeout(POLL_SECONDS):
                await self._next.wait()
        except TimeoutError:
            return


async def give_way(
    consumer: Consumer,
    wake: Wake,
    *,
    worked: float,
    behind: Callable[[], float],
    machine: Machine,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Let a consumer rest that has more to do already: while a storm is written that leaves the machine little room.

    What it `worked`, and how far it is `behind`, are in seconds.
    """
    patience = consumer.patience_seconds
    if not patience:
        return
    bound, times = (patience, GIVES_WAY) if behind() < patience else (TOO_LATE * patience, GIVES_WAY_LATE)
    await rest(
        worked * times,
        while_needed=lambda: wake.is_written and behind() < bound and not machine.has_room(),
        sleep=sleep,
    )


class _Late:
    """Says in the log that a consumer is far behind, once a minute at most."""

    def __init__(self, consumer: str) -> None:
        self._consumer, self._told_at = consumer, -LATE_SECONDS

    def tell(self, behind: float) -> None:
        """One that is so many seconds behind has more to do."""
        if behind >= LATE_SECONDS and time.monotonic() - self._told_at >= LATE_SECONDS:
            self._told_at = time.monotonic()
            _log.warning("consumer is far behind", consumer=self._consumer, seconds=round(behind))


class Relay:
    """The active relay or one that stands by."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        consumers: Sequence[Consumer],
        *,
        wake: Wake,
        operations: Operations | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._clock = clock or SystemClock()
        self._operations = operations or Operations()
        self._reader = LogReader(pool)
        self._cursors = RelayCursors(pool)
        self._leases = Leases(pool, ttl=LEASE_TTL)
        self._consumers = consumers
        self._wake = wake
        self._machine = Machine()
        self._holder = f"{socket.gethostname()}:{os.getpid()}"

    async def run(self) -> None:
        """Stand by, take over, work until the lease is lost; for ever."""
        backoff = Backoff()
        while True:
            try:
                lease = await self._leases.acquire(LEASE, holder=self._holder)
            except STORE_TROUBLE as error:
                _log.warning("relay cannot reach the database", error=repr(error))
                await backoff.wait()
                continue
            backoff.reset()
            if lease is None:
                await asyncio.sleep(RENEW_SECONDS)
                continue
            _log.info("relay is active", fence=lease.token)
            self._operations.active.labels(LEASE).set(1)
            await self._work(lease)
            self._operations.active.labels(LEASE).set(0)

    async def _work(self, lease: Lease) -> None:
        """Run the consumers under the lease; returns when it is lost, releases it when cancelled."""
        tasks = [asyncio.create_task(self._follow(consumer, lease)) for consumer in self._consumers]
        tasks.append(asyncio.create_task(self._renew_for_ever(lease)))
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            _log.warning("relay lost its lease", fence=lease.token)
        finally:
            await end_tasks(tasks)
            try:
                await asyncio.shield(self._leases.release(lease))
            except STORE_TROUBLE:
                _log.info("the lease could not be released; it expires", seconds=LEASE_TTL.total_seconds())

    async def _renew_for_ever(self, lease: Lease) -> None:
        """Keep the lease. A database that is away does not end it: nobody else can take it meanwhile either."""
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            try:
                await self._leases.renew(lease)
            except LeaseLost:
                return
            except STORE_TROUBLE as error:
                _log.warning("lease not renewed", error=repr(error))

    async def _follow(self, consumer: Consumer, lease: Lease) -> None:
        """Give one consumer run after run; returns when the lease is lost. Its troubles are its own."""
        backoff, late = Backoff(), _Late(consumer.name)
        place: Cursor | None = None
        while True:
            try:
                if place is None:
                    place = await self._place_of(consumer, lease)
                began = time.monotonic()
                run, is_full = await self._next_run(consumer, place)
                if run is not None:
                    place = await self._give(consumer, lease, run)
                    self._operations.consumed.labels(consumer.name).inc()
                backoff.reset()
            except LeaseLost:
                return
            except (*STORE_TROUBLE, RedisError) as error:
                _log.warning("consumer waits", consumer=consumer.name, error=repr(error))
                self._operations.consumer_failures.labels(consumer.name).inc()
                place = None  # whether its place was moved is unknown: read it again
                await backoff.wait()
                continue
            except Exception:  # noqa: BLE001 - see below
                # A fault of ours must not end the consumer for good, nor the others with it.
                _log.exception("consumer failed", consumer=consumer.name)
                self._operations.consumer_failures.labels(consumer.name).inc()
                place = None
                await backoff.wait()
                continue
            if not is_full:
                await asyncio.sleep(consumer.rest_seconds)
                await self._wake.wait()
            else:
                late.tell(self._behind(place))
                await give_way(
                    consumer,
                    self._wake,
                    worked=time.monotonic() - began,
                    behind=partial(self._behind, place),
                    machine=self._machine,
                )

    def _behind(self, place: Cursor) -> float:
        return (self._clock.now() - place.recorded_at).total_seconds()

    async def _place_of(self, consumer: Consumer, lease: Lease) -> Cursor:
        """Take over the consumer's place.

        One that this log never reached is left for the log's head: waiting there would be silence for ever.
        """
        state = await self._reader.state()
        place = await self._cursors.claim(consumer.name, lease, start=log_start(state.head.epoch))
        if is_of_log(place, state):
            return place
        _log.error("the log lost its tail; the consumer begins at its head", consumer=consumer.name)
        return state.head

    async def _next_run(self, consumer: Consumer, place: Cursor) -> tuple[Run | None, bool]:
        """What follows the place, as far as the consumer looks at it, and whether there may be more already."""
        if consumer.reads_lines:
            lines = await self._reader.lines_after(place, limit=consumer.most_events)
            if not lines:
                return None, False
            position = LogPosition(lines[-1]["xid"], lines[-1]["seq"])
            end = Cursor(epoch=place.epoch, position=position, recorded_at=lines[-1]["recorded_at"])
            return Run(before=place, end=end, lines=lines), len(lines) == consumer.most_events
        reached, number = await self._reader.reach(place, limit=consumer.most_events)
        return (Run(before=place, end=reached) if reached is not None else None), number == consumer.most_events

    async def _give(self, consumer: Consumer, lease: Lease, run: Run) -> Cursor:
        async def move(connection: DirectConnection) -> None:
            await self._cursors.move(connection, consumer.name, lease, to=run.end)

        await consumer.consume(run, move)
        return run.end


async def run(settings: Settings, operations: Operations) -> None:
    """The relay role: until cancelled."""
    async with AsyncExitStack() as stack:
        stack.callback(asyncio.create_task(operations.beat_for_ever()).cancel)
        pool = await open_log_pool(settings, size=8, name="tocsin relay")
        stack.callback(pool.terminate)
        consumers: list[Consumer] = [MetricsConsumer(pool)]
        engine = create_engine(settings, pool_size=2)
        stack.push_async_callback(engine.dispose)
        consumers.append(InhibitionConsumer(engine, pool, clock=SystemClock()))
        hints = stack.enter_context(opened_hints(settings, clock=SystemClock()))
        consumers.append(EscalationConsumer(settings, engine, pool, clock=SystemClock(), hints=hints))
        if settings.redis_url is not None:
            stream = RedisStreamBackend(settings.redis_url)
            stack.push_async_callback(stream.disconnect)
            consumers.append(LiveConsumer(stream, pool))
        if settings.elasticsearch_url is not None:
            client = open_client(settings, seconds=BULK_SECONDS)
            stack.push_async_callback(client.close)
            consumers.append(
                SearchConsumer(AlertIndex(client, settings.elasticsearch_index), engine, pool, operations=operations)
            )
        wake = Wake()
        listening = asyncio.create_task(Listener(settings.database_dsn, EVENTS_CHANNEL, wake.all).run())
        stack.callback(listening.cancel)
        await Relay(pool, consumers, wake=wake, operations=operations).run()
