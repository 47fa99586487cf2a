"""Are statements past SQLAlchemy's execution given what it would give, and does no connection stay behind?"""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.alerts.model import Severity
from persistence import engine as module
from persistence.engine import create_engine
from persistence.prepared import fetch, prepared
from persistence.tables import alerts
from tests.waiting import until_true
from tocsin.settings import Settings

PID = sa.select(sa.func.pg_backend_pid().label("pid"))
SLEEP = sa.select(sa.func.pg_sleep(sa.bindparam("seconds", 60.0, type_=sa.Float)))
ID = UUID("00000000-0000-7000-9000-000000000001")
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
VALUES: list[Any] = [
    sa.literal(ID, pg.UUID(as_uuid=True)),
    sa.literal(NOON, sa.DateTime(timezone=True)),
    sa.literal({"a": [1, None]}, pg.JSONB),
    sa.literal([ID], pg.ARRAY(pg.UUID(as_uuid=True))),
    sa.cast(sa.literal(Severity.HIGH.value, alerts.c.severity.type), sa.Text),
    sa.literal("x", sa.Text).in_(["y", "x", "z"]),
    sa.literal("x", sa.Text).in_([]),
    sa.literal(7) + 1,
]


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(Settings(database_url=database_url), pool_size=1)
    yield engine
    assert engine.pool.checkedout() == 0  # type: ignore[attr-defined] # of the pool it is
    await engine.dispose()


async def _pid(engine: AsyncEngine) -> int:
    pid: int = (await fetch(engine, prepared(PID, engine.dialect), {}))[0]["pid"]
    return pid


async def test_values_of_every_kind_are_given_as_sqlalchemy_gives_them(engine: AsyncEngine) -> None:
    statement = sa.select(*(value.label(f"v{number}") for number, value in enumerate(VALUES)))
    async with engine.connect() as connection:
        whole = (await connection.execute(statement)).all()
    (row,) = await fetch(engine, prepared(statement, engine.dialect), {})
    assert [tuple(row)] == [tuple(one) for one in whole]


async def test_given_values_take_the_place_of_those_that_are_known(engine: AsyncEngine) -> None:
    severity = sa.bindparam("severity", None, type_=alerts.c.severity.type)
    statement = prepared(sa.select(sa.cast(severity, sa.Text).label("is")), engine.dialect)
    found = [(await fetch(engine, statement, {"severity": one.value}))[0]["is"] for one in Severity]
    assert found == [one.value for one in Severity]
    assert (await fetch(engine, statement, {}))[0]["is"] is None


async def test_it_leaves_no_transaction_open_and_no_connection_behind(engine: AsyncEngine) -> None:
    state = sa.select(sa.text("state FROM pg_stat_activity WHERE pid = :pid"))
    first = await _pid(engine)
    assert await _pid(engine) == first  # the one there is
    other = await asyncpg.connect(engine.url.set(drivername="postgresql").render_as_string(hide_password=False))
    try:
        assert await other.fetchval("SELECT state FROM pg_stat_activity WHERE pid = $1", first) == "idle"
    finally:
        await other.close()
    async with engine.begin() as connection:  # and SQLAlchemy goes on with it
        assert await connection.scalar(state, {"pid": first}) == "active"


async def test_an_error_is_the_drivers_own_and_the_connection_works_on(engine: AsyncEngine) -> None:
    first = await _pid(engine)
    with pytest.raises(asyncpg.DivisionByZeroError):
        await fetch(engine, prepared(sa.select(sa.literal(1) / sa.literal(0)), engine.dialect), {})
    assert await _pid(engine) == first


async def test_one_that_is_given_up_is_not_handed_out_again(engine: AsyncEngine) -> None:
    first = await _pid(engine)
    working = asyncio.create_task(fetch(engine, prepared(SLEEP, engine.dialect), {}))
    other = await asyncpg.connect(engine.url.set(drivername="postgresql").render_as_string(hide_password=False))
    try:

        async def is_asleep() -> bool:
            query = "SELECT wait_event = 'PgSleep' FROM pg_stat_activity WHERE pid = $1"
            return bool(await other.fetchval(query, first))

        await until_true(is_asleep)
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working
    finally:
        await other.close()
    assert await _pid(engine) != first


async def test_who_waits_for_a_connection_may_give_up_too(engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    async with engine.connect():
        waiting = asyncio.create_task(_pid(engine))
        await asyncio.sleep(0.05)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        monkeypatch.setattr(engine.pool, "_timeout", 0.05)
        with pytest.raises(PoolTimeout):
            await _pid(engine)
    assert await _pid(engine)


async def test_no_statement_fails_after_a_restart_of_the_server(
    engine: AsyncEngine, postgresql_server_url: str
) -> None:
    first = await _pid(engine)
    server = await asyncpg.connect(postgresql_server_url)
    try:
        await server.execute(f"SELECT pg_terminate_backend({first})")
    finally:
        await server.close()
    await asyncio.sleep(module.PING_AFTER.total_seconds() / 25)  # the end of the connection has arrived
    assert await _pid(engine) != first
