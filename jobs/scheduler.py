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
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.ports import Clock, SystemClock
from jobs.due import DUE, Due, Hurry
from jobs.hints import Hints, opened_hints
from jobs.operations import Operations
from jobs.performing import Performer
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
# While no worker takes hints, one in a while is enough to see that they are back; the queue does not grow meanwhile.
UNHEARD = timedelta(seconds=30)
# Pieces of work that the scheduler does at once by itself, beside those that reach people.
AT_ONCE = 3
POOL = 10
TROUBLE = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, sa.exc.SQLAlchemyError)


class Scheduler:
    """The active scheduler or one that stands by."""

    def __init__(
        self,
        settings: Settings,
        engine: AsyncEngine,
        leases: Leases,
        *,
        clock: Clock,
        hints: Hints | None,
        works: Sequence[Due] = DUE,
        operations: Operations | None = None,
    ) -> None:
        self._operations = operations or Operations()
        self._settings, self._engine, self._leases, self._clock = settings, engine, leases, clock
        self._hints = hints
        self._works = {due.name: due for due in works}
        self._performer = Performer(settings, clock=clock, operations=self._operations)
        self._holder = f"{socket.gethostname()}:{os.getpid()}"
        self._asked: dict[str, datetime] = {}
        # Since when a hint waits to be taken, and until when none is given as no worker takes them.
        self._hinted: dict[str, datetime] = {}
        self._unheard: dict[str, datetime] = {}
        self._maintained: datetime | None = None
        # What is done here, beside the tick: one piece that hangs holds up neither the rest nor the lease.
        self._tasks: set[asyncio.Task[None]] = set()
        self._rest = asyncio.Semaphore(AT_ONCE)

    async def run(self) -> None:
        """Stand by, take over, tick; for ever."""
        lease: Lease | None = None
        try:
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
        finally:
            await end_tasks(list(self._tasks))

    async def tick(self) -> None:
        """Ask for everything whose turn it is."""
        now = self._clock.now()
        long_ago = datetime.min.replace(tzinfo=now.tzinfo)
        turn = [due for due in self._works.values() if now - self._asked.get(due.name, long_ago) >= due.every]
        for due in turn:
            self._asked[due.name] = now
        await self._ask(sorted(turn, key=lambda due: due.hurry), now)
        await self._help(now)
        if self._tasks:
            # Mostly they end by then, and what they did is seen to be done in this tick.
            await asyncio.wait(self._tasks, timeout=TICK_SECONDS)
        if self._maintained is None or now - self._maintained >= MAINTENANCE_EVERY:
            self._maintained = now
            await maintain(self._settings, now)

    async def _ask(self, works: Sequence[Due], now: datetime) -> None:
        """Give the hints; what cannot be hinted at, or is heard by nobody, is done here and now."""
        hintable = [due.name for due in works if self._unheard.get(due.name, now) <= now]
        given = frozenset[str]() if self._hints is None else await self._hints.give(hintable)
        for due in works:
            if due.name in given:
                self._hinted.setdefault(due.name, now)
            else:
                self._hinted.pop(due.name, None)
                self._perform(due)

    async def _help(self, now: datetime) -> None:
        """Do what was hinted at in vain. Nothing is asked of the database while hints are young."""
        late = {
            due: age
            for due in self._works.values()
            if due.name in self._hinted and (age := now - self._hinted[due.name]) >= SELF_HELP_AFTER
        }
        if not late:
            return
        begun = await begun_within(self._engine, {due.name: age for due, age in late.items()})
        for due in late:
            if due.name not in begun:
                self._unheard[due.name] = now + UNHEARD
                self._perform(due)
            del self._hinted[due.name]

    def _perform(self, due: Due) -> None:
        if sum(task.get_name() == due.name for task in self._tasks) >= due.places:
            return  # it is under way, or hangs
        task = asyncio.create_task(self._done_here(due), name=due.name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _done_here(self, due: Due) -> None:
        """What fails was written down, is tried again when it is due again, and holds up nothing beside it."""
        try:
            if due.hurry is Hurry.URGENT:
                done = await self._performer.perform(due, self._engine)
            else:
                async with self._rest:
                    done = await self._performer.perform(due, self._engine)
        except Exception:  # noqa: BLE001 - an object store, a provider, or a fault of ours
            return
        if done:
            await self._ask([self._works[name] for name in due.followed_by if name in self._works], self._clock.now())


async def run(settings: Settings, operations: Operations) -> None:
    """The scheduler role: until cancelled."""
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        stack.callback(asyncio.create_task(operations.beat_for_ever()).cancel)
        pool = await open_log_pool(settings, size=3, name="tocsin scheduler")
        stack.callback(pool.terminate)
        engine = create_engine(settings, pool_size=POOL)
        stack.push_async_callback(engine.dispose)
        hints = stack.enter_context(opened_hints(settings, clock=clock))
        leases = Leases(pool, ttl=LEASE_TTL)
        # Under a lease of its own: sealing a long backlog holds up nothing that is due by the second.
        sealing = asyncio.create_task(AuditSealing(settings, pool, clock=clock).run(), name="audit sealer")
        stack.push_async_callback(end_tasks, [sealing])
        await Scheduler(settings, engine, leases, clock=clock, hints=hints, operations=operations).run()
