"""Is the database reachable, of this version's schema, guarded by two roles, and how far does its TimescaleDB go?"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from persistence.migrate import SchemaTooNew, current_revision, newest_revision, refuse_newer
from persistence.roles import check_role_separation
from persistence.timescale import TimeSeriesLevel, detect_level
from tocsin.doctor.audit import check_audit_log
from tocsin.doctor.due_work import check_due_work
from tocsin.doctor.processes import check_providers, check_relay, check_scheduler
from tocsin.doctor.report import Check, State
from tocsin.migrate import UNREACHABLE, reason_of
from tocsin.settings import Settings

OLDEST_SUPPORTED = 140_000
CONNECT_SECONDS = 5.0

LEVELS = {
    TimeSeriesLevel.COMMUNITY: Check(
        name="TimescaleDB",
        state=State.OK,
        detail="community licence: hypertables, compression, retention policies",
    ),
    TimeSeriesLevel.APACHE: Check(
        name="TimescaleDB",
        state=State.OK,
        detail="Apache build: hypertables; no compression, old chunks are dropped by the scheduler",
    ),
    TimeSeriesLevel.PLAIN: Check(
        name="TimescaleDB",
        state=State.OFF,
        detail="not installed: metrics are kept in a plain table, same queries, slower over long ranges",
    ),
}


async def check_database(settings: Settings) -> list[Check]:
    """Everything about PostgreSQL. One check says that it is away; more say how it is."""
    if not settings.database_url:
        return [
            Check(
                name="PostgreSQL",
                state=State.BROKEN,
                detail="TOCSIN_DATABASE_URL is not set, and the data folder holds no embedded database",
                consequence="nothing works without it",
                remedy="run `tocsin up`, or set TOCSIN_DATABASE_URL",
            )
        ]
    try:
        async with _connected(settings.database_dsn) as connection:
            version, number = await connection.fetchval("SHOW server_version"), connection.get_server_version()
            schema = await _schema_check(connection)
            found = [
                _version_check(version, number.major * 10_000),
                schema,
                await _roles_check(connection),
                await _owner_check(settings),
                LEVELS[await detect_level(connection)],
            ]
            if schema.state is State.OK:  # else the tables may not be there
                found += [
                    await check_relay(connection),
                    await check_scheduler(connection),
                    await check_due_work(connection),
                    await check_providers(connection),
                ]
                found.append(await check_audit_log(connection))
            return found
    except UNREACHABLE as error:
        return [
            Check(
                name="PostgreSQL",
                state=State.BROKEN,
                detail=f"TOCSIN_DATABASE_URL cannot be reached: {reason_of(error)}",
                consequence="posts are answered 503 with Retry-After; live sockets stay open and wait",
                remedy="start the server or mend the address; the pools recover by themselves",
            )
        ]


def _version_check(version: str, number: int) -> Check:
    if number < OLDEST_SUPPORTED:
        return Check(
            name="PostgreSQL",
            state=State.BROKEN,
            detail=f"version {version}",
            consequence="statements this version does not know will fail",
            remedy="use PostgreSQL 14 or newer",
        )
    return Check(name="PostgreSQL", state=State.OK, detail=f"version {version}")


async def _schema_check(connection: asyncpg.Connection) -> Check:
    try:
        found = await current_revision(connection)
        refuse_newer(found)
    except SchemaTooNew as error:
        return Check(
            name="Schema",
            state=State.BROKEN,
            detail=f"revision {error.revision} is newer than this version knows",
            consequence="no role of this version starts",
            remedy="start the newer version, or restore a backup of before its migration",
        )
    needed = newest_revision()
    if found != needed:
        return Check(
            name="Schema",
            state=State.BROKEN,
            detail=f"revision {found or 'none'}, this version needs {needed}",
            consequence="no role of this version starts",
            remedy="run `tocsin migrate`",
        )
    return Check(name="Schema", state=State.OK, detail=f"revision {found}, as this version needs")


async def _roles_check(connection: asyncpg.Connection) -> Check:
    separation = await check_role_separation(connection)
    if separation.is_separate:
        return Check(
            name="Role",
            state=State.OK,
            detail=f"{separation.role} can neither change nor shorten the history",
        )
    excess = "a superuser" if separation.is_superuser else ("the tables' owner" if separation.owns_tables else "")
    return Check(
        name="Role",
        state=State.DEGRADED,
        detail=f"{separation.role} is {excess or 'allowed ' + ', '.join(separation.excess_rights)}",
        consequence="whoever holds the application's password can rewrite the history",
        remedy="give TOCSIN_DATABASE_URL a lesser role, TOCSIN_DATABASE_OWNER_URL the owner; run `tocsin migrate`",
    )


async def _owner_check(settings: Settings) -> Check:
    if not settings.database_owner_url:
        return Check(
            name="Owner",
            state=State.DEGRADED,
            detail="TOCSIN_DATABASE_OWNER_URL is not set",
            consequence="migrations run as the application's role, and the log gets no partition for coming months",
            remedy="set it for `tocsin migrate` and `tocsin scheduler`",
        )
    try:
        async with _connected(settings.owner_dsn) as owner:
            role = await owner.fetchval("SELECT current_user")
    except UNREACHABLE as error:
        return Check(
            name="Owner",
            state=State.DEGRADED,
            detail=f"TOCSIN_DATABASE_OWNER_URL cannot be reached: {reason_of(error)}",
            consequence="no migration runs and no partition is made; rows of a month without one go to the default",
            remedy="mend the address or the password",
        )
    return Check(name="Owner", state=State.OK, detail=f"{role} migrates")


@asynccontextmanager
async def _connected(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(dsn, timeout=CONNECT_SECONDS, command_timeout=CONNECT_SECONDS)
    try:
        yield connection
    finally:
        await connection.close()
