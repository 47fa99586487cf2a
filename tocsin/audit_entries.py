"""How does a command put what it does on the audit log? In a transaction of its own, as the system."""

from typing import Any

from domain.alerts.events import ActorKind
from domain.audit.model import AuditEntry
from domain.ids import new_id
from domain.ports import SystemClock
from persistence.engine import create_engine
from persistence.unit_of_work import UnitOfWork
from tocsin.settings import Settings


async def record(settings: Settings, action: str, *, target_kind: str, after: dict[str, Any]) -> None:
    """Write one entry, before what it tells of is done."""
    entry = AuditEntry(
        id=new_id(),
        occurred_at=SystemClock().now(),
        actor_kind=ActorKind.SYSTEM,
        action=action,
        target_kind=target_kind,
        after=after,
    )
    engine = create_engine(settings, pool_size=1)
    try:
        async with UnitOfWork(engine) as uow:
            await uow.audit.append(entry)
            await uow.commit()
    finally:
        await engine.dispose()
