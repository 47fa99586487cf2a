"""Does the pool hand out only connections that work, without asking the server each time?"""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from persistence import engine as module
from persistence.engine import create_engine
from tocsin.settings import Settings

ENDED = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tocsin' AND datname = $1"


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(Settings(database_url=database_url), pool_size=3)
    yield engine
    await engine.dispose()


async def _pid(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        pid: int = await connection.scalar(sa.text("SELECT pg_backend_pid()")) or 0
    return pid


async def _end_all(server_url: str, database: str | None) -> None:
    server = await asyncpg.connect(server_url)
    try:
        await server.execute(ENDED.replace("$1", f"'{database}'"))
    finally:
        await server.close()


async def test_no_request_fails_after_a_restart_of_the_server(engine: AsyncEngine, postgresql_server_url: str) -> None:
    async with engine.connect(), engine.connect(), engine.connect():
        pass
    await _end_all(postgresql_server_url, engine.url.database)
    await asyncio.sleep(0.2)  # the end of each connection has arrived
    for _ in range(3):
        assert await _pid(engine)


async def test_a_connection_in_use_is_not_asked(engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0

    def ping(connection: object) -> bool:
        nonlocal asked
        asked += 1
        return True

    monkeypatch.setattr(engine.dialect, "do_ping", ping)
    first = await _pid(engine)
    assert await _pid(engine) == first
    assert asked == 0
    monkeypatch.setattr(module, "PING_AFTER", timedelta())
    assert await _pid(engine) == first
    assert asked == 1


async def test_one_that_does_not_answer_any_more_is_replaced(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PING_AFTER", timedelta())
    first = await _pid(engine)

    def ping(_connection: object) -> bool:
        raise OSError("the way is cut")

    monkeypatch.setattr(engine.dialect, "do_ping", ping)
    assert await _pid(engine) != first
