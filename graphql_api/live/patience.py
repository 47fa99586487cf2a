"""What does who follows do while the database is away? They wait: a stream does not end for it."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg
import sqlalchemy as sa
import structlog

from persistence.backoff import Backoff

_log = structlog.get_logger(__name__)
STORE_TROUBLE = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    sa.exc.SQLAlchemyError,
)

# What waiting does not mend, though it comes from the database.
OUR_FAULT = (asyncpg.SyntaxOrAccessError, sa.exc.ProgrammingError, sa.exc.InvalidRequestError)
T = TypeVar("T")


async def patiently(read: Callable[[], Awaitable[T]]) -> T:
    """Read from the log, however long the database is away: a stream waits, it does not end."""
    backoff = Backoff()
    while True:
        try:
            return await read()
        except OUR_FAULT:
            raise
        except STORE_TROUBLE as error:
            _log.warning("a live stream waits for the database", error=repr(error))
            await backoff.wait()
