"""How do the log's readers reach PostgreSQL? By a few asyncpg connections of their own, apart from the engine's pool.

So a thousand clients that resume at once wait for each other here, and not for the queries and mutations of the rest.
"""

from typing import TypeAlias

import asyncpg

from tocsin.settings import Settings

# A connection, whether it was opened alone or lent by a pool.
DirectConnection: TypeAlias = "asyncpg.Connection | asyncpg.pool.PoolConnectionProxy"

IDLE_IN_TRANSACTION_MS = "15000"


async def open_log_pool(settings: Settings, *, size: int, name: str) -> asyncpg.Pool:
    """A pool that connects on first use (a database that is down does not stop a start) and reconnects by itself."""

    async def leave_as_it_is(_connection: DirectConnection) -> None:
        """Nobody changes a session's settings here, and putting them back would be a round trip for each statement."""

    return await asyncpg.create_pool(
        settings.database_dsn,
        reset=leave_as_it_is,
        min_size=0,
        max_size=size,
        timeout=settings.db_connect_timeout.total_seconds(),
        command_timeout=settings.db_statement_timeout.total_seconds(),
        server_settings={
            "application_name": name,
            "timezone": "UTC",
            "jit": "off",
            # Of the newest events the planner's statistics know nothing: it takes them for one, and would read and sort
            # the whole rest of the log for each page of it. The index has them in order.
            "enable_sort": "off",
            "idle_in_transaction_session_timeout": IDLE_IN_TRANSACTION_MS,
        },
    )
