"""Is everybody erased who is on the ledger? Done again after a restore brought somebody back.

The ledger is outside the database, so it knows of erasures that a copy of before does not.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.alerts.events import ActorKind
from domain.audit.model import AuditEntry
from domain.ids import new_id
from domain.privacy.erasure import Erasure, ErasureLedger
from persistence.objects import Objects
from persistence.tables import erasures_applied, log_epoch, users
from persistence.unit_of_work import UnitOfWork

_log = structlog.get_logger(__name__)
BATCH = 500


async def reapply_erasures(
    engine: AsyncEngine, ledger: ErasureLedger, *, objects: Callable[[], Objects], now: datetime
) -> int:
    """Erase whoever the ledger names and the database still knows; how many those were.

    `objects` opens the store of files, which is asked for only when there are some to remove.
    """
    batch: dict[UUID, Erasure] = {}
    done = 0
    async for erasure in ledger.entries():
        known = batch.get(erasure.user_id)
        # Asked for twice: the first time counts, and whatever was to go.
        if known is None or erasure.erased_at < known.erased_at or erasure.comments:
            batch[erasure.user_id] = erasure
        if len(batch) >= BATCH:
            done += await _erase_again(engine, batch, objects=objects, now=now)
            batch = {}
    done += await _erase_again(engine, batch, objects=objects, now=now)
    async with engine.begin() as connection:
        epoch = await _epoch(connection)
        statement = insert(erasures_applied).values(epoch=epoch, applied_at=now).on_conflict_do_nothing()
        await connection.execute(statement)
    if done:
        _log.warning("people on the erasure ledger were in the database, and were erased again", people=done)
    return done


async def were_reapplied(engine: AsyncEngine) -> bool:
    """Whether this was done since the database was last restored."""
    async with engine.connect() as connection:
        epoch = await _epoch(connection)
        statement = sa.select(sa.exists().where(erasures_applied.c.epoch == epoch))
        return bool(await connection.scalar(statement))


async def _epoch(connection: AsyncConnection) -> UUID:
    epoch: UUID = (await connection.execute(sa.select(log_epoch.c.epoch))).scalar_one()
    return epoch


async def _erase_again(
    engine: AsyncEngine, batch: Mapping[UUID, Erasure], *, objects: Callable[[], Objects], now: datetime
) -> int:
    if not batch:
        return 0
    async with engine.connect() as connection:
        statement = sa.select(users.c.id).where(users.c.id.in_(list(batch)), users.c.erased_at.is_(None))
        back = list(await connection.scalars(statement))
    for user_id in back:
        async with UnitOfWork(engine) as unit:
            files = await unit.erasing.erase(batch[user_id])
            await unit.audit.append(_entry(batch[user_id], now))
            await unit.commit()
        for key in files:
            await objects().discard(key)
    return len(back)


def _entry(erasure: Erasure, now: datetime) -> AuditEntry:
    return AuditEntry(
        id=new_id(),
        occurred_at=now,
        actor_kind=ActorKind.SYSTEM,
        action="reapplyErasure",
        target_kind="user",
        target_id=erasure.user_id,
        after={"erasedAt": erasure.erased_at.isoformat(), "comments": erasure.comments},
    )
