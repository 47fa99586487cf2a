"""How is an export of personal data made? Claimed, read as a stream, sealed under the person's key, put away, told.

A job that dies half-way leaves a claim that runs out and perhaps a file: the next one makes the export anew, and the
sweep removes the file.
"""

from collections.abc import AsyncIterator
from datetime import datetime

import obstore
import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.identity.model import User
from domain.privacy.exports import DataExport
from persistence.data_exports import (
    FILE_COLUMN,
    claim_export,
    expire_exports,
    finish_export,
    give_up_exports,
    release_export,
)
from persistence.export_document import export_document
from persistence.objects import ORPHAN_AGE, Objects, open_objects
from persistence.person_keys import PersonKey, vault_of
from persistence.sealed_files import sealed_file
from persistence.tables import data_exports, person_keys
from persistence.users import users_by_ids
from tocsin.settings import Settings

_log = structlog.get_logger(__name__)
FOLDER = "exports"
# Exports made within one job; the rest waits for the next.
AT_ONCE = 20
BATCH = 100


class _Counted:
    """A stream, and how long it was."""

    def __init__(self, plain: AsyncIterator[bytes]) -> None:
        self._plain, self.size = plain, 0

    async def pieces(self) -> AsyncIterator[bytes]:
        async for piece in self._plain:
            self.size += len(piece)
            yield piece


async def make_data_exports(engine: AsyncEngine, settings: Settings, now: datetime) -> int:
    """Make the exports that wait; how many are ready now."""
    made = 0
    async with engine.begin() as connection:
        await give_up_exports(connection, now=now)
    for _ in range(AT_ONCE):
        async with engine.begin() as connection:
            export = await claim_export(connection, now=now)
        if export is None:
            break
        try:
            made += await _make(engine, settings, export, now=now)
        except Exception:  # noqa: BLE001 - a store that is away, or a fault of ours: the next one must go on
            _log.exception("an export of personal data failed", export_id=str(export.id), attempt=export.attempts)
            async with engine.begin() as connection:
                await release_export(connection, export, now=now)
    return made


async def _make(engine: AsyncEngine, settings: Settings, export: DataExport, *, now: datetime) -> bool:
    found = await _person(engine, export)
    if found is None:
        return False  # erased meanwhile; the row is gone as well
    user, key = found
    objects = open_objects(settings.effective_object_store_url)
    object_key = f"{FOLDER}/{export.id}.{export.attempts}"
    counted = _Counted(export_document(engine, user, now=now))
    await objects.put(object_key, sealed_file(counted.pieces(), key, column=FILE_COLUMN, row=export.id))
    async with engine.begin() as connection:
        is_ours = await finish_export(
            connection, export, object_key=object_key, size_bytes=counted.size, now=now, life=settings.export_retention
        )
    if not is_ours:
        await objects.discard(object_key)
    return is_ours


async def _person(engine: AsyncEngine, export: DataExport) -> tuple[User, PersonKey] | None:
    async with engine.connect() as connection:
        (user,) = await users_by_ids(connection, [export.user_id])
        wrapped = await connection.scalar(
            sa.select(person_keys.c.wrapped).where(person_keys.c.user_id == export.user_id)
        )
        if user is None or wrapped is None:
            return None
        return user, vault_of(connection).key(user.id, wrapped)


async def expire_data_exports(engine: AsyncEngine, settings: Settings, now: datetime) -> int:
    """Remove the files of exports past their time, and files no export names; how many."""
    objects = open_objects(settings.effective_object_store_url)
    removed = 0
    while True:
        async with engine.begin() as connection:
            keys = await expire_exports(connection, now=now, limit=BATCH)
        for key in keys:
            await objects.discard(key)
        removed += len(keys)
        if len(keys) < BATCH:
            break
    return removed + await _sweep(engine, objects, now)


async def _sweep(engine: AsyncEngine, objects: Objects, now: datetime) -> int:
    removed = 0
    async for page in obstore.list(objects.store, prefix=FOLDER):
        old = [meta["path"] for meta in page if meta["last_modified"] <= now - ORPHAN_AGE]
        if not old:
            continue
        async with engine.connect() as connection:
            statement = sa.select(data_exports.c.object_key).where(data_exports.c.object_key.in_(old))
            known = set(await connection.scalars(statement))
        for key in set(old) - known:
            await objects.discard(key)
            removed += 1
    return removed
