"""Do the lists that a console asks for all day go by an index, also in a plan that knows no parameter?"""

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
from persistence.engine import create_engine
from persistence.reads.alerts import read_alerts
from persistence.reads.counted import rollup
from tests.alert_builder import NOON, an_alert
from tests.alert_rows import put_alerts, put_team
from tocsin.settings import Settings

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
        await read_alerts(connection, wanted=wanted, sight=Sight(), limit=26, order=order, after=after)
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
        # Not read whole and sorted, however few alerts the words are thought to be in.
        (AlertFilter(search="disk service"), NEWEST_FIRST, NEWEST_KEY, "ix_alerts_created_at"),
    ],
    ids=[
        "newest",
        "open, worst first",
        "of two open statuses, worst first",
        "open, newest first",
        "of a service",
        "of a team",
        "with two words",
    ],
)
@pytest.mark.parametrize("is_deep", [False, True])
async def test_a_page_is_read_from_its_index_in_order(
    engine: AsyncEngine, wanted: AlertFilter, order: AlertOrder, key: tuple[object, ...], index: str, is_deep: bool
) -> None:
    plan = await _plan(engine, wanted, order, key if is_deep else None)
    assert f"Index Scan Backward using {index}" in plan
    assert "Sort" not in plan


async def test_counts_look_at_no_alert(engine: AsyncEngine) -> None:
    statement = rollup(AlertFilter(severities=frozenset({Severity.HIGH}), is_open=True), Sight())
    assert statement is not None
    async with engine.connect() as connection:
        compiled = statement.compile(dialect=engine.dialect, compile_kwargs={"literal_binds": True})
        lines = await connection.exec_driver_sql(f"EXPLAIN {compiled}")
        plan = "\n".join(line[0] for line in lines)
    assert "alert_counts" in plan
    assert " on alerts" not in plan
