"""How far can this PostgreSQL keep time series? Found by calling, not by asking: SHOW timescaledb.license can lie.

| level     | alert_metrics is | old data                                            |
|-----------|------------------|-----------------------------------------------------|
| COMMUNITY | a hypertable     | compressed and dropped by TimescaleDB's own policies |
| APACHE    | a hypertable     | whole chunks dropped by our scheduler               |
| PLAIN     | a plain table    | rows deleted by our scheduler                       |

Every query is the same on all three (`date_bin`), and every step here can be run again: an extension that is installed
later is used from the next `tocsin migrate` on.
"""

from datetime import datetime, timedelta
from enum import StrEnum

import asyncpg
import structlog

from persistence.direct import DirectConnection

_log = structlog.get_logger(__name__)
CHUNK = timedelta(days=7)
COMPRESS_AFTER = timedelta(days=30)
# Two years of history and the one being written; more than anybody compares with.
METRICS_RETENTION = timedelta(days=3 * 366)
LOCK_TIMEOUT = "5s"


class TimeSeriesLevel(StrEnum):
    """What the database offers for time series."""

    COMMUNITY = "community"
    APACHE = "apache"
    PLAIN = "plain"


async def detect_level(connection: DirectConnection) -> TimeSeriesLevel:
    """The level of the connected database. Any role may ask; nothing is changed."""
    if not await connection.fetchval("SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb')"):
        return TimeSeriesLevel.PLAIN
    try:
        async with connection.transaction():
            # A function of the community edition that, asked for a job that cannot be, does nothing.
            await connection.execute("SELECT alter_job(-1, if_exists => true)")
    except asyncpg.FeatureNotSupportedError:
        return TimeSeriesLevel.APACHE
    except asyncpg.PostgresError as error:
        _log.warning("the TimescaleDB extension does not answer; it is not used", error=str(error))
        return TimeSeriesLevel.PLAIN
    return TimeSeriesLevel.COMMUNITY


async def ensure_timeseries(owner_url: str) -> TimeSeriesLevel:
    """Use TimescaleDB as far as it goes: make alert_metrics a hypertable, with policies where the licence has them."""
    await _install_extension(owner_url)
    owner = await asyncpg.connect(owner_url)
    try:
        level = await detect_level(owner)
        if level is not TimeSeriesLevel.PLAIN:
            await _convert(owner)
        if level is TimeSeriesLevel.COMMUNITY:
            await _add_policies(owner)
    finally:
        await owner.close()
    return level


async def _install_extension(owner_url: str) -> None:
    """Install it where the server has it and the role may.

    On a connection of its own: a server that has the files but did not preload the library ends the session that tries.
    """
    connection = await asyncpg.connect(owner_url)
    try:
        offered = await connection.fetchval(
            "SELECT installed_version IS NULL FROM pg_available_extensions WHERE name = 'timescaledb'"
        )
        if offered:
            await connection.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        _log.warning("TimescaleDB cannot be installed; metrics stay in a plain table", error=str(error))
    finally:
        connection.terminate()


async def _convert(owner: DirectConnection) -> None:
    converted = await owner.fetchval(
        "SELECT EXISTS (SELECT FROM timescaledb_information.hypertables WHERE hypertable_name = 'alert_metrics')"
    )
    if converted:
        return
    async with owner.transaction():
        await owner.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        # No default index: the primary key begins with the bucket, and the migrations know every index there is.
        await owner.execute(
            "SELECT create_hypertable('alert_metrics', by_range('bucket', $1::interval),"
            " create_default_indexes => false, if_not_exists => true, migrate_data => true)",
            CHUNK,
        )
    _log.info("alert_metrics is a hypertable now")


async def _add_policies(owner: DirectConnection) -> None:
    """Compression and retention, which only the community licence has."""
    async with owner.transaction():
        await owner.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        await owner.execute(
            "ALTER TABLE alert_metrics SET (timescaledb.compress, timescaledb.compress_orderby = 'bucket',"
            " timescaledb.compress_segmentby = 'service_name, source, severity, team_id')"
        )
        await owner.execute(
            "SELECT add_compression_policy('alert_metrics', $1::interval, if_not_exists => true)", COMPRESS_AFTER
        )
        await owner.execute(
            "SELECT add_retention_policy('alert_metrics', $1::interval, if_not_exists => true)", METRICS_RETENTION
        )


async def drop_old_metrics(
    owner: DirectConnection, *, now: datetime, retention: timedelta = METRICS_RETENTION
) -> TimeSeriesLevel:
    """Let go of metrics older than `retention`, by the means of the level; returns the level."""
    level = await detect_level(owner)
    if level is TimeSeriesLevel.APACHE:
        await owner.execute("SELECT drop_chunks('alert_metrics', older_than => $1::timestamptz)", now - retention)
    elif level is TimeSeriesLevel.PLAIN:
        await owner.execute("DELETE FROM alert_metrics WHERE bucket < $1", now - retention)
    return level
