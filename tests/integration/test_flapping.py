"""Is what flaps marked once, over PostgreSQL, however its signals come; and does the mark end by itself? (A8)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import asyncpg
import orjson
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.alerts.fold import FoldPolicy
from domain.alerts.signal import SignalStatus
from domain.flapping.pause import PausePolicy, Pauses
from domain.flapping.turns import FlappingPolicy
from domain.ports import SystemClock
from jobs.due import end_pauses, settle_flapping
from persistence.engine import create_engine
from persistence.ingest_queue import IngestQueue
from tests.unit.alerts.signals import FIRING, RESOLVED, signal, submission
from tocsin.settings import Settings

MINUTE = timedelta(minutes=1)
PAUSE = Pauses(everybodys=PausePolicy(length=2 * MINUTE, recoveries=2, episodes=4))
START = datetime.now(tz=UTC) - timedelta(hours=12)


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings(database_url=database_url, secret_key="a-secret-of-at-least-thirty-two-characters")


@pytest.fixture
async def engine(settings: Settings) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(settings)
    yield engine
    await engine.dispose()


async def open_queue(url: str, **policy: object) -> IngestQueue:
    queue = IngestQueue(url, clock=SystemClock(), policy=FoldPolicy(**policy))  # type: ignore[arg-type]  # a test's own
    await queue.start()
    return queue


async def say(queue: IngestQueue, minutes: float, status: SignalStatus, *, key: str = "t:1:k") -> None:
    time = START + minutes * MINUTE
    times = {"ended_at": time} if status is RESOLVED else {"started_at": time}
    await queue.submit(submission(time, signal(status, key=key, **times)))


async def bounce(queue: IngestQueue, *minutes: float) -> None:
    for index, minute in enumerate(minutes):
        await say(queue, minute, RESOLVED if index % 2 else FIRING)


async def marks(database: asyncpg.Connection) -> list[str]:
    """What was told of the mark, in the order of the log."""
    rows = await database.fetch("SELECT kind FROM alert_events WHERE kind LIKE 'flapping%' ORDER BY xid, seq")
    return [row["kind"] for row in rows]


async def test_the_mark_begins_once_and_ends_by_time_alone_with_two_workers(
    database_url: str, engine: AsyncEngine, settings: Settings, database: asyncpg.Connection
) -> None:
    queue = await open_queue(database_url)
    await bounce(queue, 0, 1, 2, 3, 4, 5, 6)
    await queue.close()

    row = await database.fetchrow("SELECT * FROM alerts")
    assert row is not None
    assert (row["flapping_since"], row["flapping_turns"]) == (START + 5 * MINUTE, 7)
    assert row["flapping_until"] == START + 4 * MINUTE + 30 * MINUTE
    assert await settle_flapping(engine, settings, row["flapping_until"] - MINUTE) == 0

    done = await asyncio.gather(*[settle_flapping(engine, settings, row["flapping_until"]) for _ in range(2)])

    assert sum(done) == 1
    assert await marks(database) == ["flapping_started", "flapping_ended"]
    row = await database.fetchrow("SELECT flapping_since, flapping_until, flapping_turns, status::text FROM alerts")
    assert tuple(row or ()) == (None, None, 0, "active")


async def test_two_processes_that_post_one_key_at_once_mark_it_once(
    database_url: str, database: asyncpg.Connection
) -> None:
    """Whatever order the posts are written in, begin and end take turns, and the row says what the log says."""
    queues = [await open_queue(database_url, reopen_window=MINUTE) for _ in range(2)]
    posts = [(minute, FIRING if minute % 2 == 0 else RESOLVED) for minute in range(40)]
    await asyncio.gather(*[say(queues[index % 2], *post) for index, post in enumerate(posts)])
    for queue in queues:
        await queue.close()

    told = await database.fetch("SELECT alert_id, kind, data FROM alert_events ORDER BY xid, seq")
    crossings = [(row["alert_id"], row["kind"]) for row in told if row["kind"].startswith("flapping")]
    marked: set[object] = set()
    for alert_id, kind in crossings:
        assert (alert_id in marked) is (kind == "flapping_ended"), "begin and end take turns"
        (marked.discard if kind == "flapping_ended" else marked.add)(alert_id)
    assert {
        row["id"] for row in await database.fetch("SELECT id FROM alerts WHERE flapping_since IS NOT NULL")
    } == marked
    versions = await database.fetch("SELECT alert_id, version FROM alert_events ORDER BY xid, seq")
    by_alert: dict[object, list[int]] = {}
    for row in versions:
        by_alert.setdefault(row["alert_id"], []).append(row["version"])
    assert all(one <= two for numbers in by_alert.values() for one, two in pairwise(numbers))


async def test_the_past_of_a_key_outlives_its_alert(database_url: str, database: asyncpg.Connection) -> None:
    queue = await open_queue(database_url, reopen_window=timedelta(0))
    await bounce(queue, 0, 1, 2, 3, 4, 5)
    await queue.close()

    assert await database.fetchval("SELECT count(*) FROM alerts") == 3
    assert await marks(database) == ["flapping_started"]
    assert await database.fetchval("SELECT past_episodes FROM alerts ORDER BY id DESC LIMIT 1") == [60, 60, 60]


async def test_nothing_is_kept_of_an_alert_that_never_turned(database_url: str, database: asyncpg.Connection) -> None:
    queue = await open_queue(database_url, flapping=FlappingPolicy())
    await say(queue, 0, FIRING)
    await say(queue, 1, FIRING)
    await queue.close()

    row = await database.fetchrow("SELECT turns, past_episodes, flapping_since, paused_until FROM alerts")
    assert tuple(row or ()) == (None, None, None, None)


async def test_a_pause_is_kept_and_ends_by_time(
    database_url: str, engine: AsyncEngine, settings: Settings, database: asyncpg.Connection
) -> None:
    queue = await open_queue(database_url, pause=PAUSE)
    await bounce(queue, 0, 1, 30, 31, 60)
    await queue.close()

    assert await database.fetchval("SELECT paused_until FROM alerts") == START + 62 * MINUTE
    data = orjson.loads(await database.fetchval("SELECT data FROM alert_events ORDER BY xid DESC, seq DESC LIMIT 1"))
    assert data["decisions"][-1]["inputs"]["recovered"] == 2
    assert await end_pauses(engine, settings, START + 61 * MINUTE) == 0
    assert sum(await asyncio.gather(*[end_pauses(engine, settings, START + 62 * MINUTE) for _ in range(2)])) == 1
    assert await database.fetchval("SELECT count(*) FROM alert_events WHERE kind = 'pause_ended'") == 1
    assert await database.fetchval("SELECT paused_until FROM alerts") is None
