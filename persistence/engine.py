"""How does the application talk to PostgreSQL? One engine a process, straight to the server, with limits set.

asyncpg behind a transaction-mode pooler is unsupported (prepared statements and advisory locks belong to a session),
so SQLAlchemy's own pool connects directly.
"""

from datetime import timedelta

import orjson
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from tocsin.settings import Settings

# A long write transaction stalls everyone who reads the log in safe order (persistence/event_log.py), so a session
# that idles inside one is ended.
IDLE_IN_TRANSACTION = timedelta(seconds=15)
WAIT_FOR_CONNECTION = timedelta(seconds=5)


def dump_json(value: object) -> str:
    """JSON for a jsonb parameter: UUIDs and times become text."""
    return orjson.dumps(value).decode()


def _milliseconds(duration: timedelta) -> str:
    return str(int(duration.total_seconds() * 1000))


def create_engine(settings: Settings, *, pool_size: int | None = None) -> AsyncEngine:
    """An engine for this event loop. It connects on first use, so a database that is down does not stop a start."""
    return create_async_engine(
        settings.database_sqlalchemy_url,
        pool_size=pool_size or settings.db_pool_size,
        max_overflow=0,
        pool_timeout=WAIT_FOR_CONNECTION.total_seconds(),
        # A restarted PostgreSQL leaves dead connections in the pool; without the ping each fails one request.
        pool_pre_ping=True,
        json_serializer=dump_json,
        json_deserializer=orjson.loads,
        connect_args={
            "timeout": settings.db_connect_timeout.total_seconds(),
            "server_settings": {
                "application_name": "tocsin",
                "timezone": "UTC",
                # Compiling costs more than it gains on statements this short.
                "jit": "off",
                "statement_timeout": _milliseconds(settings.db_statement_timeout),
                "idle_in_transaction_session_timeout": _milliseconds(IDLE_IN_TRANSACTION),
            },
        },
    )
