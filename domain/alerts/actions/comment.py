"""How does a person write a note on an alert's timeline?"""

from dataclasses import dataclass
from uuid import UUID

from domain.alerts import edits
from domain.alerts.actions.acting import Acting
from domain.alerts.actions.changing import not_found
from domain.alerts.actions.once import done_once
from domain.alerts.model import Alert
from domain.alerts.ports import Once


@dataclass(frozen=True, slots=True)
class Commented:
    """The alert after the comment, and the event that holds it."""

    alert: Alert
    event_id: UUID


async def comment_on_alert(acting: Acting, *, alert_id: UUID, text: str, once: Once | None = None) -> Commented:
    """Write it once, however often the request comes."""
    async with acting.open() as work:
        alert = (await work.alerts.get_for_change([alert_id], sight=acting.viewer.sight)).get(alert_id)
        if alert is None:
            raise not_found()
        now = acting.clock.now()
        change = edits.comment(alert, text=text, actor=acting.actor, now=now)

        async def write() -> dict[str, str]:
            await work.alerts.save([change])
            await work.audit.append(acting.audit_change("commentOnAlert", change, occurred_at=now))
            return {"eventId": str(change.events[0].id)}

        made, is_new = await done_once(acting, work, once, now=now, do=write)
        await work.commit()
    return Commented(change.after if is_new else alert, UUID(made["eventId"]))
