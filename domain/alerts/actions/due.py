"""What does the passing of time do to alerts? It ends those whose time has passed, and wakes those that slept."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from domain.alerts import edits, lifecycle
from domain.alerts.events import SYSTEM
from domain.alerts.ports import UnitOfWorkFactory
from domain.alerts.visibility import EVERYTHING
from domain.ports import Clock

BATCH = 200


async def expire_due(open_unit: UnitOfWorkFactory, clock: Clock) -> int:
    """Resolve up to a batch of open alerts whose `expires_at` has passed; how many there were."""
    async with open_unit() as work:
        ids = await work.alerts.due_to_expire(clock.now(), limit=BATCH)
    return await _pass(open_unit, clock, ids)


async def wake_due(open_unit: UnitOfWorkFactory, clock: Clock) -> int:
    """Wake up to a batch of alerts whose snooze is over; how many there were."""
    async with open_unit() as work:
        ids = await work.alerts.due_to_wake(clock.now(), limit=BATCH)
    return await _pass(open_unit, clock, ids)


async def _pass(open_unit: UnitOfWorkFactory, clock: Clock, ids: Sequence[UUID]) -> int:
    """Under the locks each alert is looked at anew: a re-send or a person may have been faster."""
    if not ids:
        return 0
    async with open_unit() as work:
        alerts = await work.alerts.get_for_change(ids, sight=EVERYTHING)
        now = clock.now()
        changes = []
        for alert in alerts.values():
            change = lifecycle.expire(alert, now=now)
            if not change.events and _is_over(alert.snoozed_until, now):
                change = edits.wake(alert, actor=SYSTEM, now=now)
            if change.events:
                changes.append(change)
        await work.alerts.save(changes)
        await work.commit()
    return len(changes)


def _is_over(time: datetime | None, now: datetime) -> bool:
    return time is not None and time <= now
