"""How does the application talk to PostgreSQL? One engine a process, straight to the server, with limits set.

asyncpg behind a transaction-mode pooler is unsupported (prepared statements and advisory locks belong to a session),
so SQLAlchemy's own pool connects directly.
"""

from collections.abc import Mapping
from typing import Any, Protocol

import orjson
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

# A long write transaction stalls everyone who reads the log in safe order (persistence/event_log.py), so a session
# that idles inside one is ended. `jit` costs more than it gains on statements this short.
SERVER_SETTINGS: Mapping[str, str] = {
    "application_name": "tocsin",
    "timezone": "UTC",
    "jit": "off",
    "statement_timeout": "30000",
    "idle_in_transaction_session_timeout": "15000",
}
CONNECT_SECONDS = 5.0
WAIT_FOR_CONNECTION_SECONDS = 5.0


class EngineSettings(Protocol):
    """What the engine needs to know; tocsin/settings.py provides it."""

    @property
    def database_url(self) -> str:
        """`postgresql://…`, the application's (lesser) database role."""
        ...

    @property
    def database_pool_size(self) -> int:
        """Connections kept for queries and mutations; ingest has its own."""
        ...


def sqlalchemy_url(database_url: str) -> str:
    """The same URL with the asyncpg driver named."""
    return "postgresql+asyncpg://" + database_url.split("://", 1)[1]


def dump_json(value: Any) -> str:
    """JSON for a jsonb parameter: UUIDs and times become text."""
    return orjson.dumps(value).decode()


def create_engine(settings: EngineSettings) -> AsyncEngine:
    """An engine for this event loop. It connects on first use, so a database that is down does not stop a start."""
    return create_async_engine(
        sqlalchemy_url(settings.database_url),
        pool_size=settings.database_pool_size,
        max_overflow=0,
        pool_timeout=WAIT_FOR_CONNECTION_SECONDS,
        # A restarted PostgreSQL leaves dead connections in the pool; without the ping each fails one request.
        pool_pre_ping=True,
        json_serializer=dump_json,
        json_deserializer=orjson.loads,
        connect_args={"timeout": CONNECT_SECONDS, "server_settings": dict(SERVER_SETTINGS)},
    )
