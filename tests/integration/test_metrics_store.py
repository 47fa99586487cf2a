"""Are the minutes right where a life is not simple: acknowledged twice, reopened, marked and unmarked as false?"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from domain.alerts.cursor import log_start
from domain.alerts.events import AlertEventKind as Kind
from domain.alerts.model import AlertStatus, Severity
from persistence.event_log import LogReader
from persistence.metrics_store import add_run
from tests.log_writer import insert_alert, insert_event

START = datetime(2026, 3, 4, 12, tzinfo=UTC)
MARKED = {"changes": {"is_false_positive": [False, True]}}
UNMARKED = {"changes": {"is_false_positive": [True, False]}}


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(database_url, min_size=0, max_size=2) as pool:
        yield pool


async def live_through(pool: asyncpg.Pool, *steps: tuple[Kind, int, dict[str, Any]], **columns: Any) -> UUID:  # noqa: ANN401 - columns of many types
    """An alert with these events: kind, seconds after START, data."""
    async with pool.acquire() as connection:
        alert_id = await insert_alert(connection, created_at=START, **columns)
        for kind, seconds, data in steps:
            await insert_event(
                connection, alert_id=alert_id, kind=kind, occurred_at=START + timedelta(seconds=seconds), data=data
            )
    return alert_id


async def totals(pool: asyncpg.Pool, *, runs: int = 1000) -> dict[str, Any]:
    """Add the whole log in runs of this length; the sums."""
    reader = LogReader(pool)
    place = log_start((await reader.state()).head.epoch)
    while events := await reader.read_after(place, limit=runs):
        async with pool.acquire() as connection:
            end = type(place)(epoch=place.epoch, position=events[-1].position, recorded_at=events[-1].recorded_at)
            await add_run(connection, before=place, end=end)
        place = end
    row = await pool.fetchrow(
        "SELECT sum(opened) AS opened, sum(acknowledged) AS acknowledged, sum(resolved) AS resolved,"
        " sum(reopened) AS reopened, sum(repeated) AS repeated, sum(false_positives) AS false_positives,"
        " sum(acknowledge_seconds) AS acknowledge_seconds, sum(resolve_seconds) AS resolve_seconds FROM alert_metrics"
    )
    assert row is not None
    return {name: int(value) for name, value in row.items()}


LIFE: tuple[tuple[Kind, int, dict[str, Any]], ...] = (
    (Kind.OPENED, 0, {}),
    (Kind.REPEATED, 10, {"count": 7}),
    (Kind.ACKNOWLEDGED, 30, {}),
    (Kind.UNACKNOWLEDGED, 60, {}),
    (Kind.ACKNOWLEDGED, 90, {}),
    (Kind.RESOLVED, 100, MARKED),
    (Kind.REOPENED, 200, UNMARKED),
    (Kind.ACKNOWLEDGED, 205, {}),
    (Kind.RESOLVED, 260, {}),
)
EXPECTED = {
    "opened": 1, "acknowledged": 2, "resolved": 2, "reopened": 1, "repeated": 7, "false_positives": 0,
    "acknowledge_seconds": 30 + 5, "resolve_seconds": 100 + 60,
}  # fmt: skip


@pytest.mark.parametrize("runs", [1, 2, 1000])
async def test_a_life_of_two_episodes_whatever_the_runs(pool: asyncpg.Pool, runs: int) -> None:
    await live_through(pool, *LIFE)
    assert await totals(pool, runs=runs) == EXPECTED


async def test_a_false_positive_that_stays_one_counts_once(pool: asyncpg.Pool) -> None:
    await live_through(pool, (Kind.OPENED, 0, {}), (Kind.RESOLVED, 5, MARKED))
    assert (await totals(pool))["false_positives"] == 1


async def test_a_new_episode_does_not_make_the_last_one_less_false(pool: asyncpg.Pool) -> None:
    fired_again = {**UNMARKED, "started_at": (START + timedelta(seconds=60)).isoformat()}
    await live_through(pool, (Kind.OPENED, 0, {}), (Kind.RESOLVED, 5, MARKED), (Kind.REOPENED, 60, fired_again))
    assert (await totals(pool))["false_positives"] == 1


async def test_each_dimension_and_minute_has_a_row(pool: asyncpg.Pool) -> None:
    await live_through(pool, (Kind.OPENED, 0, {}), (Kind.RESOLVED, 61, {}), service_name="db", source="grafana")
    await live_through(pool, (Kind.OPENED, 5, {}), service_name=None, severity=Severity.LOW)
    await totals(pool)
    rows = await pool.fetch("SELECT bucket, service_name, source, opened, resolved FROM alert_metrics ORDER BY 1, 2")
    assert [tuple(row) for row in rows] == [
        (START, "", "prometheus", 1, 0),
        (START, "db", "grafana", 1, 0),
        (START + timedelta(minutes=1), "db", "grafana", 0, 1),
    ]


async def test_an_event_whose_alert_is_gone_is_counted_without_it(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        await insert_event(connection, occurred_at=START)
        await insert_event(connection, occurred_at=START, kind=Kind.RESOLVED, status=AlertStatus.RESOLVED)
    found = await totals(pool)
    assert (found["opened"], found["resolved"], found["resolve_seconds"]) == (1, 1, 0)
