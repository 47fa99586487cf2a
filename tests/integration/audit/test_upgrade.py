"""Does an audit log of before come into its order by time, whole, and back again?"""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config

from domain.ids import new_id

ROOT = Path(__file__).resolve().parents[3]
COLUMNS = "id, occurred_at, actor_kind, action, outcome, ip_address, before, request_id"


async def _run(url: str, statement: str, *values: object) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(url)
    try:
        return list(await connection.fetch(statement, *values))
    finally:
        await connection.close()


def run(url: str, statement: str, *values: object) -> list[asyncpg.Record]:
    return asyncio.run(_run(url, statement, *values))


def test_rows_of_before_are_ordered_by_their_time_and_kept_to_the_letter(empty_database_url: str) -> None:
    config = Config(ROOT / "alembic.ini")
    config.attributes["url"] = empty_database_url
    command.upgrade(config, "0010")
    now = datetime(2026, 3, 1, tzinfo=UTC)
    for days in (2, 0, 400, 1):
        run(
            empty_database_url,
            f"INSERT INTO audit_log ({COLUMNS}) VALUES ($1, $2, 'user', 'act', 'done', '192.0.2.1', $3, 'r')",
            new_id(),
            now - timedelta(days=days),
            '{"days": 1.50}',
        )
    every = f"SELECT {COLUMNS} FROM audit_log ORDER BY occurred_at"
    before = run(empty_database_url, every)

    command.upgrade(config, "0011")
    assert run(empty_database_url, every) == before
    placed = run(empty_database_url, "SELECT occurred_at FROM audit_log ORDER BY era, xid, seq")
    assert [row["occurred_at"] for row in placed] == [row["occurred_at"] for row in before]
    command.downgrade(config, "0010")
    assert run(empty_database_url, every) == before
