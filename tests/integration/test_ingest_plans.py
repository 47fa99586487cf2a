"""Is each key's newest alert looked up by the index of keys, whatever the statistics say when the plan is made?

A plan is made once a connection, and may be made while the table is empty: after a restore, or before the first alert.
One that walks through all alerts from the newest on is as good then, and is kept while millions come.
"""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from domain.alerts.model import MANUAL_INTEGRATION_ID
from persistence.group_placing import SIGHTINGS_SQL
from persistence.ingest_connections import PLANNING, WRITING, connect
from persistence.ingest_sql import READ_SQL

# Resolved ones, `$2` alerts a key.
MAKE = """
INSERT INTO alerts (id, title, severity, status, source, created_at, updated_at, started_at, last_seen_at, resolved_at,
  resolved_by, integration_id, dedup_key, dedup_recipe)
SELECT lpad(to_hex(n), 32, '0')::uuid, 'Disk full', 'low', 'resolved', 'manual', now(), now(), now(), now(), now(),
       'source', $3, 'key-' || lpad((n / $2)::text, 6, '0'), 'one alert each' FROM generate_series(1, $1::int) AS n
"""
MANY, ANALYZED = 20_000, "ANALYZE alerts"
# Its pages stay: the planner then goes by the number of rows that was counted in them, which is none.
EMPTIED = ("DELETE FROM alerts", "VACUUM (TRUNCATE false, ANALYZE) alerts")


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def writer(application_url: str) -> AsyncIterator[asyncpg.Connection]:
    """As ingest connects."""
    connection = await connect(application_url, name="test", **WRITING, **PLANNING)
    yield connection
    await connection.close()


@pytest.mark.parametrize(
    ("before", "keys_of", "statements"),
    [
        (0, 1, ()),
        (0, 1, (ANALYZED,)),
        (0, 1, ("TRUNCATE alerts CASCADE", "VACUUM ANALYZE alerts")),
        (MANY, 1, EMPTIED),
        (MANY, MANY, EMPTIED),
        (MANY, 1, (ANALYZED,)),
        (MANY, 20, (ANALYZED,)),
        (MANY, MANY, (ANALYZED,)),
    ],
    ids=[
        "never looked at",
        "empty",
        "truncated",
        "emptied",
        "emptied, of one key",
        "each its key",
        "a few a key",
        "all of one key",
    ],
)
async def test_the_newest_of_a_key_is_looked_up_by_its_key(
    owner: asyncpg.Connection, writer: asyncpg.Connection, before: int, keys_of: int, statements: tuple[str, ...]
) -> None:
    if before:
        await owner.execute(MAKE, before, keys_of, MANUAL_INTEGRATION_ID)
    # Of two that cost alike the planner takes the younger, as it may happen to be after a restore.
    for statement in ("REINDEX INDEX CONCURRENTLY pk_alerts", *statements):
        await owner.execute(statement)
    await writer.execute(f"PREPARE looking (uuid[], text[]) AS {READ_SQL}")
    lines = await writer.fetch("EXPLAIN EXECUTE looking (NULL, NULL)")
    plan = "\n".join(line[0] for line in lines)
    assert "Index Scan using ix_alerts_dedup_key on alerts" in plan
    assert "pk_alerts" not in plan
    assert "Sort" not in plan


async def test_an_alert_that_waits_for_a_like_one_is_looked_up_by_its_id(writer: asyncpg.Connection) -> None:
    """On a new database the planner took it from the index of services, whose last column is the id."""
    await writer.execute(f"PREPARE waiting (text[], int, timestamptz) AS {SIGHTINGS_SQL}")
    lines = await writer.fetch("EXPLAIN EXECUTE waiting (NULL, NULL, NULL)")
    assert "Index Scan using pk_alerts on alerts" in "\n".join(line[0] for line in lines)
