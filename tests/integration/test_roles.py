"""Can the application's database role add to the history, and never change, shorten or take it over?"""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import pytest

from persistence.alert_counts import fold_counts
from persistence.migrate import migrate
from persistence.roles import check_application_role, grant_application_role
from tests.log_writer import insert_event, insert_told_alert


def as_role(url: str, role: str, password: str) -> str:
    parts = urlsplit(url)
    host = parts.netloc.rsplit("@", 1)[-1]
    return urlunsplit(parts._replace(netloc=f"{role}:{password}@{host}"))


@pytest.fixture
async def application_url(empty_database_url: str, postgresql_server_url: str) -> AsyncIterator[str]:
    role = f"tocsin_app_{uuid4().hex[:8]}"
    administrator = await asyncpg.connect(postgresql_server_url)
    await administrator.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'tests-only'")
    report = await asyncio.to_thread(migrate, empty_database_url, role)
    assert report.is_role_separate
    yield as_role(empty_database_url, role, "tests-only")
    owner = await asyncpg.connect(empty_database_url)
    database = await owner.fetchval("SELECT current_database()")
    await owner.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}")
    await owner.execute(f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM {role}")
    await owner.execute(f"REVOKE ALL ON SCHEMA public FROM {role}")
    await owner.execute(f"REVOKE ALL ON DATABASE {database} FROM {role}")
    await owner.close()
    await administrator.execute(f"DROP ROLE {role}")
    await administrator.close()


@pytest.fixture
async def application(application_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(application_url)
    yield connection
    await connection.close()


async def test_it_writes_alerts_and_their_history(application: asyncpg.Connection) -> None:
    alert_id = await insert_told_alert(application)
    await application.execute("UPDATE alerts SET title = 'x' WHERE id = $1", alert_id)
    await application.execute("DELETE FROM alerts WHERE id = $1", alert_id)
    assert await application.fetchval("SELECT count(*) FROM alert_events") == 1


async def test_it_folds_counts_into_sums_that_it_cannot_change_itself(application: asyncpg.Connection) -> None:
    await insert_told_alert(application)
    assert await fold_counts(application) == 1
    assert await application.fetchval("SELECT sum(amount) FROM alert_team_counts") == 1
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await application.execute("UPDATE alert_team_counts SET amount = 2")


@pytest.mark.parametrize("table", ["alert_events", "audit_log"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {} SET id = id",
        "DELETE FROM {}",
        "TRUNCATE {}",
        "ALTER TABLE {} DISABLE TRIGGER ALL",
        "DROP TABLE {}",
        "ALTER TABLE {} OWNER TO CURRENT_USER",
    ],
)
async def test_it_cannot_touch_what_is_written(application: asyncpg.Connection, table: str, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match=r"permission denied|must be owner"):
        await application.execute(statement.format(table))


async def test_it_cannot_go_round_by_a_partition(application: asyncpg.Connection) -> None:
    await insert_event(application)
    partition = await application.fetchval("SELECT tableoid::regclass::text FROM alert_events")
    for statement in (f"DELETE FROM {partition}", f"UPDATE {partition} SET version = 9", f"TRUNCATE {partition}"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
            await application.execute(statement)


async def test_it_cannot_fake_the_logs_epoch_or_the_schemas_version(application: asyncpg.Connection) -> None:
    assert await application.fetchval("SELECT count(*) FROM log_epoch") == 1
    for table in ("log_epoch", "alembic_version"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await application.execute(f"DELETE FROM {table}")


async def test_the_doctor_finds_it_separate_and_the_owner_not(application_url: str, empty_database_url: str) -> None:
    found = await check_application_role(application_url)
    assert (found.is_separate, found.excess_rights, found.owns_tables) == (True, (), False)
    owner = await check_application_role(empty_database_url)
    assert not owner.is_separate
    assert owner.owns_tables
    assert "TRUNCATE ON audit_log" in owner.excess_rights


async def test_a_right_given_by_hand_is_found_and_taken_back(application_url: str, empty_database_url: str) -> None:
    owner = await asyncpg.connect(empty_database_url)
    role = (await check_application_role(application_url)).role
    await owner.execute(f"GRANT DELETE ON audit_log TO {role}")
    assert (await check_application_role(application_url)).excess_rights == ("DELETE ON audit_log",)
    assert await grant_application_role(owner, role)
    assert (await check_application_role(application_url)).is_separate
    await owner.close()


async def test_the_owners_own_role_keeps_its_rights(database_url: str) -> None:
    owner = await asyncpg.connect(database_url)
    role = await owner.fetchval("SELECT current_user::text")
    assert not await grant_application_role(owner, role)
    await insert_told_alert(owner)
    await owner.close()


async def test_a_role_that_does_not_exist_is_named(database_url: str) -> None:
    owner = await asyncpg.connect(database_url)
    with pytest.raises(LookupError, match="nobody_here"):
        await grant_application_role(owner, "nobody_here")
    await owner.close()
