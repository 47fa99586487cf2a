"""Does the database have the schema this code needs? A start says so in one line instead of failing on an alert."""

import asyncio
from urllib.parse import urlsplit

import asyncpg
import structlog

from persistence.migrate import (
    MigrationReport,
    SchemaTooNew,
    current_revision,
    newest_revision,
    plain_dsn,
    refuse_newer,
)
from persistence.migrate import migrate as migrate_database
from persistence.seal_people import forget_plain_rows
from tocsin.before_serving import before_serving
from tocsin.errors import StartError
from tocsin.settings import Settings

_log = structlog.get_logger(__name__)
CONNECT_SECONDS = 5.0
UNREACHABLE = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


async def read_revision(dsn: str) -> str | None:
    """The revision of the database's schema; None where no migration ever ran."""
    connection = await asyncpg.connect(plain_dsn(dsn), timeout=CONNECT_SECONDS)
    try:
        return await current_revision(connection)
    finally:
        await connection.close()


def refuse_unusable(settings: Settings) -> None:
    """StartError when a given database cannot be reached, or is newer than this code: before anything is started."""
    if settings.database_url:
        _checked_revision(settings.database_dsn, "TOCSIN_DATABASE_URL")
    if settings.database_owner_url:
        _checked_revision(settings.owner_dsn, "TOCSIN_DATABASE_OWNER_URL")


def require_current(settings: Settings) -> None:
    """StartError unless the database can be reached and has exactly the schema this code needs."""
    found = _checked_revision(settings.database_dsn, "TOCSIN_DATABASE_URL")
    needed = newest_revision()
    if found != needed:
        raise StartError(
            f"the database's schema is {found or 'missing'} and this version needs {needed}: run `tocsin migrate`"
        )


def migrate(settings: Settings) -> MigrationReport:
    """Bring the schema up to date as the owner, and give the application's role its rights."""
    variable = "TOCSIN_DATABASE_OWNER_URL" if settings.database_owner_url else "TOCSIN_DATABASE_URL"
    _checked_revision(settings.owner_dsn, variable)
    application_role = urlsplit(settings.database_dsn).username
    try:
        report = migrate_database(settings.owner_dsn, application_role if settings.database_owner_url else None)
    except LookupError as error:
        raise StartError(f"TOCSIN_DATABASE_URL: {error}") from None
    if before_serving(settings):
        asyncio.run(_forget_plain_rows(settings.owner_dsn))
    return report


async def _forget_plain_rows(dsn: str) -> None:
    owner = await asyncpg.connect(plain_dsn(dsn), timeout=CONNECT_SECONDS)
    try:
        await forget_plain_rows(owner)
    except asyncpg.PostgresError as error:
        _log.warning("tables with rows of before their sealing are not written anew yet", error=repr(error))
    finally:
        await owner.close()


def _checked_revision(dsn: str, variable: str) -> str | None:
    try:
        revision = asyncio.run(read_revision(dsn))
        refuse_newer(revision)
    except SchemaTooNew as error:
        raise StartError(str(error)) from None
    except UNREACHABLE as error:
        raise StartError(f"the database of {variable} cannot be reached: {reason_of(error)}") from None
    return revision


def reason_of(error: BaseException) -> str:
    """The cause in a few words, without a password: drivers put the address in their messages, never the URL."""
    if isinstance(error, TimeoutError):
        return f"no answer within {CONNECT_SECONDS:.0f} s"
    return str(error) or type(error).__name__
