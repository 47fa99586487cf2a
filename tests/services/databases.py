"""How does each test get a migrated database of its own in milliseconds? As a copy of one that was migrated once.

The name of the template carries a hash of what it is made by, so a server that outlives the run
(TOCSIN_TEST_DATABASE_URL) never serves an old one. Tests own their databases, as the role that migrates does in
production; they are no superusers.
"""

import asyncio
import hashlib
import os
import secrets
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

import asyncpg
from alembic import command
from alembic.config import Config

from persistence.roles import grant_application_role

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

T = TypeVar("T")
ROOT = Path(__file__).resolve().parent.parent.parent
OWNER = "tocsin_test_owner"
APPLICATION = "tocsin_test_app"
PASSWORD = "tests-only"
STRATEGIES_SINCE = 15
# Any fixed number: workers take turns at making the template.
TEMPLATE_LOCK = 7_311_018_299


def run(coroutine: Coroutine[object, object, T]) -> T:
    """Run to the end in a thread of its own, so that it matters not whether the caller's thread has a loop running."""
    with ThreadPoolExecutor(max_workers=1) as executor:
        return executor.submit(asyncio.run, coroutine).result()


def create_database(server_url: str, *, timescale: bool) -> str:
    """A new migrated database on the server; returns its address as its owner."""
    template = template_name(timescale=timescale)
    name = f"test_{os.getpid()}_{secrets.token_hex(4)}"
    run(_create(server_url, name=name, template=template, timescale=timescale))
    return _url(server_url, name)


def create_empty_database(server_url: str) -> str:
    """A new database without any table; returns its address as its owner."""
    name = f"test_{os.getpid()}_{secrets.token_hex(4)}"
    run(_create_empty(server_url, name))
    return _url(server_url, name)


def as_application(database_url: str) -> str:
    """The address of the same database for the application's role; in a migrated one it has its rights."""
    parts = urlsplit(database_url)
    return parts._replace(netloc=f"{APPLICATION}:{PASSWORD}@{parts.hostname}:{parts.port}").geturl()


def drop_database(server_url: str, url: str) -> None:
    """Drop a database made here, ending whatever is still connected to it."""
    run(_drop(server_url, urlsplit(url).path.removeprefix("/")))


def template_name(*, timescale: bool) -> str:
    """The name of the template for the migrations, and the rights of the application, as they are now."""
    digest = hashlib.sha256()
    for file in (*sorted((ROOT / "migrations").rglob("*.py")), ROOT / "persistence" / "roles.py", Path(__file__)):
        digest.update(file.read_bytes())
    return f"tocsin_template_{'timescale_' if timescale else ''}{digest.hexdigest()[:12]}"


def _url(server_url: str, database: str) -> str:
    parts = urlsplit(server_url)
    return f"postgresql://{OWNER}:{PASSWORD}@{parts.hostname}:{parts.port or 5432}/{database}"


@asynccontextmanager
async def _connected(url: str) -> "AsyncIterator[asyncpg.Connection]":
    connection = await asyncpg.connect(url, timeout=10)
    try:
        yield connection
    finally:
        await connection.close()


async def _create(server_url: str, *, name: str, template: str, timescale: bool) -> None:
    async with _connected(server_url) as admin:
        ready = "SELECT 1 FROM pg_database WHERE datname = $1 AND datistemplate"
        if not await admin.fetchval(ready, template):
            await admin.execute("SELECT pg_advisory_lock($1)", TEMPLATE_LOCK)
            try:
                if not await admin.fetchval(ready, template):
                    await _make_template(admin, server_url, template=template, timescale=timescale)
            finally:
                await admin.execute("SELECT pg_advisory_unlock($1)", TEMPLATE_LOCK)
        # Copied file by file, which costs a third of the newer way, through the log.
        strategy = "STRATEGY file_copy" if admin.get_server_version().major >= STRATEGIES_SINCE else ""
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} OWNER {OWNER} {strategy}")


async def _make_template(admin: asyncpg.Connection, server_url: str, *, template: str, timescale: bool) -> None:
    await _ensure_roles(admin)
    await admin.execute(f"DROP DATABASE IF EXISTS {template} WITH (FORCE)")  # left half-made by a run that was killed
    await admin.execute(f"CREATE DATABASE {template} OWNER {OWNER}")
    if timescale:
        parts = urlsplit(server_url)
        async with _connected(parts._replace(path=f"/{template}").geturl()) as database:
            await database.execute("CREATE EXTENSION timescaledb")
    # In a thread: the migrations run an event loop of their own.
    configuration = Config(ROOT / "alembic.ini")
    configuration.attributes["url"] = _url(server_url, template)
    await asyncio.to_thread(command.upgrade, configuration, "head")
    async with _connected(_url(server_url, template)) as owner:
        await grant_application_role(owner, APPLICATION)  # the copies have the rights that a migration gives
    # Nobody may connect to it again, or copies of it would be refused.
    await admin.execute(f"ALTER DATABASE {template} WITH IS_TEMPLATE true ALLOW_CONNECTIONS false")


async def _create_empty(server_url: str, name: str) -> None:
    async with _connected(server_url) as admin:
        await _ensure_roles(admin)
        await admin.execute(f"CREATE DATABASE {name} OWNER {OWNER}")


async def _ensure_roles(admin: asyncpg.Connection) -> None:
    for role, right in ((OWNER, "CREATEROLE"), (APPLICATION, "NOCREATEROLE")):
        # Both errors mean that it is there; the second, that another worker was making it just now.
        with suppress(asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError):
            await admin.execute(f"CREATE ROLE {role} LOGIN {right} PASSWORD '{PASSWORD}'")


async def _drop(server_url: str, name: str) -> None:
    async with _connected(server_url) as admin:
        await admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
