"""Which alerts are read? A hundred thousand and a million over two years, made inside the database, as skewed as life.

A service is the more frequent the lower its number, one alert in a hundred is open and those are mostly of late, two
teams of twenty are private, labels have few values, many, and thousands. The databases are kept: a second run finds
them.
"""

import asyncio
from dataclasses import dataclass
from urllib.parse import urlsplit

import asyncpg

from bench.database import Database, Stores
from persistence.alert_counts import build_counts, fold_counts
from persistence.migrate import migrate, newest_revision
from tocsin.embedded import state

TEAMS, PRIVATE_TEAMS, SERVICES = 20, 2, 300
# Alerts made by one statement. In order of time, so that they lie in the table as they would have come.
STEP = 100_000
MADE = "SELECT count(*) FROM alerts"

_TEAMS = f"""
INSERT INTO teams (id, name, slug, is_private, created_at)
SELECT ('00000000-0000-7000-9000-' || lpad(n::text, 12, '0'))::uuid, 'Team ' || n, 'team-' || n,
       n > {TEAMS - PRIVATE_TEAMS}, now() FROM generate_series(1, {TEAMS}) AS n
"""
# Severities ascend in SQL. `dice` are hashes of the number: the same alerts in every run.
_ALERTS = f"""
INSERT INTO alerts (id, title, description, severity, status, source, service_name, created_at, updated_at, started_at,
  last_seen_at, resolved_at, resolved_by, metadata, labels, integration_id, dedup_key, dedup_recipe, occurrences,
  team_id)
SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(md5(n::text), 1, 3) || '8'
        || substr(md5(n::text), 5, 15))::uuid,
       'Error rate above ' || d3 % 90 || '% on service-' || service,
       'The error rate of service-' || service || ' on db-' || d1 % 5000 || ' has been too high for ten minutes.',
       (CASE WHEN d2 % 100 < 3 THEN 'critical' WHEN d2 % 100 < 15 THEN 'high' WHEN d2 % 100 < 60 THEN 'medium'
             ELSE 'low' END)::alert_severity,
       (CASE WHEN NOT is_open THEN 'resolved' WHEN d3 % 10 < 7 THEN 'active' WHEN d3 % 10 < 9 THEN 'acknowledged'
             ELSE 'investigating' END)::alert_status,
       CASE WHEN d3 % 10 < 7 THEN 'prometheus' WHEN d3 % 10 < 9 THEN 'grafana' ELSE 'datadog' END,
       'service-' || service, at, at + interval '20 minutes', at, at + interval '10 minutes',
       CASE WHEN NOT is_open THEN at + interval '20 minutes' END, CASE WHEN NOT is_open THEN 'source' END,
       '{{}}', jsonb_build_object('alertname', 'ErrorRate' || service % 40, 'cluster', 'eu-' || d2 % 5,
                                  'instance', 'db-' || d1 % 5000,
                                  'env', CASE WHEN d1 % 5 < 3 THEN 'prod' ELSE 'test' END),
       '00000000-0000-7000-8000-000000000001', 'bench-' || n, 'manual:1', 1 + d1 % 7,
       CASE WHEN d1 % 20 > 0 THEN ('00000000-0000-7000-9000-' || lpad((1 + service % {TEAMS})::text, 12, '0'))::uuid END
  FROM (SELECT n, d1, d2, d3, floor(power((d1 % 100003) / 100003.0, 3) * {SERVICES})::int AS service,
               timestamptz '2026-11-01' - interval '730 days' * (1 - n / $3::float8) AS at,
               CASE WHEN n > $3 * 0.98 THEN d2 % 1000 < 400 ELSE d2 % 1000 < 2 END AS is_open
          FROM (SELECT n, abs(hashint8(n)::bigint) AS d1, abs(hashint8(n + 7777777)::bigint) AS d2,
                       abs(hashint8(n * 3 + 1)::bigint) AS d3
                  FROM generate_series($1::bigint, $2::bigint) AS n) AS dice) AS made
"""


@dataclass(frozen=True, slots=True)
class Filled:
    """A database and how many alerts are in it."""

    database: Database
    alerts: int


def filled(stores: Stores, alerts: int) -> Filled:
    """The database of so many alerts, made if it is not there at this version's schema."""
    name = f"bench_read_{alerts}"
    urls = (stores.tocsin.owner_url, stores.tocsin.application_url)
    owner, application = (urlsplit(url)._replace(path=f"/{name}").geturl() for url in urls)
    if not asyncio.run(_is_ready(stores.floor.owner_url, owner, name, alerts)):
        migrate(owner, state.APPLICATION)
        asyncio.run(_fill(owner, alerts))
    return Filled(Database(owner, application), alerts)


async def _is_ready(server_url: str, owner_url: str, name: str, alerts: int) -> bool:
    """Whether it is there and whole; an empty one is there otherwise."""
    server = await asyncpg.connect(server_url)
    try:
        if await server.fetchval("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name):
            database = await asyncpg.connect(owner_url)
            try:
                is_current = await database.fetchval("SELECT version_num FROM alembic_version") == newest_revision()
                if is_current and await database.fetchval(MADE) == alerts:
                    return True
            except asyncpg.UndefinedTableError:
                pass
            finally:
                await database.close()
            await server.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await server.execute(f"CREATE DATABASE {name}")
        return False
    finally:
        await server.close()


async def _fill(url: str, alerts: int) -> None:
    """Make the rows without triggers, then count them as a migration does."""
    owner = await asyncpg.connect(url)
    try:
        await owner.execute(_TEAMS)
        await owner.execute("SET session_replication_role = replica; SET synchronous_commit = off")
        for first in range(1, alerts + 1, STEP):
            await owner.execute(_ALERTS, first, min(first + STEP - 1, alerts), alerts)
            print(f"  {min(first + STEP - 1, alerts):,} of {alerts:,} alerts made", flush=True)
        await owner.execute("RESET session_replication_role")
        await owner.execute(
            "UPDATE alert_counts_frontier SET counted_beyond = (SELECT id FROM alerts ORDER BY id DESC LIMIT 1)"
        )
        steps = await build_counts(owner)
        while await fold_counts(owner):
            pass
        print(f"  counted in {steps} steps", flush=True)
        await owner.execute("VACUUM ANALYZE")
        await owner.execute("CHECKPOINT")
    finally:
        await owner.close()
