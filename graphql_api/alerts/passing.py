"""Which events pass a stream's filter? By their alerts as they are now; where that does not tell, as they were then.

See domain/alerts/passing.py. What has changed since an event is read only for those that do not pass as it is, and
might have passed then: of alerts that have changed meanwhile, for filters that ask for what not every event tells.
"""

from collections.abc import Sequence
from functools import partial

from domain.alerts.events import RecordedEvent
from domain.alerts.filter import AlertFilter
from domain.alerts.model import Alert
from domain.alerts.passing import as_of, concerns, may_have_concerned
from graphql_api.alerts.loaders import load_alerts, load_changes_after, load_for_any_sight
from graphql_api.context import Context


async def alerts_of(context: Context, items: Sequence[RecordedEvent]) -> list[Alert | None]:
    """The alerts of the events as they are now, read once for all groups; None for those the viewer may not see."""
    loader, course = context.loader(load_alerts), context.course
    if course is None or course.alerts is None:
        return await loader.load_many([item.alert_id for item in items])
    sight, read = context.require_viewer().sight, partial(load_for_any_sight, context)
    alerts = await course.alerts.alerts(sight, items, read, upcoming=course.upcoming)
    loader.prime_many({item.alert_id: alert for item, alert in zip(items, alerts, strict=True)})
    return alerts


async def passes(context: Context, wanted: AlertFilter, item: RecordedEvent, alert: Alert) -> bool:
    """Whether an event passes; what changed since is read together with that of the next events, for all groups."""
    course = context.course
    if course is None or course.alerts is None:
        return bool(await passed(context, wanted, [(item, alert)]))
    if concerns(wanted, item.event, alert):
        return True
    if not may_have_concerned(wanted, item.event, alert):
        return False
    later = await course.alerts.changes_since(item, partial(load_changes_after, context))
    return concerns(wanted, item.event, as_of(alert, later))


async def passed(
    context: Context, wanted: AlertFilter, seen: Sequence[tuple[RecordedEvent, Alert]]
) -> list[RecordedEvent]:
    """Those of several events that pass, in their order."""
    found = {item.id for item, alert in seen if concerns(wanted, item.event, alert)}
    unsure = [
        (item, alert) for item, alert in seen if item.id not in found and may_have_concerned(wanted, item.event, alert)
    ]
    changes = await load_changes_after(context, [item for item, _ in unsure]) if unsure else {}
    for item, alert in unsure:
        later = [told for place, told in changes[item.alert_id] if place > item.position]
        if concerns(wanted, item.event, as_of(alert, later)):
            found.add(item.id)
    return [item for item, _ in seen if item.id in found]
