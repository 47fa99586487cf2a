"""What makes a database ready? Migrations, partitions, the time-series extension, counts, rights: in this order.

Every step can be run again; two that run at once take turns.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import asyncpg

from persistence.alert_counts import build_counts
from persistence.direct import DirectConnection
from persistence.locks import LOCK_POLL_SECONDS, MIGRATION_LOCK
from persistence.partitions import ensure_partitions
from persistence.roles import grant_application_role
from persistence.timescale import TimeSeriesLevel, ensure_timeseries

_ROOT = Path(__file__).resolve().parent.parent
_ALEMBIC_INI = _ROOT / "alembic.ini"


class SchemaTooNew(Exception):
    """The database was migrated by a newer Tocsin than this one; starting on it could lose what only that one knows."""

    def __init__(self, revision: str, newest_known: str) -> None:
        super().__init__(
            f"the database's schema is at {revision}, which this version does not know (its newest is {newest_known}); "
            "start the newer version, or restore a backup of before its migration"
        )
        self.revision = revision


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationReport:
    """What `tocsin migrate` did. `before` is None for an empty database."""

    before: str | None
    after: str
    partitions: tuple[str, ...]
    level: TimeSeriesLevel
    is_role_separate: bool


def migrate(owner_url: str, app_role: str | None = None) -> MigrationReport:
    """Bring the database to this version's schema and state. Synchronous: alembic runs an event loop of its own."""
    # Every process asks for the revision, and few migrate: alembic would be a tenth of the others' start.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    url = plain_dsn(owner_url)
    config = Config(_ALEMBIC_INI)
    config.attributes["url"] = url
    before = asyncio.run(_known_revision(url))
    command.upgrade(config, "head")
    return asyncio.run(_finish(url, app_role, before=before, after=newest_revision()))


@cache
def known_revisions() -> tuple[str, ...]:
    """The revisions of the migrations this version ships, oldest first: a file's name begins with its number."""
    return tuple(sorted(file.name.partition("_")[0] for file in (_ROOT / "migrations" / "versions").glob("[0-9]*.py")))


def newest_revision() -> str:
    """The revision this version's code is written for."""
    return known_revisions()[-1]


async def current_revision(connection: DirectConnection) -> str | None:
    """The revision of the connected database; None when it was never migrated."""
    if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
        return None
    revision: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
    return revision


def refuse_newer(revision: str | None) -> None:
    """Raise SchemaTooNew when the revision is none of those this version ships."""
    if revision is not None and revision not in known_revisions():
        raise SchemaTooNew(revision, newest_revision())


async def _known_revision(url: str) -> str | None:
    connection = await asyncpg.connect(url)
    try:
        revision = await current_revision(connection)
    finally:
        await connection.close()
    refuse_newer(revision)
    return revision


async def _finish(url: str, app_role: str | None, *, before: str | None, after: str) -> MigrationReport:
    async with _exclusive(url) as owner:
        partitions = await ensure_partitions(owner, now=datetime.now(tz=UTC))
        level = await ensure_timeseries(url)
        await build_counts(owner)
        is_separate = app_role is not None and await grant_application_role(owner, app_role)
    return MigrationReport(before=before, after=after, partitions=partitions, level=level, is_role_separate=is_separate)


@asynccontextmanager
async def _exclusive(url: str) -> AsyncIterator[DirectConnection]:
    """A connection that holds the migrations' lock: two GRANTs at once on a table fail with "concurrently updated"."""
    connection = await asyncpg.connect(url)
    try:
        # As in migrations/env.py; no event of this process tells of it.
        while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", MIGRATION_LOCK):  # noqa: ASYNC110
            await asyncio.sleep(LOCK_POLL_SECONDS)
        yield connection
    finally:
        await connection.close()


def plain_dsn(url: str) -> str:
    """A database URL as asyncpg takes it, whatever driver it names."""
    return "postgresql://" + url.split("://", 1)[1]
