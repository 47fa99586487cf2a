"""Who wants PostgreSQL to find a rare word at once? Whoever has no Elasticsearch, for a tenth of the way in.

An index of three letters (pg_trgm) of title, description and service. It is not there by default: every alert would
pay 22 µs for it. Once it is there, the planner asks it for rare words alone (docs/decisions/050).
"""

import asyncpg

from persistence.migrate import plain_dsn
from persistence.reads.alert_filter import SEARCHED

NAME = "ix_alerts_text"
_MAKE = f"CREATE INDEX CONCURRENTLY {NAME} ON alerts USING gin (({SEARCHED}) gin_trgm_ops)"
_IS_WHOLE = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)"

# No such files, an older way to say so, or not the owner's right.
_REFUSALS = (asyncpg.UndefinedFileError, asyncpg.FeatureNotSupportedError, asyncpg.InsufficientPrivilegeError)


class NoTrigrams(Exception):
    """The server does not have pg_trgm, or the owner may not install it."""


async def build_text_index(owner_url: str) -> bool:
    """Make the index beside running writers; False when it was there. One left half-built is made anew."""
    owner = await asyncpg.connect(plain_dsn(owner_url))
    try:
        is_whole = await owner.fetchval(_IS_WHOLE, NAME)
        if is_whole:
            return False
        try:
            await owner.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        except (
            asyncpg.UndefinedFileError,
            asyncpg.FeatureNotSupportedError,
            asyncpg.InsufficientPrivilegeError,
        ) as error:
            raise NoTrigrams(str(error)) from None
        if is_whole is not None:
            await owner.execute(f"DROP INDEX CONCURRENTLY {NAME}")
        await owner.execute(_MAKE)
        await owner.execute("ANALYZE alerts")
    finally:
        await owner.close()
    return True


async def drop_text_index(owner_url: str) -> bool:
    """Drop it beside running writers; False when it was not there."""
    owner = await asyncpg.connect(plain_dsn(owner_url))
    try:
        if await owner.fetchval("SELECT to_regclass($1)", NAME) is None:
            return False
        await owner.execute(f"DROP INDEX CONCURRENTLY {NAME}")
    finally:
        await owner.close()
    return True
