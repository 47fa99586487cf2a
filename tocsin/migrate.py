"""Is the database's schema the one this code needs, and how does it become so?

A start refuses a database whose schema is newer than the code (an old release against an upgraded database) or older
(`tocsin migrate` was forgotten): both would fail later, in the middle of an alert.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from tocsin.errors import StartError
from tocsin.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
CONNECT_SECONDS = 5.0


class SchemaFit(StrEnum):
    """How the database's schema stands to the code."""

    CURRENT = "current"
    EMPTY = "empty"
    OLDER = "older"
    NEWER = "newer"


@dataclass(frozen=True, slots=True)
class SchemaState:
    """The revision found in the database, the one this code needs, and how they compare."""

    found: str | None
    needed: str
    fit: SchemaFit


def alembic_configuration(url: str) -> Config:
    """Alembic's configuration for the database at `url`."""
    configuration = Config(ROOT / "alembic.ini")
    configuration.attributes["url"] = url
    return configuration


def compare(found: str | None) -> SchemaState:
    """Judge the revision found in a database."""
    scripts = ScriptDirectory.from_config(alembic_configuration(""))
    needed = scripts.get_current_head()
    if needed is None:
        raise StartError("this installation is incomplete: its folder migrations/ holds no migration")
    if found is None:
        fit = SchemaFit.EMPTY
    elif found == needed:
        fit = SchemaFit.CURRENT
    else:
        known = {script.revision for script in scripts.walk_revisions()}
        fit = SchemaFit.OLDER if found in known else SchemaFit.NEWER
    return SchemaState(found=found, needed=needed, fit=fit)


async def read_revision(dsn: str) -> str | None:
    """The revision of the database's schema; None where no migration ever ran."""
    connection = await asyncpg.connect(dsn, timeout=CONNECT_SECONDS)
    try:
        if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
            return None
        revision: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
        return revision
    finally:
        await connection.close()


def schema_state(dsn: str, *, variable: str = "TOCSIN_DATABASE_URL") -> SchemaState:
    """Look at the database; StartError in one line when it cannot be reached."""
    try:
        return compare(asyncio.run(read_revision(dsn)))
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise StartError(f"the database of {variable} cannot be reached: {reason_of(error)}") from None


def require_current(settings: Settings) -> None:
    """StartError unless the database can be reached and has exactly the schema this code needs."""
    state = schema_state(settings.database_dsn)
    refuse_newer(state)
    if state.fit is not SchemaFit.CURRENT:
        found = state.found or "none"
        raise StartError(
            f"the database's schema is {found} and this version needs {state.needed}: run `tocsin migrate`"
        )


def refuse_newer(state: SchemaState) -> None:
    """StartError when the database was migrated by a newer version than this one."""
    if state.fit is SchemaFit.NEWER:
        raise StartError(
            f"the database's schema {state.found} is newer than this version of Tocsin, which knows up to "
            f"{state.needed}: start the newer version, or restore a backup of the older one"
        )


def migrate(settings: Settings) -> SchemaState:
    """Bring the schema up to date as the owner; returns what was there before. Takes turns with other migrations."""
    variable = "TOCSIN_DATABASE_OWNER_URL" if settings.database_owner_url else "TOCSIN_DATABASE_URL"
    before = schema_state(settings.owner_dsn, variable=variable)
    refuse_newer(before)
    if before.fit is not SchemaFit.CURRENT:
        command.upgrade(alembic_configuration(settings.owner_sqlalchemy_url), "head")
    asyncio.run(_settle(settings))
    return before


async def _settle(settings: Settings) -> None:
    """What follows every migration, and harms nothing when repeated: the partitions of the coming months."""
    from persistence.partitions import ensure_partitions  # noqa: PLC0415 - `tocsin --help` loads no store

    owner = await asyncpg.connect(settings.owner_dsn, timeout=CONNECT_SECONDS)
    try:
        await ensure_partitions(owner, now=datetime.now(tz=UTC))
    finally:
        await owner.close()


def reason_of(error: BaseException) -> str:
    """The cause in a few words, without a password: drivers put the address in their messages, never the URL."""
    if isinstance(error, TimeoutError):
        return f"no answer within {CONNECT_SECONDS:.0f} s"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
