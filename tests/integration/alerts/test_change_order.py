"""Do writers of one alert wait for each other, and is the log's order the order of the changes?"""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.alerts import edits, lifecycle
from domain.alerts.actions.acting import Acting
from domain.alerts.actions.edit import assign_alert
from domain.alerts.actions.moves import acknowledge_alert, acknowledge_alerts
from domain.alerts.dedup import lock_id
from domain.alerts.model import AlertStatus
from domain.alerts.visibility import EVERYTHING
from domain.errors import IllegalMove, NewerAlertOpen, StaleVersion
from domain.identity.model import Role, Viewer
from domain.ids import new_id
from domain.ports import SystemClock
from persistence.engine import create_engine
from persistence.tables import alert_events, alerts
from persistence.unit_of_work import UnitOfWork
from tests.alert_builder import ANNA, NOON, an_alert
from tests.alert_rows import put_alerts, put_user
from tocsin.settings import Settings


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(Settings(database_url=database_url), pool_size=20)
    yield engine
    await engine.dispose()


async def _acting(engine: AsyncEngine) -> Acting:
    async with engine.begin() as connection:
        user_id = await put_user(connection)
    viewer = Viewer(user_id=user_id, role=Role.OPERATOR, session_id=new_id())
    return Acting(viewer=viewer, clock=SystemClock(), open=lambda: UnitOfWork(engine))


