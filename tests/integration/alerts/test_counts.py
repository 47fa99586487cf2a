"""Do the counts agree with the lists after any changes, for every sight and filter, folded or not, built or kept?"""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.alerts.filter import AlertFilter, TimeRange
from domain.alerts.model import AlertStatus, Severity
from domain.alerts.visibility import EVERYTHING, Sight
from persistence import alert_counts
from persistence.alert_counts import build_counts, fold_counts
from persistence.engine import create_engine
from persistence.reads.alert_filter import condition
from persistence.reads.counted import rollup
from persistence.reads.counts import count_alerts, read_counts
from persistence.reads.visibility import visible
from persistence.tables import alerts
from tests.alert_builder import NOON, an_alert
from tests.alert_rows import put_alerts, put_team
from tocsin.settings import Settings

DAY, TICK = timedelta(days=1), timedelta(microseconds=1)
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
KEPT = [
    AlertFilter(),
    AlertFilter(is_open=True),
    AlertFilter(is_open=False, severities=frozenset({Severity.HIGH, Severity.LOW})),
    AlertFilter(statuses=frozenset({AlertStatus.ACKNOWLEDGED})),
    AlertFilter(statuses=frozenset()),
    AlertFilter(service_names=frozenset({"api", None})),
    AlertFilter(sources=frozenset({"prometheus"}), team_ids=frozenset({None})),
    AlertFilter(none_of=(AlertFilter(service_names=frozenset({"api"})),)),
    AlertFilter(any_of=(AlertFilter(is_open=True), AlertFilter(sources=frozenset({"grafana"})))),
    AlertFilter(created_at=TimeRange()),
    AlertFilter(created_at=TimeRange(NOON - 3 * DAY, None)),
    AlertFilter(created_at=TimeRange(None, NOON - DAY), is_open=False),
    AlertFilter(created_at=TimeRange(NOON - 5 * DAY, NOON - DAY), severities=frozenset({Severity.HIGH})),
    AlertFilter(created_at=TimeRange(NOON, NOON + timedelta(hours=1))),
    AlertFilter(
        created_at=TimeRange(NOON - 10 * DAY, NOON - 9 * DAY + timedelta(hours=13)), team_ids=frozenset({None})
    ),
    AlertFilter(created_at=TimeRange(NOON - timedelta(hours=12) - 2 * DAY, NOON + timedelta(hours=12))),
    # On either side of the middle of a day, where the nearest midnight changes; within a day; from the end to the end.
    *(
        AlertFilter(created_at=TimeRange(NOON - 6 * DAY + since, NOON - DAY + before))
        for since in (-TICK, TICK, timedelta(hours=11, minutes=59))
        for before in (-TICK, TICK, timedelta(hours=-11, minutes=-59))
    ),
    AlertFilter(created_at=TimeRange(NOON - DAY + TICK, NOON - TICK)),
    AlertFilter(created_at=TimeRange(NOON - DAY - TICK, NOON + TICK), team_ids=frozenset({None})),
    AlertFilter(created_at=TimeRange(LAST, None)),
    AlertFilter(created_at=TimeRange(None, LAST), severities=frozenset({Severity.HIGH})),
    AlertFilter(created_at=TimeRange(FIRST, LAST)),
]
COUNTED = [
    AlertFilter(created_at=TimeRange(NOON - 3 * DAY, None), service_names=frozenset({"api"})),
    AlertFilter(is_false_positive=False),
    AlertFilter(any_of=(AlertFilter(created_at=TimeRange(NOON, None)), AlertFilter(is_open=True))),
]


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(Settings(database_url=database_url), pool_size=2)
    yield engine
    await engine.dispose()


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


