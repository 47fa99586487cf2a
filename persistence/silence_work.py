"""What is one change of silences? A transaction whose first statement takes the silences lock exclusively."""

from datetime import datetime
from types import TracebackType
from typing import Self

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.maintenance.planning import AHEAD, RENEWED, plan_due
from domain.silences.model import Silence
from domain.silences.sweeping import apply_due
from persistence.audit import AuditTrail
from persistence.idempotency import IdempotencyKeys
from persistence.locks import take_locks
from persistence.maintenance_windows import MaintenanceWindows, is_to_plan
from persistence.silences import SilenceStore, is_due

# Of one job; what is left is for the next.
MAX_ROUNDS = 500


class SilenceUnitOfWork:
    """One change: the silences, the windows they come from, the audit log and the idempotency keys."""

    connection: AsyncConnection
    silences: SilenceStore
    windows: MaintenanceWindows
    audit: AuditTrail
    idempotency: IdempotencyKeys

    def __init__(self, engine: AsyncEngine) -> None:
        self._pending = engine.connect()

    async def __aenter__(self) -> Self:
        self.connection = await self._pending.__aenter__()
        try:
            await take_locks(self.connection, [], silences="exclusive")
        except BaseException as error:
            await self._pending.__aexit__(type(error), error, error.__traceback__)
            raise
        self.silences = SilenceStore(self.connection)
        self.windows = MaintenanceWindows(self.connection)
        self.audit = AuditTrail(self.connection)
        self.idempotency = IdempotencyKeys(self.connection)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._pending.__aexit__(kind, error, trace)

    async def skip_occurrence(self, silence: Silence) -> None:
        """Let the maintenance window it is an occurrence of, if any, not make this occurrence anew."""
        if silence.window_id is not None and silence.occurrence_at is not None:
            await self.windows.skip(silence.window_id, silence.occurrence_at)

    async def commit(self) -> None:
        """Make it durable. When this raises because the connection was lost, the outcome is unknown."""
        await self.connection.commit()


async def apply_due_silences(engine: AsyncEngine, now: datetime) -> int:
    """Apply the starts and ends that have passed, a bounded number of alerts a transaction; how many silences moved.

    Looks first without the lock: it would hold up all ingest, and mostly nothing is due.
    """
    moved = 0
    for _ in range(MAX_ROUNDS):
        async with engine.connect() as connection:
            if not await connection.scalar(sa.select(sa.exists().where(is_due(now)))):
                break
        async with SilenceUnitOfWork(engine) as work:
            done, is_more = await apply_due(work, now=now)
            await work.commit()
        moved += done
        if not is_more:
            break
    return moved


async def plan_due_windows(engine: AsyncEngine, now: datetime) -> int:
    """Make the coming occurrences of maintenance windows into silences; how many windows were planned.

    Looks first without the lock, as above.
    """
    planned = 0
    for _ in range(MAX_ROUNDS):
        async with engine.connect() as connection:
            if not await connection.scalar(sa.select(sa.exists().where(is_to_plan(now + AHEAD - RENEWED)))):
                break
        async with SilenceUnitOfWork(engine) as work:
            planned += await plan_due(work, now=now)
            await work.commit()
    return planned
