"""What does a minute's look of 300 threshold rules cost, and how many pings are on disk within a second?

python -m bench.thresholds

Over 90 days of 50 services in four severities; in the last three hours each of them has a line in every minute.
"""

import asyncio
import random
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import orjson
from sqlalchemy.ext.asyncio import create_async_engine

from bench import database
from domain.alerts.fold import FoldPolicy
from domain.heartbeats.model import key_digest, new_secret
from domain.ids import new_id
from domain.thresholds.model import MINUTE
from persistence.own_signals import own_signals
from persistence.ping_queue import PingQueue
from persistence.relay_cursors import METRICS_CONSUMER
from persistence.threshold_evaluation import evaluate_rules

FOLDER = Path(__file__).resolve().parent.parent / ".services" / "bench"
RULES, LOOKS = 300, 8
HEARTBEATS, PINGS, AT_ONCE = 500, 20_000, 200
FULL_MINUTES = 180
_LINES = """
INSERT INTO alert_metrics (bucket, service_name, source, severity, team_id, opened, repeated)
SELECT $1::timestamptz - m * INTERVAL '1 minute', 'service-' || s, 'prometheus',
       (ARRAY['low', 'medium', 'high', 'critical'])[1 + v]::alert_severity, '00000000-0000-0000-0000-000000000000',
       1 + (m + s) % 3, 2
  FROM generate_series(1, 90 * 1440) m, generate_series(1, 50) s, generate_series(0, 3) v
 WHERE m <= $2 OR (m * 7 + s * 13 + v * 29) % 10 = 0
"""
_PLACE = """
INSERT INTO relay_cursors (consumer, epoch, xid, seq, recorded_at, token, updated_at)
SELECT $1, epoch, '9999999999', 0, now(), 1, now() FROM log_epoch
"""
_RULE = """
INSERT INTO threshold_rules (id, name, condition, raised, created_at, updated_at, counts_from)
VALUES ($1, $2, $3, $4, $5, $5, $5)
"""
_HEARTBEAT = """
INSERT INTO heartbeats (id, name, period, grace, severity, key_digest, key_prefix, created_at, updated_at)
VALUES ($1, $2, INTERVAL '1 hour', INTERVAL '1 minute', 'low', $3, '', now(), now())
"""


def _condition(number: int, chance: random.Random) -> dict[str, object]:
    """One of each measure, over windows of 5 to 60 minutes, grouped or not; a third look at three services alone."""
    measure = ("count", "rate", "services", "absence")[number % 4]
    is_absence = measure == "absence"
    return {
        "measure": measure,
        "windowSeconds": (5, 10, 15, 30, 60)[number % 5] * 60,
        "comparison": "at_most" if is_absence else "at_least",
        "raiseAt": 0 if is_absence else 10**6,
        "clearAt": 0 if is_absence else 10**5,
        "holdSeconds": 0,
        "groupBy": (None, "service", "severity", "source")[number // 4 % 4],
        "services": [f"service-{chance.randint(1, 50)}" for _ in range(3)] if number % 3 == 0 else [],
        "teamIds": [],
        "severities": [],
        "sources": [],
    }


async def _fill(connection: asyncpg.Connection, now: datetime) -> int:
    await connection.execute(_LINES, now.replace(second=0), FULL_MINUTES)
    await connection.execute("VACUUM ANALYZE alert_metrics")
    await connection.execute(_PLACE, METRICS_CONSUMER)
    chance = random.Random(1)
    raised = orjson.dumps({"title": "x", "severity": "low", "description": "", "labels": {}}).decode()
    rules = [
        (new_id(), f"Rule {number}", orjson.dumps(_condition(number, chance)).decode(), raised, now - timedelta(days=1))
        for number in range(RULES)
    ]
    await connection.executemany(_RULE, rules)
    lines: int = await connection.fetchval("SELECT count(*) FROM alert_metrics")
    return lines


async def _looks(url: str, now: datetime) -> list[float]:
    took = []
    for number in range(LOOKS):
        moment = now - (LOOKS - number) * MINUTE
        async with own_signals(url, policy=FoldPolicy(), now=moment) as way:
            began = time.perf_counter()
            await evaluate_rules(way, now=moment)
            took.append(time.perf_counter() - began)
    return took


async def _pings(connection: asyncpg.Connection, url: str) -> float:
    digests = [key_digest(new_secret()) for _ in range(HEARTBEATS)]
    await connection.executemany(_HEARTBEAT, [(new_id(), f"Job {n}", digest) for n, digest in enumerate(digests)])
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://", 1))
    queue, answers = PingQueue(engine), Counter[bool]()
    numbers = iter(range(PINGS))

    async def ping_on() -> None:
        for number in numbers:
            digest = digests[number % HEARTBEATS]
            answers[await queue.ping(digest, source="192.0.2.1", now=datetime.now(tz=UTC))] += 1

    began = time.perf_counter()
    await asyncio.gather(*[ping_on() for _ in range(AT_ONCE)])
    took = time.perf_counter() - began
    await engine.dispose()
    counted = await connection.fetchval("SELECT sum(ping_count) FROM heartbeats")
    if answers != {True: PINGS} or counted != PINGS:
        raise RuntimeError(f"{answers} answered, {counted} counted")
    return PINGS / took


async def measure(url: str) -> None:
    """Fill, look, ping."""
    now = datetime.now(tz=UTC).replace(second=20, microsecond=0)
    connection = await asyncpg.connect(url)
    lines = await _fill(connection, now)
    took = sorted(await _looks(url, now))
    print(f"{RULES} rules over {lines:,} lines: a minute's look takes", end=" ")
    print(f"{took[LOOKS // 2] * 1000:.0f} ms ({took[0] * 1000:.0f} to {took[-1] * 1000:.0f})")
    print(f"{await _pings(connection, url):,.0f} pings a second of {HEARTBEATS} heartbeats, {AT_ONCE} at once")
    await connection.close()


def main() -> None:
    """On a PostgreSQL of its own."""
    with database.running(FOLDER) as stores:
        asyncio.run(measure(stores.tocsin.owner_url))


if __name__ == "__main__":
    main()
