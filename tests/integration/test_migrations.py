"""Can the schema go up and down, on an empty and on a filled database, never two at once and never waiting for long?"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from persistence.locks import MIGRATION_LOCK
from persistence.migrate import SchemaTooNew, migrate, newest_revision
from tests.row_maker import fill_every_table
from tests.services.environment import inherited

ROOT = Path(__file__).resolve().parent.parent.parent


def alembic_config(url: str) -> Config:
    config = Config(ROOT / "alembic.ini")
    config.attributes["url"] = url
    return config


def run_sql(url: str, statement: str, *args: object) -> list[asyncpg.Record]:
    async def run() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(url)
        try:
            if args:
                return await connection.fetch(statement, *args)
            await connection.execute(statement)
            return []
        finally:
            await connection.close()

    return asyncio.run(run())


def tables_in(url: str) -> set[str]:
    rows = run_sql(url, "SELECT tablename::text AS name FROM pg_tables WHERE schemaname = $1", "public")
    return {row["name"] for row in rows} - {"alembic_version"}


def fill(url: str) -> None:
    asyncio.run(fill_every_table(url))


# The rows that a migration makes of its own, and takes away on its way down.
MADE = {"0020": {"integrations": 2}}
# Of this table a row, of each time it was filled after the migration, means nothing before it.
MEANINGLESS_BEFORE = {"0023": "notifications", "0024": "escalations", "0034": "notifications"}


def count_rows(url: str) -> dict[str, int]:
    counts = " UNION ALL ".join(f"SELECT '{name}' AS name, count(*) AS n FROM {name}" for name in tables_in(url))
    return (
        {row["name"]: row["n"] for row in run_sql(url, f"SELECT * FROM ({counts}) WHERE n >= $1", 0)} if counts else {}
    )


def test_up_down_and_up_again_on_an_empty_database(empty_database_url: str) -> None:
    config = alembic_config(empty_database_url)
    command.upgrade(config, "head")
    first = tables_in(empty_database_url)
    assert {"alerts", "users", "alert_rules", "alert_events"} <= first
    command.downgrade(config, "base")
    assert tables_in(empty_database_url) == set()
    leftovers = run_sql(
        empty_database_url,
        "SELECT typname FROM pg_type JOIN pg_namespace n ON n.oid = typnamespace WHERE nspname = $1 AND typtype = 'e'"
        " UNION ALL SELECT proname FROM pg_proc JOIN pg_namespace n ON n.oid = pronamespace WHERE nspname = $1"
        " UNION ALL SELECT relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace"
        " WHERE nspname = $1 AND relkind = 'S'",
        "public",
    )
    assert leftovers == []
    command.upgrade(config, "head")
    assert tables_in(empty_database_url) == first


def test_each_step_up_and_down_on_a_filled_database(empty_database_url: str) -> None:
    config = alembic_config(empty_database_url)
    revisions = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()][::-1]
    for revision in revisions:
        before = count_rows(empty_database_url)
        command.upgrade(config, revision)
        kept = count_rows(empty_database_url)
        made = MADE.get(revision, {})
        expected = {name: rows + made.get(name, 0) for name, rows in before.items()}
        assert {name: kept[name] for name in before} == expected, f"{revision} loses rows on its way up"
        fill(empty_database_url)
    assert all(count for name, count in count_rows(empty_database_url).items() if "_p20" not in name)
    gone: dict[str, int] = {}
    for revision in reversed(revisions):
        before = count_rows(empty_database_url)
        command.downgrade(config, "-1")
        kept = count_rows(empty_database_url)
        made = dict(MADE.get(revision, {}))
        if revision in MEANINGLESS_BEFORE:
            name = MEANINGLESS_BEFORE[revision]
            # Those of the newest migrations may have gone with one of them.
            made[name] = len(revisions) - revisions.index(revision) - gone.get(name, 0)
            gone[name] = gone.get(name, 0) + made[name]
        expected = {name: before[name] - made.get(name, 0) for name in kept}
        assert kept == expected, f"{revision} loses rows of others on its way down"
    assert tables_in(empty_database_url) == set()


def test_without_slack_and_webhooks_what_waits_for_them_goes_by_mail(empty_database_url: str) -> None:
    """On the way down from 0026 nobody is left untold, and no row has a kind that the code of before does not know."""
    config = alembic_config(empty_database_url)
    command.upgrade(config, "0026")
    fill(empty_database_url)
    for kind in ("slack", "webhook"):
        run_sql(empty_database_url, f"UPDATE contact_methods SET kind = '{kind}'")
    run_sql(empty_database_url, "UPDATE text_messages SET contact_method_id = (SELECT id FROM contact_methods)")
    run_sql(empty_database_url, "UPDATE channels SET kind = 'slack_bot', archived_at = NULL")
    run_sql(
        empty_database_url,
        "UPDATE notifications SET state = 'mailed', contact_kind = 'webhook', text_id = (SELECT id FROM text_messages)",
    )
    command.downgrade(config, "0025")
    (one,) = run_sql(empty_database_url, "SELECT * FROM notifications WHERE $1", True)
    assert (one["state"], one["text_id"]) == ("queued", None)
    kept = run_sql(
        empty_database_url,
        "SELECT (SELECT count(*) FROM contact_methods) AS methods, (SELECT count(*) FROM text_messages) AS texts,"
        " (SELECT kind FROM channels) AS kind, (SELECT archived_at IS NOT NULL FROM channels) AS is_over WHERE $1",
        True,
    )
    assert dict(kept[0]) == {"methods": 0, "texts": 0, "kind": "slack", "is_over": True}
    command.upgrade(config, "0026")


def test_rules_of_teams_that_ended_end_and_no_others(empty_database_url: str) -> None:
    config = alembic_config(empty_database_url)
    command.upgrade(config, "0036")
    fill(empty_database_url)
    run_sql(empty_database_url, "UPDATE teams SET archived_at = NULL")
    for table in ("alert_rules", "threshold_rules"):
        run_sql(empty_database_url, f"UPDATE {table} SET archived_at = NULL, team_id = (SELECT id FROM teams LIMIT 1)")
    ended = (
        "SELECT (SELECT archived_at IS NOT NULL FROM alert_rules) AS alert_rule, archived_at IS NOT NULL AS threshold,"
        " version - $1 AS edits, counts_version = version AS is_new FROM threshold_rules"
    )
    (before,) = run_sql(empty_database_url, "SELECT version FROM threshold_rules WHERE $1", True)
    command.upgrade(config, "0037")
    (kept,) = run_sql(empty_database_url, ended, before["version"])
    assert (kept["alert_rule"], kept["threshold"], kept["edits"]) == (False, False, 0)
    command.downgrade(config, "0036")
    run_sql(empty_database_url, "UPDATE teams SET archived_at = now()")
    command.upgrade(config, "0037")
    (over,) = run_sql(empty_database_url, ended, before["version"])
    assert dict(over) == {"alert_rule": True, "threshold": True, "edits": 1, "is_new": True}
    command.upgrade(config, "head")


def test_counts_of_before_are_summed_and_go_on_being_so(empty_database_url: str) -> None:
    config = alembic_config(empty_database_url)
    command.upgrade(config, "0037")
    add = (
        "INSERT INTO alert_counts SELECT 'service-' || n % 5, lpad('', 32, (n % 2)::text)::uuid, 'source-' || n, 'low',"
        " (CASE WHEN n < 7 THEN 'active' ELSE 'resolved' END)::alert_status, 1 FROM generate_series({}, {}) AS n"
    )
    sums = "SELECT status::text, amount FROM alert_team_counts WHERE $1 ORDER BY team_id, status, amount"
    run_sql(empty_database_url, add.format(1, 8))
    command.upgrade(config, "0038")
    assert [tuple(row) for row in run_sql(empty_database_url, sums, True)] == [
        ("active", 3), ("resolved", 1), ("active", 3), ("resolved", 1)
    ]  # fmt: skip
    run_sql(empty_database_url, add.format(9, 9))
    command.downgrade(config, "0037")
    run_sql(empty_database_url, add.format(10, 10))
    command.upgrade(config, "0038")
    found = run_sql(empty_database_url, sums, True)
    assert [row["amount"] for row in found if row["status"] == "resolved"] == [2, 2]


def test_partitions_and_time_series_do_not_stop_the_way_down(empty_database_url: str) -> None:
    migrate(empty_database_url)
    fill(empty_database_url)
    command.downgrade(alembic_config(empty_database_url), "base")
    assert tables_in(empty_database_url) == set()


def test_migrating_twice_keeps_the_data(empty_database_url: str) -> None:
    assert migrate(empty_database_url).before is None
    fill(empty_database_url)
    before = count_rows(empty_database_url)
    report = migrate(empty_database_url)
    assert (report.before, report.after, report.partitions) == (newest_revision(), newest_revision(), ())
    assert count_rows(empty_database_url) == before


def test_a_schema_newer_than_the_code_is_refused_and_left_alone(empty_database_url: str) -> None:
    migrate(empty_database_url)
    run_sql(empty_database_url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaTooNew, match="9999"):
        migrate(empty_database_url)
    assert run_sql(empty_database_url, "SELECT version_num FROM alembic_version WHERE $1", True)[0][0] == "9999"


def test_two_at_once_take_turns(empty_database_url: str) -> None:
    code = "import sys; from persistence.migrate import migrate; print(migrate(sys.argv[1]).before)"
    running = [
        subprocess.Popen(
            [sys.executable, "-c", code, empty_database_url],
            cwd=ROOT, env=inherited(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    for process in running:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    assert "alerts" in tables_in(empty_database_url)


def while_holding(url: str, statement: str, act: Callable[[], Any], *, hold_seconds: float | None = None) -> float:
    """Run `act` in a thread while a transaction holds what `statement` takes; returns how long it ran."""

    async def run() -> float:
        connection = await asyncpg.connect(url)
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(statement)
        begun = time.monotonic()
        acting = asyncio.create_task(asyncio.to_thread(act))
        try:
            if hold_seconds is not None:
                await asyncio.sleep(hold_seconds)
                await transaction.rollback()
            await asyncio.wait_for(acting, 60)
        finally:
            await connection.close()
        return time.monotonic() - begun

    return asyncio.run(run())


def test_a_migration_does_not_wait_long_for_a_busy_table(empty_database_url: str) -> None:
    config = alembic_config(empty_database_url)
    command.upgrade(config, "head")

    def downgrade() -> None:
        with pytest.raises(Exception, match="lock timeout"):
            command.downgrade(config, "base")

    took = while_holding(empty_database_url, "SELECT * FROM alert_events", downgrade)
    assert took < 20
    (row,) = run_sql(empty_database_url, "SELECT version_num FROM alembic_version WHERE $1", True)
    # The failed step left nothing behind: it is the one that makes the table, or a later one that changes it.
    assert row["version_num"] >= "0003"
    assert "alert_events" in tables_in(empty_database_url)


def test_waiting_for_another_migration_is_not_cut_short(empty_database_url: str) -> None:
    config = alembic_config(empty_database_url)
    took = while_holding(
        empty_database_url,
        f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})",
        lambda: command.upgrade(config, "head"),
        hold_seconds=6,
    )
    assert took > 6
    assert "alerts" in tables_in(empty_database_url)
