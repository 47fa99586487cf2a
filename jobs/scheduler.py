"""Who sees to it that due work is done? One scheduler at a time asks for it, and does it when nobody else did.

It gives the broker a hint for each kind of work. A worker that takes one leaves a mark in the database. What cannot be
hinted at, or whose hint nobody took, is done here, so neither a broker nor a worker that is down delays it for long.
"""

import asyncio
import os
import socket
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import datetime, timedelta

import asyncpg
import sqlalchemy as sa
import structlog
from dramatiq.errors import BrokerConnectionError
from redis.exceptions import RedisError
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.ports import Clock, SystemClock
from jobs.actors import Actors
from jobs.broker import open_broker
from jobs.due import DUE, Due
from jobs.operations import Operations
from jobs.sealing import AuditSealing
from persistence.direct import open_log_pool
from persistence.due_marks import begun_within
from persistence.engine import create_engine
from persistence.leases import Lease, LeaseLost, Leases
from persistence.maintenance import maintain
from persistence.tasks import end_tasks
from tocsin.settings import Settings

_log = structlog.get_logger(__name__)
LEASE = "scheduler"
LEASE_TTL = timedelta(seconds=6)
TICK_SECONDS = 1.0
STANDBY_SECONDS = 2.0
# A hint that no worker took up within this time is worth nothing: the scheduler does the work itself.
SELF_HELP_AFTER = timedelta(seconds=5)
MAINTENANCE_EVERY = timedelta(hours=1)
TROUBLE = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, sa.exc.SQLAlchemyError)
BROKER_TROUBLE = (BrokerConnectionError, RedisError, OSError)


class Scheduler:
    """The active scheduler or one that stands by."""

    def __init__(
        self,
        settings: Settings,
        engine: AsyncEngine,
        leases: Leases,
        *,
        clock: Clock,
        actors: Actors | None,
        works: Sequence[Due] = DUE,
        operations: Operations | None = None,
    ) -> None:
        self._operations = operations or Operations()
        self._settings, self._engine, self._leases, self._clock = settings, engine, leases, clock
        self._actors, self._works = actors, works
        self._holder = f"{socket.gethostname()}:{os.getpid()}"
        self._asked: dict[str, datetime] = {}
        # Since when a hint waits to be taken.
        self._hinted: dict[str, datetime] = {}
        self._maintained: datetime | None = None

    async def run(self) -> None:
        """Stand by, take over, tick; for ever."""
        lease: Lease | None = None
        while True:
            try:
                if lease is None:
                    lease = await self._leases.acquire(LEASE, holder=self._holder)
                else:
                    await self._leases.renew(lease)
                self._operations.active.labels(LEASE).set(lease is not None)
                if lease is not None:
                    await self.tick()
            except LeaseLost:
                lease = None
            except TROUBLE as error:
                _log.warning("scheduler waits for the database", error=repr(error))
            await asyncio.sleep(TICK_SECONDS if lease else STANDBY_SECONDS)

    async def tick(self) -> None:
        """Ask for everything whose turn it is."""
        now = self._clock.now()
        for due in self._works:
            if now - self._asked.get(due.name, datetime.min.replace(tzinfo=now.tzinfo)) >= due.every:
                self._asked[due.name] = now
                await self._ask(due, now)
        await self._help(now)
        if self._maintained is None or now - self._maintained >= MAINTENANCE_EVERY:
            self._maintained = now
            await maintain(self._settings, now)

    async def _ask(self, due: Due, now: datetime) -> None:
        """Give the hint; do the work here and now when none can be given."""
        if self._actors is not None and await asyncio.to_thread(self._hint, self._actors, due):
            self._hinted.setdefault(due.name, now)
        else:
            self._hinted.pop(due.name, None)
            await self._perform(due, now)

    async def _help(self, now: datetime) -> None:
        """Do what was hinted at in vain. Nothing is asked of the database while hints are young."""
        late = {
            due: age
            for due in self._works
            if due.name in self._hinted and (age := now - self._hinted[due.name]) >= SELF_HELP_AFTER
        }
        if not late:
            return
        begun = await begun_within(self._engine, {due.name: age for due, age in late.items()})
        for due in late:
            if due.name not in begun:
                await self._perform(due, now)
            del self._hinted[due.name]

    async def _perform(self, due: Due, now: datetime) -> None:
        """Do it here. What fails is tried again when it is due again, and holds up nothing beside it."""
        try:
            with self._operations.working(due.name):
                done = await due.perform(self._engine, self._settings, now)
        except TROUBLE:
            raise  # without the database none of it can be done: run() waits
        except Exception:  # noqa: BLE001 - an object store, or a fault of ours: the rest must go on
            _log.exception("due work failed", work=due.name)
            return
        self._operations.work_done.labels(due.name).inc(done)
        if done:
            _log.info("due work done by the scheduler", work=due.name, count=done)

    @staticmethod
    def _hint(actors: Actors, due: Due) -> bool:
        try:
            actors.by_name[due.name].send()
        except BROKER_TROUBLE as error:
            _log.warning("the broker takes no hints", error=repr(error))
            return False
        return True


async def run(settings: Settings, operations: Operations) -> None:
    """The scheduler role: until cancelled."""
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        stack.callback(asyncio.create_task(operations.beat_for_ever()).cancel)
        pool = await open_log_pool(settings, size=3, name="tocsin scheduler")
        stack.callback(pool.terminate)
        engine = create_engine(settings, pool_size=2)
        stack.push_async_callback(engine.dispose)
        actors = None
        if settings.effective_broker_url is not None:
            broker = open_broker(settings.effective_broker_url)
            stack.callback(broker.close)
            actors = Actors(broker, settings, clock=clock)
        leases = Leases(pool, ttl=LEASE_TTL)
        # Under a lease of its own: sealing a long backlog holds up nothing that is due by the second.
        sealing = asyncio.create_task(AuditSealing(settings, pool, clock=clock).run(), name="audit sealer")
        stack.push_async_callback(end_tasks, [sealing])
        await Scheduler(settings, engine, leases, clock=clock, actors=actors, operations=operations).run()
