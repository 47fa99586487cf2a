"""How does a migration run? One at a time, as the owner role, and never waiting long for a lock."""

import asyncio
import os
import time

import sqlalchemy as sa
from alembic import context
from sqlalchemy.dialects.postgresql import base as pg_base
from sqlalchemy.ext.asyncio import create_async_engine

from persistence.locks import LOCK_POLL_SECONDS, MIGRATION_LOCK
from persistence.tables import XID8, metadata

PARTITION_OR_FOREIGN = ("_p20", "_default")

pg_base.ischema_names["xid8"] = XID8


def _url() -> str:
    url = (
        context.config.attributes.get("url")
        or os.environ.get("TOCSIN_DATABASE_OWNER_URL")
        or os.environ.get("TOCSIN_DATABASE_URL")
    )
    if not url:
        message = "set TOCSIN_DATABASE_OWNER_URL (or TOCSIN_DATABASE_URL) to the database to migrate"
        raise SystemExit(message)
    return "postgresql+asyncpg://" + str(url).split("://", 1)[1]


def _include_object(_object: object, name: str | None, kind: str, _reflected: object, _compare_to: object) -> bool:
    """Partitions are made by persistence/partitions.py, so the schema comparison passes over them."""
    return not (kind == "table" and name is not None and any(part in name for part in PARTITION_OR_FOREIGN))


def _run(connection: sa.Connection) -> None:
    # Asked for again and again: one statement that waits is a snapshot the other migration's index builds wait for.
    while not connection.scalar(sa.text(f"SELECT pg_try_advisory_lock({MIGRATION_LOCK})")):
        connection.rollback()
        time.sleep(LOCK_POLL_SECONDS)
    # A migration that cannot get its lock at once fails and is tried again; one that waits would block every writer
    # queued behind it.
    connection.execute(sa.text("SET lock_timeout = '5s'"))
    connection.execute(sa.text("SET statement_timeout = '15min'"))
    connection.commit()
    try:
        context.configure(
            connection=connection,
            target_metadata=metadata,
            include_object=_include_object,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()
    finally:
        connection.rollback()
        connection.execute(sa.text(f"SELECT pg_advisory_unlock({MIGRATION_LOCK})"))
        connection.commit()


async def _online() -> None:
    engine = create_async_engine(_url(), poolclass=sa.NullPool)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_run)
    finally:
        await engine.dispose()


if context.is_offline_mode():
    context.configure(url=_url(), target_metadata=metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    asyncio.run(_online())
