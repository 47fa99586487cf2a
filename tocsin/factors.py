"""What does `tocsin factors reset` do? What `resetUserFactors` does, for whoever may reach the database."""

import asyncio

from domain.alerts.events import ActorKind
from domain.audit.model import AuditEntry
from domain.identity.addresses import address_digests
from domain.identity.enrolment import reset_factors
from domain.ids import new_id
from domain.ports import SystemClock
from persistence.account_rules import account_rules
from persistence.engine import create_engine
from persistence.unit_of_work import UnitOfWork
from tocsin.migrate import require_current
from tocsin.settings import Settings


def reset(settings: Settings, address: str) -> bool:
    """Remove the second factors of the person with this address, and end their sessions; False when there is nobody."""
    require_current(settings)
    return asyncio.run(_reset(settings, address))


async def _reset(settings: Settings, address: str) -> bool:
    rules, now = account_rules(settings), SystemClock().now()
    engine = create_engine(settings, pool_size=1)
    try:
        async with UnitOfWork(engine) as unit:
            user = await unit.users.by_email(*address_digests(address, rules.address_keys))
            if user is None:
                return False
            entry = AuditEntry(
                id=new_id(),
                occurred_at=now,
                actor_kind=ActorKind.SYSTEM,
                action="resetUserFactors",
                target_kind="user",
                target_id=user.id,
            )
            await reset_factors(unit, user.id, letters=rules.letters, now=now, entry=entry)
            await unit.commit()
        return True
    finally:
        await engine.dispose()
