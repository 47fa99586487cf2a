"""A database full of people is upgraded: their data is sealed, nothing is lost, and the way back keeps it (T3)."""

import asyncio
from pathlib import Path

import asyncpg
from alembic import command

from persistence.before_serving import prepare_data
from persistence.engine import create_engine
from persistence.users import page_of_users
from tests.api import api_settings
from tests.integration.privacy.conftest import copies_in, dump
from tests.integration.test_migrations import alembic_config

BEFORE = "0011"
PEOPLE = 300
FILL = f"""
INSERT INTO users (id, email, email_digest, first_name, last_name, role, created_at)
SELECT gen_random_uuid(), 'person' || n || '@example.com', sha256(n::text::bytea), 'Försti' || n,
       CASE WHEN n % 2 = 0 THEN 'Lastina' || n ELSE '' END, 'viewer', now() FROM generate_series(1, {PEOPLE}) AS n;
INSERT INTO sessions (id, user_id, refresh_digest, created_at, last_used_at, idle_expires_at, expires_at, user_agent,
                      ip_address)
SELECT gen_random_uuid(), id, sha256(id::text::bytea), now(), now(), now(), now(), 'Mozilla/Fill', '198.51.100.7'
  FROM users;
"""


async def people_in(settings: object) -> set[tuple[str, str, str]]:
    engine = create_engine(settings, pool_size=1)  # type: ignore[arg-type]
    try:
        async with engine.connect() as connection:
            found = await page_of_users(connection, limit=PEOPLE, after=None, before=None, backward=False)
    finally:
        await engine.dispose()
    return {(user.email, user.first_name, user.last_name) for user in found}


async def execute(url: str, statement: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(url)
    try:
        if statement.lstrip().startswith("INSERT"):
            await connection.execute(statement)
            return []
        rows: list[asyncpg.Record] = await connection.fetch(statement)
        return rows
    finally:
        await connection.close()


def test_up_sealed_down_and_up_again(empty_database_url: str, tmp_path: Path) -> None:
    config = alembic_config(empty_database_url)
    settings = api_settings(empty_database_url, tmp_path)
    command.upgrade(config, BEFORE)
    asyncio.run(execute(empty_database_url, FILL))
    expected = {
        (f"person{n}@example.com", f"Försti{n}", f"Lastina{n}" if n % 2 == 0 else "") for n in range(1, PEOPLE + 1)
    }
    command.upgrade(config, "0012")
    assert asyncio.run(people_in(settings)) == expected, "readable before the first start has sealed them"
    command.upgrade(config, "head")
    asyncio.run(prepare_data(settings))
    assert asyncio.run(people_in(settings)) == expected
    secrets = ("person7@example.com", "Försti7", "Lastina8", "Mozilla/Fill", "198.51.100.7")
    assert copies_in(dump(empty_database_url), *secrets) == []

    command.downgrade(config, BEFORE)
    text = dump(empty_database_url)
    assert copies_in(text, *secrets) == [], "the way down has no keys, and opens nothing"
    command.upgrade(config, "head")
    asyncio.run(prepare_data(settings))
    assert asyncio.run(people_in(settings)) == expected, "nothing was lost on the way down and up"


def test_the_way_down_before_anything_was_sealed_gives_the_text_back(empty_database_url: str) -> None:
    config = alembic_config(empty_database_url)
    command.upgrade(config, BEFORE)
    asyncio.run(execute(empty_database_url, FILL))
    command.upgrade(config, "head")
    command.downgrade(config, BEFORE)
    rows = asyncio.run(execute(empty_database_url, "SELECT email, first_name, last_name FROM users"))
    assert len(rows) == PEOPLE
    assert {row["email"] for row in rows} == {f"person{n}@example.com" for n in range(1, PEOPLE + 1)}
    assert {row["first_name"] for row in rows} == {f"Försti{n}" for n in range(1, PEOPLE + 1)}
    agents = asyncio.run(execute(empty_database_url, "SELECT DISTINCT user_agent FROM sessions"))
    assert [row["user_agent"] for row in agents] == ["Mozilla/Fill"]


def test_what_the_older_version_wrote_meanwhile_is_sealed_or_dropped(empty_database_url: str, tmp_path: Path) -> None:
    config = alembic_config(empty_database_url)
    settings = api_settings(empty_database_url, tmp_path)
    command.upgrade(config, BEFORE)
    asyncio.run(execute(empty_database_url, FILL))
    command.upgrade(config, "head")
    asyncio.run(prepare_data(settings))
    command.downgrade(config, BEFORE)
    meanwhile = """
INSERT INTO users (id, email, email_digest, first_name, last_name, role, created_at)
VALUES (gen_random_uuid(), 'new@example.com', '\\x01', 'Nova', 'sealed:00ff', 'viewer', now());
INSERT INTO sessions (id, user_id, refresh_digest, created_at, last_used_at, idle_expires_at, expires_at, user_agent,
                      ip_address)
SELECT gen_random_uuid(), id, sha256(('again' || id)::bytea), now(), now(), now(), now(), 'sealed:zz', '198.51.100.9'
  FROM users;
"""
    asyncio.run(execute(empty_database_url, meanwhile))
    command.upgrade(config, "head")
    asyncio.run(prepare_data(settings))
    assert ("new@example.com", "Nova", "") in asyncio.run(people_in(settings))
    assert copies_in(dump(empty_database_url), "new@example.com", "198.51.100.9") == []
