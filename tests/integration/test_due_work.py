"""Is what is due by time done once, with workers, without them, and without a broker?"""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.alerts.fold import FoldPolicy
from domain.ids import new_id
from domain.ports import SystemClock
from jobs.actors import Actors
from jobs.broker import open_broker
from jobs.due import DUE, Due, expire_alerts, purge, wake_snoozed_alerts
from jobs.hints import Hints
from jobs.scheduler import SELF_HELP_AFTER, Scheduler
from persistence.due_marks import begun_within
from persistence.engine import create_engine
from persistence.ingest_queue import IngestQueue
from persistence.leases import Leases
from tests.services.environment import inherited
from tests.unit.alerts.signals import signal, submission
from tocsin.settings import Settings

ROOT = Path(__file__).resolve().parent.parent.parent


def now() -> datetime:
    return datetime.now(tz=UTC)


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings(database_url=database_url, secret_key="a-secret-of-at-least-thirty-two-characters")


@pytest.fixture
async def engine(settings: Settings) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(settings)
    yield engine
    await engine.dispose()


async def open_alerts(database_url: str, count: int, *, expires_at: datetime | None = None) -> None:
    queue = IngestQueue(database_url, clock=SystemClock(), policy=FoldPolicy())
    await queue.start()
    keys = [f"t:1:{new_id().hex}" for _ in range(count)]
    await asyncio.gather(*[queue.submit(submission(now(), signal(key=key, expires_at=expires_at))) for key in keys])
    await queue.close()


async def test_an_alert_whose_time_passed_resolves_once_with_two_workers(
    database_url: str, engine: AsyncEngine, settings: Settings, database: asyncpg.Connection
) -> None:
    await open_alerts(database_url, 30, expires_at=now() + timedelta(seconds=10))
    await open_alerts(database_url, 5, expires_at=now() + timedelta(hours=1))
    later = now() + timedelta(seconds=60)

    done = await asyncio.gather(*[expire_alerts(engine, settings, later) for _ in range(2)])

    assert sum(done) == 30
    assert await database.fetchval("SELECT count(*) FROM alert_events WHERE kind = 'resolved'") == 30
    row = await database.fetchrow("SELECT resolved_by, count(*) FROM alerts WHERE status = 'resolved' GROUP BY 1")
    assert tuple(row or ()) == ("expiry", 30)
    assert await expire_alerts(engine, settings, later) == 0


async def test_a_snooze_ends_at_its_time(
    database_url: str, engine: AsyncEngine, settings: Settings, database: asyncpg.Connection
) -> None:
    await open_alerts(database_url, 2)
    await database.execute(
        "UPDATE alerts SET snoozed_until = $1 WHERE id = (SELECT min(id::text)::uuid FROM alerts)",
        now() + timedelta(minutes=5),
    )

    assert await wake_snoozed_alerts(engine, settings, now()) == 0
    assert await wake_snoozed_alerts(engine, settings, now() + timedelta(minutes=6)) == 1
    assert await database.fetchval("SELECT count(*) FROM alerts WHERE snoozed_until IS NOT NULL") == 0
    assert await database.fetchval("SELECT actor_kind FROM alert_events WHERE kind = 'woken'") == "system"


async def test_old_rows_leave_and_young_ones_stay(
    engine: AsyncEngine, settings: Settings, database: asyncpg.Connection
) -> None:
    for days in (1, 29, 31, 400):
        await database.execute(
            "INSERT INTO rejected_items (id, receipt_id, item, integration_id, received_at, message, raw) "
            "VALUES ($1, $1, 0, $1, $2, 'bad', '')",
            new_id(),
            now() - timedelta(days=days),
        )
    assert await purge(engine, settings, now()) == 2
    assert await database.fetchval("SELECT count(*) FROM rejected_items") == 2


