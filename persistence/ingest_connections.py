"""By which connections are alerts written? By direct ones of asyncpg, each given up when it takes too long."""

import asyncpg

CONNECT_TIMEOUT_SECONDS = 3.0
# A statement that takes longer hangs on something that will not end by waiting: the post is answered 503 instead.
COMMAND_TIMEOUT_SECONDS = 10.0
# How soon a lost connection is tried again.
RECONNECT_SECONDS = 0.25
# The statements look rows up by key, whatever the tables' sizes. Left alone, the server plans them while the tables are
# small, by reading them whole, and keeps that plan until an ANALYZE: each batch then reads all alerts there are.
PLANNING = {
    "jit": "off",
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}
# Of a session that runs the ingest transaction: a program that hangs within it holds its locks no longer than this.
WRITING = {"TimeZone": "UTC", "idle_in_transaction_session_timeout": "15000"}
# What a lost connection looks like: to the socket, to the server that is going down, and to asyncpg's own state.
CONNECTION_LOST = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
# All that a try may end with for which the database, and not our program, is to blame.
UNAVAILABLE = (*CONNECTION_LOST, asyncpg.PostgresError)


async def connect(dsn: str, *, name: str, **settings: str) -> asyncpg.Connection:
    """A connection of this name, with these settings of the server's. Raises one of UNAVAILABLE."""
    return await asyncpg.connect(
        dsn,
        timeout=CONNECT_TIMEOUT_SECONDS,
        command_timeout=COMMAND_TIMEOUT_SECONDS,
        server_settings={"application_name": name, **settings},
    )
