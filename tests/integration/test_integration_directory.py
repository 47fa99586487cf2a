"""Is a key known the moment it is made, refused soon after it is revoked, and believed while PostgreSQL is away?"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

import asyncpg
import pytest

from domain.alerts.model import Severity
from domain.integrations.keys import new_secret
from domain.integrations.model import FieldMapping, Integration, IntegrationSource
from domain.ports import SystemClock
from persistence.integration_directory import DirectoryLimits, DirectoryUnavailable, IntegrationDirectory
from tests.gate import Gate
from tests.served_door import add_key, make_integration
from tests.waiting import until_true

NEVER = timedelta(hours=1)
STALE = timedelta(seconds=4)


async def is_listening(database: asyncpg.Connection) -> bool:
    """Whether the directory hears notices of this database."""
    return bool(
        await database.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"
        )
    )


@dataclass
class Clock:
    """A clock the test moves."""

    ahead: timedelta = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(tz=UTC) + self.ahead


@asynccontextmanager
async def directory_of(
    url: str, *, limits: DirectoryLimits | None = None, clock: Clock | None = None
) -> AsyncIterator[IntegrationDirectory]:
    directory = IntegrationDirectory(
        url, clock=clock or SystemClock(), unseal=lambda _row, sealed: sealed.decode(), limits=limits
    )
    await directory.start()
    try:
        yield directory
    finally:
        await directory.close()


@pytest.fixture
async def gate(database_url: str) -> AsyncIterator[Gate]:
    gate = Gate(database_url)
    await gate.open()
    yield gate
    await gate.close()


async def test_a_known_key_gives_its_integration_without_a_query(
    database: asyncpg.Connection, database_url: str
) -> None:
    integration_id, key = await make_integration(database, IntegrationSource.GENERIC)
    await database.execute(
        "UPDATE integrations SET severity_map = $2, mapping = $3, sealed_hmac_secret = $4 WHERE id = $1",
        integration_id, '{"schlimm": "critical"}', '{"title": "payload.t", "labels": {"a": "payload.a"}}', b"s3cret",
    )  # fmt: skip
    async with directory_of(database_url) as directory:
        found = directory.known(key)
        assert found is not None
        assert (found.id, found.source) == (integration_id, IntegrationSource.GENERIC)
        assert found.severity_map == {"schlimm": Severity.CRITICAL}
        assert found.mapping == FieldMapping(title="payload.t", labels={"a": "payload.a"})
        assert found.hmac_secret == "s3cret"
        assert directory.known(key + "x") is None


async def test_a_key_made_after_the_start_works_at_once(database: asyncpg.Connection, database_url: str) -> None:
    async with directory_of(database_url, limits=DirectoryLimits(refresh=NEVER)) as directory:
        for _ in range(5):
            integration_id, key = await make_integration(database, IntegrationSource.GENERIC)
            found = await directory.find(key)
            assert found is not None
            assert found.id == integration_id
        assert await directory.find(new_secret()) is None


async def test_a_flood_of_wrong_keys_is_answered_together(database: asyncpg.Connection, database_url: str) -> None:
    _, key = await make_integration(database, IntegrationSource.GENERIC)
    limits = DirectoryLimits(refresh=NEVER, miss_interval=timedelta(milliseconds=100))
    async with directory_of(database_url, limits=limits) as directory:
        wrong = [directory.find(new_secret()) for _ in range(500)]
        assert await asyncio.gather(*wrong) == [None] * 500
        assert directory.known(key) is not None
    crowded = DirectoryLimits(waiting_misses=1, miss_interval=timedelta(milliseconds=100))
    async with directory_of(database_url, limits=crowded) as directory:
        first = asyncio.create_task(directory.find(new_secret()))
        await asyncio.sleep(0.01)
        with pytest.raises(DirectoryUnavailable):
            await directory.find(new_secret())
        assert await first is None


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE integration_keys SET revoked_at = now()",
        "UPDATE integrations SET archived_at = now() WHERE source = 'generic'",
        "DELETE FROM integration_keys",
    ],
)
async def test_a_revoked_key_is_refused_by_notice(database: asyncpg.Connection, database_url: str, change: str) -> None:
    _, key = await make_integration(database, IntegrationSource.GENERIC)
    async with directory_of(database_url, limits=DirectoryLimits(refresh=NEVER)) as directory:
        await until_true(partial(is_listening, database))
        assert directory.known(key) is not None
        await database.execute(change)

        async def is_refused() -> bool:
            return await directory.find(key) is None

        await until_true(is_refused)


async def test_a_revoked_key_is_refused_even_when_no_notice_comes(
    database: asyncpg.Connection, database_url: str
) -> None:
    _, key = await make_integration(database, IntegrationSource.GENERIC)
    limits = DirectoryLimits(refresh=timedelta(milliseconds=200))
    async with directory_of(database_url, limits=limits) as directory:
        await database.execute("ALTER TABLE integration_keys DISABLE TRIGGER integration_keys_notify")
        await database.execute("UPDATE integration_keys SET revoked_at = now()")

        async def is_refused() -> bool:
            return await directory.find(key) is None

        await until_true(is_refused)


async def test_two_keys_live_side_by_side_until_the_older_expires(
    database: asyncpg.Connection, database_url: str
) -> None:
    clock = Clock()
    integration_id, old = await make_integration(
        database, IntegrationSource.GENERIC, expires_at=clock.now() + timedelta(minutes=10)
    )
    new = new_secret()
    await add_key(database, integration_id, new)
    async with directory_of(database_url, clock=clock) as directory:
        assert directory.known(old) is directory.known(new) is not None
        clock.ahead = timedelta(minutes=11)
        assert await directory.find(old) is None
        assert directory.known(new) is not None


async def test_an_integration_stays_the_same_object_until_it_changes(
    database: asyncpg.Connection, database_url: str
) -> None:
    integration_id, key = await make_integration(database, IntegrationSource.GENERIC)
    limits = DirectoryLimits(refresh=timedelta(milliseconds=50))
    async with directory_of(database_url, limits=limits) as directory:
        first = directory.known(key)
        await asyncio.sleep(0.3)
        assert directory.known(key) is first
        await database.execute("UPDATE integrations SET name = 'renamed', version = 2 WHERE id = $1", integration_id)

        async def is_renamed() -> bool:
            found = directory.known(key)
            return found is not None and found.name == "renamed"

        await until_true(is_renamed)


async def test_one_integration_that_cannot_be_read_shuts_no_other_door(
    database: asyncpg.Connection, database_url: str
) -> None:
    broken_id, broken = await make_integration(database, IntegrationSource.GENERIC)
    _, key = await make_integration(database, IntegrationSource.GENERIC)
    await database.execute("UPDATE integrations SET sealed_hmac_secret = $2 WHERE id = $1", broken_id, b"\xff\xfe")
    async with directory_of(database_url) as directory:
        assert directory.known(key) is not None
        assert await directory.find(broken) is None


async def test_while_the_database_is_away_the_known_are_believed_for_a_while(
    database: asyncpg.Connection, gate: Gate
) -> None:
    _, key = await make_integration(database, IntegrationSource.GENERIC)
    limits = DirectoryLimits(refresh=timedelta(milliseconds=50), stale=STALE)
    async with directory_of(gate.url, limits=limits) as directory:
        assert directory.known(key) is not None
        await gate.close()
        await asyncio.sleep(0.3)
        assert directory.known(key) is not None
        started = asyncio.get_running_loop().time()
        with pytest.raises(DirectoryUnavailable):  # not "unknown": nobody can say so now
            await directory.find(new_secret())
        assert asyncio.get_running_loop().time() - started < STALE.total_seconds() / 2  # at once
        await asyncio.sleep(STALE.total_seconds())
        with pytest.raises(DirectoryUnavailable):
            await directory.find(key)

        await database.execute("UPDATE integration_keys SET revoked_at = now()")
        _, new = await make_integration(database, IntegrationSource.GENERIC)
        await gate.open()

        async def has_caught_up() -> bool:
            try:
                return await directory.find(new) is not None and await directory.find(key) is None
            except DirectoryUnavailable:
                return False

        await until_true(has_caught_up)


async def test_a_start_without_a_database_waits_for_it(database: asyncpg.Connection, gate: Gate) -> None:
    _, key = await make_integration(database, IntegrationSource.GENERIC)
    url = gate.url
    await gate.close()
    async with directory_of(url) as directory:
        with pytest.raises(DirectoryUnavailable):
            await directory.find(key)
        await gate.open()

        async def is_known() -> bool:
            return directory.known(key) is not None

        await until_true(is_known)


async def test_the_last_seen_time_is_written_seldom_and_never_goes_back(
    database: asyncpg.Connection, database_url: str
) -> None:
    integration_id, key = await make_integration(database, IntegrationSource.GENERIC)

    async def seen() -> datetime | None:
        found: datetime | None = await database.fetchval(
            "SELECT last_seen_at FROM integration_activity WHERE integration_id = $1", integration_id
        )
        return found

    ahead = Clock(timedelta(minutes=5))
    async with directory_of(database_url, clock=ahead) as first, directory_of(database_url) as second:
        for _ in range(100):
            assert isinstance(first.known(key), Integration)
        assert await seen() is None  # nothing is written on the hot path
        await first.activity.flush()
        latest = await seen()
        assert latest is not None
        second.known(key)
        await second.activity.flush()
        assert await seen() == latest
        assert first.activity.seen == {}
        ahead.ahead = timedelta(minutes=6)
        first.known(key)
    last = await seen()  # closing writes what is left
    assert last is not None
    assert last > latest
