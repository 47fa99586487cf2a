"""Which events pass a stream's filter? By their alerts as they are now; where that does not tell, as they were then.

See domain/alerts/passing.py. What has changed since an event is read only for those that do not pass as it is, and
might have passed then: of alerts that have changed meanwhile, for filters that ask for what not every event tells.

A team that the viewer may not see is none here, as in what the events show: whoever knows the id of a private team must
not learn by a filter which alerts were that team's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

from domain.alerts.events import AlertEvent, RecordedEvent
from domain.alerts.filter import AlertFilter, walk
from domain.alerts.model import Alert
from domain.alerts.passing import as_of, concerns, may_have_concerned
from graphql_api.alerts.loaders import load_alerts, load_changes_after, load_for_any_sight
from graphql_api.context import Context
from graphql_api.identity.loaders import load_teams

_Changes = Mapping[str, Any]


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
    event = await _event_as_seen(context, wanted, item.event, alert)
    if concerns(wanted, event, alert):
        return True
    if not may_have_concerned(wanted, event, alert):
        return False
    later = await course.alerts.changes_since(item, partial(load_changes_after, context))
    return concerns(wanted, event, as_of(alert, await _as_seen(context, wanted, later, alert)))


async def passed(
    context: Context, wanted: AlertFilter, seen: Sequence[tuple[RecordedEvent, Alert]]
) -> list[RecordedEvent]:
    """Those of several events that pass, in their order."""
    found = set()
    unsure = []
    for item, alert in seen:
        event = await _event_as_seen(context, wanted, item.event, alert)
        if concerns(wanted, event, alert):
            found.add(item.id)
        elif may_have_concerned(wanted, event, alert):
            unsure.append((item, event, alert))
    changes = await load_changes_after(context, [item for item, _, _ in unsure]) if unsure else {}
    for item, event, alert in unsure:
        later = [told for place, told in changes[item.alert_id] if place > item.position]
        if concerns(wanted, event, as_of(alert, await _as_seen(context, wanted, later, alert))):
            found.add(item.id)
    return [item for item, _ in seen if item.id in found]


async def _event_as_seen(context: Context, wanted: AlertFilter, event: AlertEvent, alert: Alert) -> AlertEvent:
    changes = event.data.get("changes") or {}
    if "team_id" not in changes:
        return event  # as nearly all
    (shown,) = await _as_seen(context, wanted, [changes], alert)
    return event if shown is changes else replace(event, data={**event.data, "changes": shown})


async def _as_seen(
    context: Context, wanted: AlertFilter, changes: Sequence[_Changes], alert: Alert
) -> Sequence[_Changes]:
    """The changes of an alert that is seen, without teams that are not; only where the filter asks for teams."""
    sight = context.require_viewer().sight
    teams = {UUID(one) for told in changes for one in told.get("team_id", ()) if one is not None}
    unsure = sorted(teams - sight.team_ids - {alert.team_id})
    if not unsure or sight.everything or all(part.team_ids is None for _, part in walk(wanted)):
        return changes
    known = await context.loader(load_teams).load_many(unsure)
    hidden = {str(one) for one, team in zip(unsure, known, strict=True) if team is None}
    return [_without_teams(told, hidden) for told in changes] if hidden else changes


def _without_teams(told: _Changes, hidden: set[str]) -> _Changes:
    if hidden.isdisjoint(told.get("team_id", ())):
        return told
    return {**told, "team_id": [None if one in hidden else one for one in told["team_id"]]}
