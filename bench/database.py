"""Which stores do the contenders write to? One PostgreSQL and one Valkey, embedded like those of `make run`.

Everyone has a database of its own on the same server, so the settings (fsync on, checksums, 2 GB of WAL) are the same.
The folder is kept between runs; the databases are made anew by each.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg

from persistence.migrate import migrate
from tocsin.console import Progress
from tocsin.embedded import folders, services, state
from tocsin.settings import Settings
from tocsin.supervisor import Supervisor

TOCSIN, FLOOR, ALERTA = "bench_tocsin", "bench_floor", "bench_alerta"
# Alerta opens a connection for every request, and proving a password costs both sides milliseconds each time. What is
# compared is the taking of alerts, so its database asks for none.
NO_PASSWORD = f"host {ALERTA} all 127.0.0.1/32 trust\n"
SHOWN_SETTINGS = ("server_version", "fsync", "synchronous_commit", "full_page_writes", "shared_buffers", "max_wal_size")


@dataclass(frozen=True, slots=True)
class Database:
    """One database: the URLs of its owner and of the role the contender works as."""

    owner_url: str
    application_url: str

    def run(self, *statements: str) -> None:
        """Run statements as the owner."""
        asyncio.run(_run(self.owner_url, statements))

    def row(self, query: str) -> dict[str, Any]:
        """The first row of a query."""
        return asyncio.run(_row(self.owner_url, query))

    def rows(self, query: str) -> list[Any]:
        """All rows of a query."""
        return asyncio.run(_rows(self.owner_url, query))


@dataclass(frozen=True, slots=True)
class Stores:
    """The running servers."""

    tocsin: Database
    floor: Database
    alerta: Database
    redis_url: str
    postgresql_pid: int

    def checkpoint(self) -> None:
        """Write out what the turn before left in memory, so that the next does not pay for it."""
        self.floor.run("CHECKPOINT")

    def settings(self) -> dict[str, str]:
        """The server's settings that matter to a write, for the report."""
        query = "SELECT " + ", ".join(f"current_setting('{name}') AS {name}" for name in SHOWN_SETTINGS)
        return self.floor.row(query)


@contextmanager
def running(folder: Path) -> Iterator[Stores]:
    """Start the stores in `folder` with fresh databases; they end with this process."""
    supervisor = Supervisor(say=print)
    with folders.held(folders.prepare_data_dir(folder)):
        try:
            wanted = Settings(data_dir=folder.absolute(), database_url=None, database_owner_url=None, redis_url=None)
            found = services.start(wanted, supervisor=supervisor, progress=Progress())
            assert found.redis_url is not None
            yield _fresh(found, found.redis_url)
        finally:
            supervisor.stop_all()


def _fresh(found: Settings, redis_url: str) -> Stores:
    places = folders.locate(found.data_dir)
    remembered = state.load(found.data_dir)
    assert remembered is not None
    server = services.postgresql_in(places, remembered)
    access = server.data / "pg_hba.conf"
    if NO_PASSWORD not in access.read_text():
        access.write_text(NO_PASSWORD + access.read_text())
    asyncio.run(_make_databases(server.dsn()))
    superusers = {name: server.dsn(database=name) for name in (TOCSIN, FLOOR, ALERTA)}
    application_url = urlsplit(remembered.application_url)._replace(path=f"/{TOCSIN}").geturl()
    migrate(superusers[TOCSIN], state.APPLICATION)
    migrate(superusers[FLOOR])
    return Stores(
        tocsin=Database(superusers[TOCSIN], application_url),
        floor=Database(superusers[FLOOR], superusers[FLOOR]),
        alerta=Database(superusers[ALERTA], superusers[ALERTA]),
        redis_url=redis_url,
        postgresql_pid=int((server.data / "postmaster.pid").read_text().split("\n", 1)[0]),
    )


async def _make_databases(superuser_url: str) -> None:
    connection = await asyncpg.connect(superuser_url)
    try:
        await connection.execute("SELECT pg_reload_conf()")
        for name in (TOCSIN, FLOOR, ALERTA):
            await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            await connection.execute(f"CREATE DATABASE {name}")
    finally:
        await connection.close()


async def _run(url: str, statements: tuple[str, ...]) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def _row(url: str, query: str) -> dict[str, Any]:
    connection = await asyncpg.connect(url)
    try:
        return dict(await connection.fetchrow(query) or {})
    finally:
        await connection.close()


async def _rows(url: str, query: str) -> list[Any]:
    connection = await asyncpg.connect(url)
    try:
        return list(await connection.fetch(query))
    finally:
        await connection.close()