async def test_of_twenty_who_acknowledge_at_once_one_does(engine: AsyncEngine) -> None:
    alert = an_alert()
    async with engine.begin() as connection:
        await put_alerts(connection, [alert])
    acting = await _acting(engine)
    answers = await asyncio.gather(
        *(acknowledge_alert(acting, alert_id=alert.id) for _ in range(20)), return_exceptions=True
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["Alert"] + ["IllegalMove"] * 19
    async with engine.connect() as connection:
        row = (await connection.execute(sa.select(alerts.c.version, alerts.c.status))).one()
        assert (row.version, row.status) == (2, "acknowledged")
        assert await connection.scalar(sa.select(sa.func.count()).select_from(alert_events)) == 1


async def test_a_writer_that_comes_later_has_the_greater_transaction_id(engine: AsyncEngine) -> None:
    """The interleaving that breaks a writer whose first statement is not the lock."""
    alert = an_alert()
    async with engine.begin() as connection:
        await put_alerts(connection, [alert])
    async with UnitOfWork(engine) as first:
        found = await first.alerts.get_for_change([alert.id], sight=EVERYTHING)
        second_done = asyncio.create_task(_comment(engine, alert.id))
        await asyncio.sleep(0.2)
        assert not second_done.done()
        change = lifecycle.acknowledge(found[alert.id], actor=ANNA, now=NOON)
        await first.alerts.save([change])
        await first.commit()
    await second_done
    async with engine.connect() as connection:
        kinds = await connection.scalars(
            sa.select(alert_events.c.kind).order_by(alert_events.c.xid, alert_events.c.seq)
        )
        versions = await connection.scalars(
            sa.select(alert_events.c.version).order_by(alert_events.c.xid, alert_events.c.seq)
        )
        assert (list(kinds), list(versions)) == (["acknowledged", "commented"], [2, 3])


async def _comment(engine: AsyncEngine, alert_id: UUID) -> None:
    async with UnitOfWork(engine) as work:
        (alert,) = (await work.alerts.get_for_change([alert_id], sight=EVERYTHING)).values()
        await work.alerts.save([edits.comment(alert, text="second", actor=ANNA, now=NOON)])
        await work.commit()


async def test_the_locks_are_those_the_ingest_takes(engine: AsyncEngine) -> None:
    made = [an_alert() for _ in range(3)]
    async with engine.begin() as connection:
        await put_alerts(connection, made)
    async with UnitOfWork(engine) as work:
        await work.alerts.get_for_change([alert.id for alert in made], sight=EVERYTHING)
        held = await work.connection.execute(
            sa.text(
                "SELECT (classid::bigint << 32) | objid::bigint AS number, mode FROM pg_locks "
                "WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
            )
        )
        modes = {row.number: row.mode for row in held}
        assigned = await work.connection.scalar(sa.text("SELECT pg_current_xact_id_if_assigned()::text"))
    assert assigned is None
    exclusive = {number for number, mode in modes.items() if mode == "ExclusiveLock"}
    assert exclusive == {lock_id(alert.integration_id, alert.dedup_key) for alert in made}
    assert [mode for mode in modes.values() if mode == "ShareLock"] == ["ShareLock"]


async def test_bulk_changes_in_opposite_orders_do_not_deadlock(engine: AsyncEngine) -> None:
    made = [an_alert() for _ in range(30)]
    async with engine.begin() as connection:
        await put_alerts(connection, made)
    acting = await _acting(engine)
    ids = [alert.id for alert in made]
    answers = await asyncio.gather(
        *(acknowledge_alerts(acting, ids=ids if turn % 2 else ids[::-1]) for turn in range(8))
    )
    done = [outcome for outcomes in answers for outcome in outcomes if outcome.error is None]
    refused = [outcome.error for outcomes in answers for outcome in outcomes if outcome.error is not None]
    assert len(done) == 30
    assert {type(error) for error in refused} == {IllegalMove}


async def test_the_database_itself_refuses_a_second_open_alert_of_a_key(engine: AsyncEngine) -> None:
    """The backstop: what happens when a writer forgets to look."""
    old = an_alert(status=AlertStatus.RESOLVED, dedup_key="manual:2:-:x")
    async with engine.begin() as connection:
        await put_alerts(connection, [old, an_alert(dedup_key="manual:2:-:x")])
    async with UnitOfWork(engine) as work:
        (found,) = (await work.alerts.get_for_change([old.id], sight=EVERYTHING)).values()
        change = lifecycle.reopen(found, actor=ANNA, now=NOON, newer_open=None)
        with pytest.raises(NewerAlertOpen):
            await work.alerts.save([change])


async def test_a_row_that_changed_without_a_lock_is_noticed(engine: AsyncEngine) -> None:
    alert = an_alert()
    async with engine.begin() as connection:
        await put_alerts(connection, [alert])
    async with UnitOfWork(engine) as work:
        (found,) = (await work.alerts.get_for_change([alert.id], sight=EVERYTHING)).values()
        async with engine.begin() as other:
            await other.execute(sa.update(alerts).values(version=9))
        with pytest.raises(StaleVersion):
            await work.alerts.save([lifecycle.acknowledge(found, actor=ANNA, now=NOON)])


async def test_a_cancelled_request_gives_its_connection_back(database_url: str) -> None:
    engine = create_engine(Settings(database_url=database_url), pool_size=1)
    alert = an_alert()
    async with engine.begin() as connection:
        await put_alerts(connection, [alert])
    acting = await _acting(engine)
    for delay in (0, 0.001, 0.003, 0.006, 0.01):
        task = asyncio.create_task(assign_alert(acting, alert_id=alert.id, assignee=acting.viewer.user_id))
        await asyncio.sleep(delay)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert (await assign_alert(acting, alert_id=alert.id, assignee=None)).assigned_to is None
    await engine.dispose()


async def test_a_change_that_is_left_is_no_change(engine: AsyncEngine) -> None:
    alert = an_alert()
    async with engine.begin() as connection:
        await put_alerts(connection, [alert])
    async with UnitOfWork(engine) as work:
        (found,) = (await work.alerts.get_for_change([alert.id], sight=EVERYTHING)).values()
        change = lifecycle.acknowledge(found, actor=ANNA, now=NOON)
        await work.alerts.save([change])
    async with engine.connect() as connection:
        assert await connection.scalar(sa.select(alerts.c.status)) == "active"
        assert await connection.scalar(sa.select(sa.func.count()).select_from(alert_events)) == 0
