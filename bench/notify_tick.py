"""What does a tick cost over many open escalations of which few are due, and beside it over few?"""

import asyncio
import statistics
import time
from datetime import UTC, datetime
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine

from bench.database import Database
from bench.live_people import SECRET
from domain.ids import new_id
from jobs.paging import page
from persistence.engine import create_engine
from tocsin.settings import Settings

DUE = 100
_FILL = """
WITH policy AS (
  INSERT INTO escalation_policies (id, name, severities, steps, created_at, updated_at)
  VALUES (gen_random_uuid(), 'tick ' || gen_random_uuid(), '{{critical}}', '{steps}', now(), now()) RETURNING id
), made AS (
  INSERT INTO alerts (id, title, severity, status, source, service_name, created_at, updated_at, started_at,
                      last_seen_at, integration_id, dedup_key, dedup_recipe)
  SELECT gen_random_uuid(), 'tick ' || number, 'critical', 'active', 'bench', 'bench', now(), now(), now(), now(),
         '00000000-0000-7000-8000-000000000001', 'tick:' || gen_random_uuid(), 'by hand'
    FROM generate_series(1, {number}) AS number
  RETURNING id, episode
)
INSERT INTO escalations (id, alert_id, episode, policy_id, policy_version, steps, repeats, state, started_at, next_at)
SELECT gen_random_uuid(), made.id, made.episode, policy.id, 1, '{steps}', 9, 'running', now(), now() + interval '1 day'
  FROM made, policy
"""
_MAKE_DUE = """
UPDATE escalations SET next_at = now() - interval '1 second'
 WHERE id IN (SELECT id FROM escalations WHERE state = 'running' AND next_at > now() LIMIT {number})
"""
_CHANNEL = """
INSERT INTO channels (id, name, kind, created_at, updated_at)
VALUES ('{id}', 'tick {id}', 'webhook', now(), now())
"""


def _two_steps(channel_id: UUID) -> str:
    target = [{"kind": "channel", "id": str(channel_id)}]
    steps = [{"delay_seconds": seconds, "targets": target} for seconds in (86400, 86400)]
    return msgspec.json.encode(steps).decode()


async def measure(store: Database, *, escalations: int, ticks: int) -> None:
    """Print what a tick costs over few and over many."""
    settings = Settings(database_url=store.application_url, secret_key=SECRET)
    engine = create_engine(settings, pool_size=2)
    medians = {}
    try:
        for number in (DUE, escalations):
            channel_id = new_id()
            await asyncio.to_thread(
                store.run,
                "TRUNCATE escalations, notifications, alerts CASCADE",
                _CHANNEL.format(id=channel_id),
                _FILL.format(number=number, steps=_two_steps(channel_id)),
                "VACUUM ANALYZE escalations, alerts, notifications",
            )
            medians[number] = await _tick(store, engine, settings, number=number, ticks=ticks)
    finally:
        await engine.dispose()
    few, many = medians.values()
    print(f"  {many / few:.1f} times the tick over {DUE}")


async def _tick(store: Database, engine: AsyncEngine, settings: Settings, *, number: int, ticks: int) -> float:
    idle: list[float] = []
    busy: list[float] = []
    for _ in range(ticks):
        for took, due in ((idle, 0), (busy, DUE)):
            if due:
                await asyncio.to_thread(store.run, _MAKE_DUE.format(number=due))
            began = time.perf_counter()
            fired = await page(engine, settings, datetime.now(tz=UTC))
            took.append(time.perf_counter() - began)
            if fired < due:
                raise RuntimeError(f"{fired} of {due} fired")
    print(
        f"\ntick over {number} open escalations: nothing due median {in_ms(statistics.median(idle))}, most "
        f"{in_ms(max(idle))}; {DUE} due median {in_ms(statistics.median(busy))}, most {in_ms(max(busy))}"
    )
    return statistics.median(busy)


def in_ms(seconds: float) -> str:
    """So many seconds as people read them here."""
    return f"{seconds * 1000:.1f} ms"
