"""Who sees to it that due work is done? One scheduler at a time asks for it, and does it when nobody else did.

It gives the broker a hint for each kind of work. Work that is due by the second is done here as well when no hint can
be given, so a broker that is down delays nothing; the database's locks keep it from being done twice.
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
from persistence.direct import open_log_pool
from persistence.engine import create_engine
from persistence.leases import Lease, LeaseLost, Leases
from persistence.maintenance import maintain
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
    ) -> None:
        self._settings, self._engine, self._leases, self._clock = settings, engine, leases, clock
        self._actors, self._works = actors, works
        self._holder = f"{socket.gethostname()}:{os.getpid()}"
        self._asked: dict[str, datetime] = {}
        self._helped: dict[str, datetime] = {}
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
        if self._maintained is None or now - self._maintained >= MAINTENANCE_EVERY:
            self._maintained = now
            await maintain(self._settings, now)

    async def _ask(self, due: Due, now: datetime) -> None:
        """Give the hint; do the work ourselves when it cannot be given, and now and then in case nobody takes hints."""
        given = self._actors is not None and await asyncio.to_thread(self._hint, self._actors, due)
        since = now - self._helped.get(due.name, datetime.min.replace(tzinfo=now.tzinfo))
        if given and since < SELF_HELP_AFTER:
            return
        self._helped[due.name] = now
        await self._perform(due, now)

    async def _perform(self, due: Due, now: datetime) -> None:
        """Do it here. What fails is tried again when it is due again, and holds up nothing beside it."""
        try:
            done = await due.perform(self._engine, self._settings, now)
        except TROUBLE:
            raise  # without the database none of it can be done: run() waits
        except Exception:  # noqa: BLE001 - an object store, or a fault of ours: the rest must go on
            _log.exception("due work failed", work=due.name)
            return
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


async def run(settings: Settings) -> None:
    """The scheduler role: until cancelled."""
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        pool = await open_log_pool(settings, size=2, name="tocsin scheduler")
        stack.callback(pool.terminate)
        engine = create_engine(settings, pool_size=2)
        stack.push_async_callback(engine.dispose)
        actors = None
        if settings.effective_broker_url is not None:
            broker = open_broker(settings.effective_broker_url)
            stack.callback(broker.close)
            actors = Actors(broker, settings, clock=clock)
        await Scheduler(settings, engine, Leases(pool, ttl=LEASE_TTL), clock=clock, actors=actors).run()
