"""What becomes of an alert whose person can do nothing for it any more? It is taken from them, and says so.

Somebody was taken out of the alert's private team, the team was made private, an administrator became something less,
or the person was sent away or erased. What they were given looks taken care of, and nobody takes care of it.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from domain.alerts import edits
from domain.alerts.ports import UnitOfWork
from domain.alerts.visibility import EVERYTHING


async def release_unseen(work: UnitOfWork, ids: Sequence[UUID], *, now: datetime) -> int:
    """Take those of the alerts from their people who cannot see them, as this transaction has it; how many."""
    found = await work.alerts.get_for_change(ids, sight=EVERYTHING)
    private = await work.people.private_teams()
    people = {alert.assigned_to for alert in found.values() if alert.assigned_to is not None}
    sights = {user_id: await work.people.sight_of(user_id) for user_id in sorted(people)}
    changes = []
    for alert in found.values():
        if alert.assigned_to is None or not alert.is_open:
            continue
        sight = sights[alert.assigned_to]
        if sight is None or not sight.sees(alert.team_id, private):
            changes.append(edits.release(alert, now=now))
    await work.alerts.save(changes)
    return len(changes)
