"""How does a test serve the ingest routes to real programs? By uvicorn in the test's own loop, on real stores."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import uvicorn
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.alerts.fold import FoldPolicy
from domain.alerts.submission import Ingest
from domain.ids import new_id
from domain.integrations.keys import SHOWN_CHARACTERS, key_digest, new_secret
from domain.integrations.model import IntegrationSource
from domain.ports import Clock, SystemClock
from graphql_api.webhooks.app import IngestApp, ingest_app
from persistence.engine import create_engine
from persistence.ingest_queue import IngestQueue
from persistence.integration_directory import IntegrationDirectory
from tocsin.settings import Settings


@dataclass
class DoorState:
    """What the ingest routes need of a process."""

    settings: Settings
    clock: Clock
    engine: AsyncEngine
    ingest: Ingest | None = None
    directory: Any = None


@asynccontextmanager
async def opened_door(database_url: str, *, clock: Clock | None = None) -> AsyncIterator[tuple[IngestApp, DoorState]]:
    """The ingest routes on a real database, with its own queue and directory."""
    settings = Settings(database_url=database_url)
    state = DoorState(settings=settings, clock=clock or SystemClock(), engine=create_engine(settings))
    queue = IngestQueue(database_url, clock=state.clock, policy=FoldPolicy())
    directory = IntegrationDirectory(database_url, clock=state.clock, unseal=lambda _row, sealed: sealed.decode())
    await queue.start()
    await directory.start()
    state.ingest, state.directory = queue, directory
    try:
        yield ingest_app(state), state
    finally:
        await directory.close()
        await queue.close()
        await state.engine.dispose()


@dataclass(frozen=True)
class Certificate:
    """The files of a server's certificate, and of the authority that a client must trust."""

    certificate: Path
    key: Path
    authority: Path


@asynccontextmanager
async def served(app: IngestApp, *, certificate: Certificate | None = None) -> AsyncIterator[str]:
    """The base address of a server of `app`, on a free port of this machine alone."""
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=0,
        lifespan="off",
        log_config=None,
        ssl_certfile=certificate.certificate if certificate else None,
        ssl_keyfile=certificate.key if certificate else None,
        ssl_version=ssl.PROTOCOL_TLS_SERVER,
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        if task.done():
            task.result()
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"{'https' if certificate else 'http'}://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await task


async def make_integration(
    connection: asyncpg.Connection, source: IntegrationSource, *, expires_at: datetime | None = None
) -> tuple[UUID, str]:
    """A new integration with a live key: its id, and the key."""
    integration_id, key = new_id(), new_secret()
    async with connection.transaction():
        await connection.execute(
            "INSERT INTO integrations (id, name, source, created_at) VALUES ($1, $2, $3, $4)",
            integration_id, source.value, source.value, datetime.now(tz=UTC),
        )  # fmt: skip
        await add_key(connection, integration_id, key, expires_at=expires_at)
    return integration_id, key


async def add_key(
    connection: asyncpg.Connection, integration_id: UUID, key: str, *, expires_at: datetime | None = None
) -> UUID:
    """One more key of an integration; its id."""
    key_id = new_id()
    await connection.execute(
        "INSERT INTO integration_keys (id, integration_id, digest, prefix, created_at, expires_at) "
        "VALUES ($1, $2, $3, $4, $5, $6)",
        key_id, integration_id, key_digest(key), key[:SHOWN_CHARACTERS], datetime.now(tz=UTC), expires_at,
    )  # fmt: skip
    return key_id
