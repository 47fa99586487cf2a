"""Do the lists that a console asks for all day go by an index, also in a plan that knows no parameter?"""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.alerts.filter import AlertFilter
from domain.alerts.model import AlertStatus, Severity
from domain.alerts.order import NEWEST_FIRST, AlertOrder, AlertOrderField
from domain.alerts.visibility import Sight
from domain.ids import new_id
from domain.silences.matchers import LabelMatcher, MatchOperator
from persistence.engine import create_engine
from persistence.reads.alerts import AlertPage, read_alerts
from persistence.reads.counted import rollup
from persistence.text_index import build_text_index
from tests.alert_builder import NOON, an_alert
from tests.alert_rows import put_alerts, put_team
from tocsin.settings import Settings
from tocsin.text_index import change_text_index

WORST_FIRST = AlertOrder(AlertOrderField.SEVERITY)
NEWEST_KEY = (NOON + timedelta(hours=1), new_id())


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """Five thousand alerts, one in fifty of them open."""
    engine = create_engine(Settings(database_url=database_url), pool_size=1)
    made = [
        an_alert(
            status=AlertStatus.RESOLVED if number % 50 else AlertStatus.ACTIVE,
            severity=list(Severity)[number % 4],
            service_name=f"service-{number % 500}",
            team_id=UUID(int=number % 200 + 1),
            created_at=NOON + timedelta(seconds=number),
            title=f"Disk full on host-{number % 500}",
            labels={"host": f"host-{number % 500}", "cluster": f"eu-{number % 2}"},
        )
        for number in range(5000)
    ]
    async with engine.begin() as connection:
        await put_team(connection, is_private=True)
        for start in range(0, len(made), 500):
            await put_alerts(connection, made[start : start + 500])
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(sa.text("ANALYZE alerts"))
    yield engine
    await engine.dispose()


async def _plan(engine: AsyncEngine, wanted: AlertFilter, order: AlertOrder, after: tuple[object, ...] | None) -> str:
    sent: list[tuple[str, tuple[object, ...]]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: tuple[object, ...], *_: object) -> None:
        sent.append((statement, parameters))

    async with engine.connect() as connection:
        await connection.execute(sa.text("SET plan_cache_mode = force_generic_plan"))
        sa.event.listen(engine.sync_engine, "before_cursor_execute", note)
        await read_alerts(connection, AlertPage(wanted, 26, order=order, after=after), sight=Sight())
        sa.event.remove(engine.sync_engine, "before_cursor_execute", note)
        ((statement, parameters),) = sent
        # EXPLAIN of a statement with its parameters would plan for their values; a prepared one does not know them.
        await connection.exec_driver_sql(f"PREPARE page AS {statement}")
        values = ", ".join(["NULL"] * len(parameters))
        lines = await connection.exec_driver_sql(f"EXPLAIN EXECUTE page({values})")
        return "\n".join(line[0] for line in lines)


@pytest.mark.parametrize(
    ("wanted", "order", "key", "index"),
    [
        (AlertFilter(), NEWEST_FIRST, (NOON + timedelta(hours=1), new_id()), "ix_alerts_created_at"),
        (
            AlertFilter(is_open=True),
            WORST_FIRST,
            (Severity.HIGH, NOON + timedelta(hours=1), new_id()),
            "ix_alerts_open",
        ),
        (
            AlertFilter(statuses=frozenset({AlertStatus.ACTIVE, AlertStatus.ACKNOWLEDGED})),
            WORST_FIRST,
            (Severity.HIGH, NOON + timedelta(hours=1), new_id()),
            "ix_alerts_open",
        ),
        (AlertFilter(is_open=True), NEWEST_FIRST, NEWEST_KEY, "ix_alerts_open_created_at"),
        (AlertFilter(service_names=frozenset({"service-7"})), NEWEST_FIRST, NEWEST_KEY, "ix_alerts_service"),
        (AlertFilter(team_ids=frozenset({UUID(int=7)})), NEWEST_FIRST, NEWEST_KEY, "ix_alerts_team"),
    ],
    ids=[
        "newest",
        "open, worst first",
        "of two open statuses, worst first",
        "open, newest first",
        "of a service",
        "of a team",
    ],
)
@pytest.mark.parametrize("is_deep", [False, True])
async def test_a_page_is_read_from_its_index_in_order(
    engine: AsyncEngine, wanted: AlertFilter, order: AlertOrder, key: tuple[object, ...], index: str, is_deep: bool
) -> None:
    plan = await _plan(engine, wanted, order, key if is_deep else None)
    assert f"Index Scan Backward using {index}" in plan
    assert "Sort" not in plan