async def resolved_within(database: asyncpg.Connection, count: int, seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while await database.fetchval("SELECT count(*) FROM alerts WHERE status = 'resolved'") < count:  # noqa: ASYNC110
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
async def test_without_a_broker_the_scheduler_does_the_work(
    database_url: str,
    engine: AsyncEngine,
    settings: Settings,
    database: asyncpg.Connection,
    free_port: int,
    scheme: str,
) -> None:
    await open_alerts(database_url, 3, expires_at=now() + timedelta(milliseconds=10))
    async with hints_to(f"{scheme}://127.0.0.1:{free_port}", settings) as hints, pool_of(database_url) as pool:
        leases = Leases(pool, ttl=timedelta(seconds=5))
        scheduler = Scheduler(settings, engine, leases, clock=SystemClock(), hints=hints)
        task = asyncio.create_task(scheduler.run())
        try:
            await resolved_within(database, 3, 60)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def pool_of(database_url: str) -> asyncpg.Pool:
    return asyncpg.create_pool(database_url, min_size=0)


@asynccontextmanager
async def hints_to(broker_url: str, settings: Settings, works: Sequence[Due] = DUE) -> AsyncIterator[Hints]:
    broker = open_broker(broker_url)
    hints = Hints(Actors(broker, settings, clock=SystemClock(), works=works))
    try:
        yield hints
    finally:
        hints.close()
        broker.close()


@contextmanager
def worker(settings: Settings, broker_url: str) -> Iterator[subprocess.Popen[bytes]]:
    environment = {
        **inherited(),
        "TOCSIN_DATABASE_URL": settings.database_dsn,
        "TOCSIN_BROKER_URL": broker_url,
        "TOCSIN_SECRET_KEY": "a-secret-of-at-least-thirty-two-characters",
    }
    command = [sys.executable, "-m", "tocsin", "worker"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.STDOUT, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        # Until it says that it is ready it has not yet taken the signals over.
        for line in process.stdout:
            if b"worker is ready" in line:
                break
        yield process
    finally:
        process.kill()
        process.communicate()


async def test_a_worker_takes_the_hints_and_one_that_is_killed_is_replaced(
    database_url: str, settings: Settings, database: asyncpg.Connection, broker_url: str
) -> None:
    async with hints_to(broker_url, settings) as hints:
        for expected in (4, 8):
            await open_alerts(database_url, 4, expires_at=now() + timedelta(milliseconds=10))
            with worker(settings, broker_url):
                await asyncio.sleep(0.1)
                assert await hints.give(["expire_alerts"]) == {"expire_alerts"}
                await resolved_within(database, expected, 60)


async def test_a_worker_ends_when_asked(settings: Settings, broker_url: str) -> None:
    with worker(settings, broker_url) as process:
        process.terminate()
        code = await asyncio.to_thread(process.wait, 60)
    assert code == 0


async def test_work_that_fails_ends_neither_the_scheduler_nor_the_work_beside_it(
    database_url: str, engine: AsyncEngine, settings: Settings, database: asyncpg.Connection
) -> None:
    tried: list[datetime] = []

    async def unreachable(_engine: AsyncEngine, _settings: Settings, at: datetime) -> int:
        tried.append(at)
        message = "the object store does not answer"
        raise RuntimeError(message)

    every = timedelta(milliseconds=1)
    works = [Due("unreachable", every, unreachable), Due("expire_alerts", every, expire_alerts)]
    await open_alerts(database_url, 3, expires_at=now() + timedelta(milliseconds=10))
    async with asyncpg.create_pool(database_url, min_size=0) as pool:
        leases = Leases(pool, ttl=timedelta(seconds=5))
        scheduler = Scheduler(settings, engine, leases, clock=SystemClock(), hints=None, works=works)
        task = asyncio.create_task(scheduler.run())
        try:
            await resolved_within(database, 3, 60)
            async with asyncio.timeout(60):
                while len(tried) < 2:  # noqa: ASYNC110 - another task makes it true
                    await asyncio.sleep(0.1)
            assert not task.done(), "the scheduler goes on, and tries again when it is due again"
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_what_a_worker_took_the_scheduler_does_not_do_again(
    database_url: str, engine: AsyncEngine, settings: Settings, broker_url: str
) -> None:
    done_here: list[datetime] = []

    async def counted(_engine: AsyncEngine, _settings: Settings, at: datetime) -> int:
        done_here.append(at)
        return 0

    clock = MovedClock(now())
    # The worker knows `purge` as what it is; the scheduler would count it instead.
    works = [Due("purge", timedelta(hours=1), counted)]
    async with hints_to(broker_url, settings) as hints, pool_of(database_url) as pool:
        leases = Leases(pool, ttl=timedelta(seconds=5))
        scheduler = Scheduler(settings, engine, leases, clock=clock, hints=hints, works=works)
        with worker(settings, broker_url):
            await scheduler.tick()
            async with asyncio.timeout(60):
                while not await begun_within(engine, {"purge": timedelta(minutes=1)}):  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
        clock.time += SELF_HELP_AFTER + timedelta(seconds=20)
        await scheduler.tick()
        assert done_here == [], "a worker began it after the hint"

        clock.time += timedelta(hours=1)
        await scheduler.tick()
        assert done_here == [], "the next hint is young"
        await engine_marks_are_old(engine)
        clock.time += SELF_HELP_AFTER
        await scheduler.tick()
        assert done_here == [clock.time], "no worker took the second hint"
        clock.time += SELF_HELP_AFTER
        await scheduler.tick()
        assert len(done_here) == 1, "and it is done once"


async def engine_marks_are_old(engine: AsyncEngine) -> None:
    """The clock of the test went on an hour; the database's did not."""
    async with engine.begin() as connection:
        await connection.execute(sa.text("UPDATE due_marks SET begun_at = begun_at - interval '1 hour'"))


class MovedClock:
    """Stands where it is put."""

    def __init__(self, time: datetime) -> None:
        self.time = time

    def now(self) -> datetime:
        return self.time