class Changes:
    """Random changes of alerts, of every kind a writer could make."""

    def __init__(self, seed: int, teams: list[UUID | None]) -> None:
        self._random = random.Random(seed)
        self._teams = teams

    def _kind(self) -> dict[str, Any]:
        pick = self._random.choice
        return {
            "status": pick(list(AlertStatus)),
            "severity": pick(list(Severity)),
            "service_name": pick(["api", "web", None]),
            "source": pick(["prometheus", "grafana"]),
            "team_id": pick(self._teams),
        }

    async def make(self, engine: AsyncEngine, number: int) -> None:
        made = [
            an_alert(**self._kind(), created_at=NOON - timedelta(minutes=self._random.randrange(14 * 24 * 60)))
            for _ in range(number)
        ]
        async with engine.begin() as connection:
            await put_alerts(connection, made)

    async def change(self, engine: AsyncEngine, number: int) -> None:
        async with engine.begin() as connection:
            ids = list(await connection.scalars(sa.select(alerts.c.id)))
            for alert_id in self._random.sample(ids, number):
                which = self._random.sample(["status", "severity", "service_name", "source", "team_id", "title"], 2)
                values = {**self._kind(), "title": "another"}
                new = {name: values[name] for name in which}
                await connection.execute(sa.update(alerts).where(alerts.c.id == alert_id).values(new))
            gone = self._random.sample(ids, 3)
            await connection.execute(sa.delete(alerts).where(alerts.c.id.in_(gone)))


async def assert_agrees(engine: AsyncEngine, sights: list[Sight]) -> None:
    for sight in sights:
        for wanted in KEPT + COUNTED:
            async with engine.connect() as connection:
                found = await read_counts(connection, wanted=wanted, sight=sight)
                rows = await connection.execute(
                    sa.select(alerts.c.status, alerts.c.severity, sa.func.count())
                    .where(condition(wanted), visible(sight))
                    .group_by(alerts.c.status, alerts.c.severity)
                )
                assert {(k.status, k.severity): k.count for k in found.kinds} == {(s, v): n for s, v, n in rows}, wanted
                assert await count_alerts(connection, wanted=wanted, sight=sight) == found.total


SUMMED = "SELECT team_id, severity, status, sum(amount)::bigint AS amount FROM alert_counts GROUP BY 1, 2, 3"


async def assert_sums_agree(owner: asyncpg.Connection) -> None:
    found = await owner.fetch("SELECT * FROM alert_team_counts WHERE amount <> 0")
    assert {tuple(row) for row in found} == {tuple(row) for row in await owner.fetch(SUMMED)}


def test_what_is_kept_and_what_is_counted() -> None:
    assert all(rollup(wanted, EVERYTHING) is not None for wanted in KEPT)
    assert all(rollup(wanted, EVERYTHING) is None for wanted in COUNTED)


@pytest.mark.parametrize("seed", range(3))
async def test_counts_agree_with_the_alerts_after_any_changes(
    engine: AsyncEngine, owner: asyncpg.Connection, seed: int
) -> None:
    async with engine.begin() as connection:
        public, private = await put_team(connection), await put_team(connection, is_private=True)
    sights = [EVERYTHING, Sight(), Sight(team_ids=frozenset({private}))]
    changes = Changes(seed, [None, public, private])
    for _ in range(2):
        await changes.make(engine, 60)
        await changes.change(engine, 25)
        await assert_agrees(engine, sights)
        # In two bites, so that a fold leaves lines behind.
        await fold_counts(owner, limit=7)
        await assert_agrees(engine, sights)
        await assert_sums_agree(owner)
        while await fold_counts(owner):
            pass
    await assert_agrees(engine, sights)
    assert await owner.fetchval("SELECT count(*) FROM alert_count_changes") == 0
    assert await owner.fetchval("SELECT min(amount) FROM alert_counts") > 0
    assert await owner.fetchval("SELECT min(amount) FROM alert_daily_counts") > 0
    await assert_sums_agree(owner)
    assert await owner.fetchval("SELECT count(*) FROM alert_team_counts") <= 3 * len(AlertStatus) * len(Severity)


async def test_a_repeat_leaves_no_line(engine: AsyncEngine, owner: asyncpg.Connection) -> None:
    await Changes(0, [None]).make(engine, 5)
    await fold_counts(owner)
    await owner.execute("UPDATE alerts SET occurrences = occurrences + 1, last_seen_at = now(), status = status")
    assert await owner.fetchval("SELECT count(*) FROM alert_count_changes") == 0


