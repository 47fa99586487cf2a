"""Which chores need the owner's role? Making next months' partitions, dropping what is past its retention."""

from datetime import datetime, timedelta

import asyncpg
import structlog

from persistence.migrate import plain_dsn
from persistence.partitions import drop_expired, ensure_partitions
from persistence.timescale import drop_old_metrics
from tocsin.settings import Settings

_log = structlog.get_logger(__name__)


async def maintain(settings: Settings, now: datetime) -> None:
    """Do the chores when the owner's address is known here; `tocsin migrate` does the first of them otherwise."""
    url = settings.database_owner_url
    if url is None:
        return
    try:
        owner = await asyncpg.connect(plain_dsn(url), timeout=settings.db_connect_timeout.total_seconds())
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        _log.warning("the owner's role cannot connect; partitions are not maintained", error=repr(error))
        return
    try:
        made = await ensure_partitions(owner, now=now)
        gone = await drop_expired(owner, now=now, retention=timedelta(days=settings.signal_retention_days))
        await drop_old_metrics(owner, now=now)
    except asyncpg.PostgresError as error:
        # A lock that could not be had at once, mostly: the next hour tries again.
        _log.warning("partitions are not maintained this time", error=repr(error))
        return
    finally:
        await owner.close()
    if made or gone:
        _log.info("partitions maintained", made=made, dropped=gone)