@pytest.mark.parametrize(
    ("wanted", "sums"),
    [
        (AlertFilter(), "alert_team_counts"),
        (AlertFilter(severities=frozenset({Severity.HIGH}), is_open=True), "alert_team_counts"),
        (AlertFilter(none_of=(AlertFilter(team_ids=frozenset({None})),)), "alert_team_counts"),
        (AlertFilter(service_names=frozenset({"service-7"})), "alert_counts"),
        (AlertFilter(any_of=(AlertFilter(is_open=True), AlertFilter(sources=frozenset({"grafana"})))), "alert_counts"),
    ],
    ids=["all", "of a severity", "of some team", "of a service", "of a source, nested"],
)
async def test_counts_look_at_no_alert(engine: AsyncEngine, wanted: AlertFilter, sums: str) -> None:
    statement = rollup(wanted, Sight())
    assert statement is not None
    async with engine.connect() as connection:
        compiled = statement.compile(dialect=engine.dialect, compile_kwargs={"literal_binds": True})
        lines = await connection.exec_driver_sql(f"EXPLAIN {compiled}")
        plan = "\n".join(line[0] for line in lines)
    assert set(re.findall(r" on (alert\w*) ", plan)) == {sums, "alert_count_changes"}


async def _planned_for(engine: AsyncEngine, wanted: AlertFilter) -> str:
    """The plan for these very values; a search asks for one, however often its statement has run."""
    sent: list[tuple[str, tuple[object, ...]]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: tuple[object, ...], *_: object) -> None:
        sent.append((statement, parameters))

    async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        sa.event.listen(engine.sync_engine, "before_cursor_execute", note)
        await read_alerts(connection, AlertPage(wanted, 26), sight=Sight())
        sa.event.remove(engine.sync_engine, "before_cursor_execute", note)
        ((statement, parameters),) = [one for one in sent if one[0].startswith("SELECT")]
        assert await connection.scalar(sa.text("SHOW plan_cache_mode")) == "auto"
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        return "\n".join(line[0] for line in await driver.fetch(f"EXPLAIN {statement}", *parameters))


FREQUENT_WORDS = AlertFilter(search="disk host")
RARE_WORD = AlertFilter(search="host-77")
FREQUENT_LABEL = AlertFilter(labels=(LabelMatcher("cluster", MatchOperator.EQUAL, "eu-1"),))
RARE_LABEL = AlertFilter(labels=(LabelMatcher("host", MatchOperator.EQUAL, "host-77"),))


@pytest.mark.parametrize("wanted", [FREQUENT_WORDS, FREQUENT_LABEL], ids=["words", "a label"])
@pytest.mark.parametrize("has_text_index", [False, True])
async def test_what_many_alerts_have_is_read_in_time_to_the_end_of_a_page(
    engine: AsyncEngine, database_url: str, wanted: AlertFilter, has_text_index: bool
) -> None:
    if has_text_index:
        assert await build_text_index(database_url)
    plan = await _planned_for(engine, wanted)
    assert "Index Scan Backward using ix_alerts_created_at" in plan
    assert "Sort" not in plan


async def test_what_few_alerts_have_is_asked_of_its_index(engine: AsyncEngine, database_url: str) -> None:
    assert "ix_alerts_labels" in await _planned_for(engine, RARE_LABEL)
    settings = Settings(database_url=database_url)
    for said in ("the text index is there", "the text index was there already"):
        assert await asyncio.to_thread(change_text_index, settings, is_wanted=True) == said
    assert "ix_alerts_text" in await _planned_for(engine, RARE_WORD)
    for said in ("the text index is gone", "there was no text index"):
        assert await asyncio.to_thread(change_text_index, settings, is_wanted=False) == said
    assert "ix_alerts_text" not in await _planned_for(engine, RARE_WORD)