async def test_emptied_alerts_leave_no_counts(engine: AsyncEngine, owner: asyncpg.Connection) -> None:
    await Changes(0, [None]).make(engine, 20)
    await fold_counts(owner, limit=3)
    await owner.execute("TRUNCATE alerts CASCADE")
    await assert_agrees(engine, [EVERYTHING])
    await assert_sums_agree(owner)


async def test_sums_follow_whatever_is_done_to_what_they_sum(engine: AsyncEngine, owner: asyncpg.Connection) -> None:
    async with engine.begin() as connection:
        team = await put_team(connection)
    await Changes(0, [None, team]).make(engine, 30)
    await fold_counts(owner)
    await owner.execute("UPDATE alert_counts SET amount = amount + 2 WHERE source = 'grafana'")
    await assert_sums_agree(owner)
    await owner.execute("UPDATE alert_counts SET team_id = $1, service_name = service_name || team_id", team)
    await assert_sums_agree(owner)
    await owner.execute("TRUNCATE alert_counts")
    assert await owner.fetchval("SELECT count(*) FROM alert_team_counts") == 0


async def test_two_that_fold_at_once_do_not_wait_in_a_circle(owner: asyncpg.Connection, database_url: str) -> None:
    """Whoever came first to any sum goes on to all of his, in whatever order."""
    add = "INSERT INTO alert_counts VALUES ($1, '00000000-0000-0000-0000-000000000000', 'grafana', $2, 'active', 1)"
    other = await asyncpg.connect(database_url)
    try:
        async with owner.transaction():
            await owner.execute(add, "api", "low")

            async def cross() -> None:
                async with other.transaction():
                    await other.execute(add, "web", "high")
                    await other.execute(add, "web", "low")

            crossing = asyncio.create_task(cross())
            pid, waits = other.get_server_pid(), "SELECT cardinality(pg_blocking_pids($1)) > 0"
            async with asyncio.timeout(60):
                while not await owner.fetchval(waits, pid):  # noqa: ASYNC110 - the database tells nobody
                    await asyncio.sleep(0.01)
            await owner.execute(add, "api", "high")
        await crossing
    finally:
        await other.close()
    await assert_sums_agree(owner)
    assert await owner.fetchval("SELECT sum(amount) FROM alert_team_counts") == 4


async def test_what_was_there_before_is_counted_in_steps_while_it_changes(
    engine: AsyncEngine, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = Changes(7, [None])
    await changes.make(engine, 100)
    # As migration 0005 leaves a database that had alerts.
    await owner.execute("DELETE FROM alert_count_changes")
    await owner.execute(
        "UPDATE alert_counts_frontier SET counted_beyond = (SELECT id FROM alerts ORDER BY id DESC LIMIT 1)"
    )
    await changes.make(engine, 10)
    await assert_agrees(engine, [EVERYTHING])
    folds = 0

    async def fold_and_change(connection: asyncpg.Connection) -> int:
        nonlocal folds
        folds += 1
        await changes.change(engine, 10)
        await assert_agrees(engine, [EVERYTHING])
        return await fold_counts(connection)

    monkeypatch.setattr(alert_counts, "fold_counts", fold_and_change)
    assert await build_counts(owner, step=20) == folds > 3
    assert await owner.fetchval("SELECT counted_beyond FROM alert_counts_frontier") == alert_counts.EVERYTHING_COUNTED
    await assert_agrees(engine, [EVERYTHING])
    assert await build_counts(owner) == 0


async def test_a_count_that_takes_too_long_is_none(engine: AsyncEngine) -> None:
    await Changes(1, [None]).make(engine, 400)
    slow = AlertFilter(is_false_positive=False)
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        before = await connection.scalar(sa.text("SHOW statement_timeout"))
        assert await count_alerts(connection, wanted=slow, sight=EVERYTHING, within=timedelta(seconds=5)) == 400
        # Somebody holds the table: the count waits, and is given up.
        async with engine.begin() as other:
            await other.execute(sa.text("LOCK TABLE alerts IN ACCESS EXCLUSIVE MODE"))
            within = timedelta(milliseconds=50)
            assert await count_alerts(connection, wanted=slow, sight=EVERYTHING, within=within) is None
        assert await connection.scalar(sa.text("SHOW statement_timeout")) == before
