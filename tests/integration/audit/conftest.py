"""What may a test of the sealed log ask for? A log it can write to, seal and verify; and a superuser who tampers."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
import pytest

from domain.audit.sealing import Seal
from domain.ids import new_id
from jobs.sealing import AuditSealing
from persistence.direct import DirectConnection, open_log_pool
from tests.api import MovableClock, api_settings
from tocsin.audit_verify import Verdict, Wanted, verify
from tocsin.settings import Settings

INSERT = (
    "INSERT INTO audit_log (id, occurred_at, actor_kind, actor_id, action, outcome, target_kind, after)"
    " VALUES ($1, $2, 'user', $3, $4, 'done', 'alert', $5)"
)
ACTOR = UUID(int=7)


async def write(connection: DirectConnection, count: int = 1, *, action: str = "acknowledgeAlert") -> list[UUID]:
    """Entries, in whatever transaction the connection is in."""
    ids = [new_id() for _ in range(count)]
    now = datetime.now(tz=UTC)
    rows = [(entry, now, ACTOR, action, f'{{"number": {place}}}') for place, entry in enumerate(ids)]
    await connection.executemany(INSERT, rows)
    return ids


@dataclass
class SealedLog:
    """The log under test."""

    settings: Settings
    pool: asyncpg.Pool
    clock: MovableClock

    async def write(self, count: int = 1, **more: Any) -> list[UUID]:  # noqa: ANN401 - as `write` has them
        """Entries, committed."""
        async with self.pool.acquire() as connection, connection.transaction():
            return await write(connection, count, **more)

    async def seal(self) -> list[Seal]:
        """One round of a sealer that begins anew, as after a restart."""
        return await AuditSealing(self.settings, self.pool, clock=self.clock).round()

    async def verify(self, **wanted: Any) -> Verdict:  # noqa: ANN401 - as Wanted has them
        """A whole verification."""
        return await verify(self.settings, Wanted(**wanted), lambda _line: None)


@pytest.fixture
async def log(database_url: str, tmp_path: Path) -> AsyncIterator[SealedLog]:
    settings = api_settings(database_url, tmp_path, audit_seal_interval=0)
    pool = await open_log_pool(settings, size=4, name="tests")
    yield SealedLog(settings, pool, MovableClock())
    pool.terminate()


@pytest.fixture
async def superuser(database_url: str, postgresql_server_url: str) -> AsyncIterator[asyncpg.Connection]:
    """The one whom nothing in the database stops: no trigger fires for them."""
    parts = urlsplit(postgresql_server_url)
    connection = await asyncpg.connect(parts._replace(path=urlsplit(database_url).path).geturl())
    await connection.execute("SET session_replication_role = replica")
    yield connection
    await connection.close()
