"""Is TimescaleDB used as far as it goes, harmlessly again and again, and is nothing missed where there is none?"""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
from alembic import command
from alembic.config import Config

from persistence.migrate import migrate
from persistence.timescale import TimeSeriesLevel, detect_level, drop_old_metrics, ensure_timeseries

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ALEMBIC_INI = Path(__file__).resolve().parent.parent.parent / "alembic.ini"
IS_HYPERTABLE = "SELECT count(*) FROM timescaledb_information.hypertables WHERE hypertable_name = 'alert_metrics'"


async def insert_minutes(connection: asyncpg.Connection, *ages_in_days: int) -> None:
    await connection.executemany(
        "INSERT INTO alert_metrics (bucket, service_name, source, severity, team_id, opened)"
        " VALUES ($1, 'shop', 'prometheus', 'high', $2, 1)",
        [(NOW - timedelta(days=age), UUID(int=0)) for age in ages_in_days],
    )


async def ages_kept(connection: asyncpg.Connection) -> list[int]:
    rows = await connection.fetch("SELECT bucket FROM alert_metrics ORDER BY bucket DESC")
    return [(NOW - row["bucket"]).days for row in rows]


async def test_a_table_that_holds_rows_becomes_a_hypertable(timescale_url: str) -> None:
    connection = await asyncpg.connect(timescale_url)
    await insert_minutes(connection, 0, 10, 400)
    assert await ensure_timeseries(timescale_url) is TimeSeriesLevel.APACHE
    assert await connection.fetchval(IS_HYPERTABLE) == 1
    assert await ages_kept(connection) == [0, 10, 400]
    assert await ensure_timeseries(timescale_url) is TimeSeriesLevel.APACHE
    await connection.close()


async def test_old_metrics_leave_a_hypertable_by_the_chunk(timescale_url: str) -> None:
    await ensure_timeseries(timescale_url)
    connection = await asyncpg.connect(timescale_url)
    await insert_minutes(connection, 0, 90, 400)
    level = await drop_old_metrics(connection, now=NOW, retention=timedelta(days=100))
    assert level is TimeSeriesLevel.APACHE
    assert await ages_kept(connection) == [0, 90]
    await connection.close()


async def test_old_metrics_leave_a_plain_table_by_the_row(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    await insert_minutes(connection, 0, 90, 400)
    level = await drop_old_metrics(connection, now=NOW, retention=timedelta(days=100))
    assert level is TimeSeriesLevel.PLAIN
    assert await ages_kept(connection) == [0, 90]
    await connection.close()


async def test_without_the_extension_the_table_stays_plain(database_url: str) -> None:
    assert await ensure_timeseries(database_url) is TimeSeriesLevel.PLAIN
    connection = await asyncpg.connect(database_url)
    assert await detect_level(connection) is TimeSeriesLevel.PLAIN
    await insert_minutes(connection, 0)
    await connection.close()


async def test_a_migration_knows_a_hypertable_for_its_table(timescale_url: str) -> None:
    config = Config(ALEMBIC_INI)
    config.attributes["url"] = timescale_url
    report = await asyncio.to_thread(migrate, timescale_url)
    assert report.level is TimeSeriesLevel.APACHE
    # No difference between the tables in the code and a database with partitions and a hypertable.
    await asyncio.to_thread(command.check, config)
    await asyncio.to_thread(command.downgrade, config, "base")
    connection = await asyncpg.connect(timescale_url)
    assert await connection.fetchval("SELECT to_regclass('alert_metrics')") is None
    await connection.close()
