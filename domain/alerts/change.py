"""What does a move give? The alert before and after it, and the event that tells of it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

from domain.alerts.events import Actor, AlertEvent, AlertEventKind, Via
from domain.alerts.model import Alert
from domain.ids import new_id

# The fields whose before and after an event tells; the others are counters and times, or follow from these.
TRACKED_FIELDS = (
    "title",
    "description",
    "severity",
    "status",
    "service_name",
    "labels",
    "assigned_to",
    "team_id",
    "group_id",
    "snoozed_until",
    "resolution",
    "is_false_positive",
    "suppressed_by",
    "flapping_since",
    "paused_until",
)


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one alert. `events` is empty when nothing changed: then there is nothing to write either."""

    before: Alert
    after: Alert
    events: tuple[AlertEvent, ...] = ()


def unchanged(alert: Alert) -> Change:
    """Nothing to do: the alert already is as wanted."""
    return Change(alert, alert)


def change(
    alert: Alert,
    kind: AlertEventKind,
    *,
    actor: Actor,
    now: datetime,
    data: Mapping[str, Any] | None = None,
    updates: Mapping[str, Any] | None = None,
) -> Change:
    """Apply `updates` as the alert's next version, and tell of it in one event with each field's before and after."""
    after = replace(alert, **{**(updates or {}), "version": alert.version + 1, "updated_at": now})
    told = dict(data or {})
    differences = {
        name: [as_json(getattr(alert, name)), as_json(getattr(after, name))]
        for name in TRACKED_FIELDS
        if getattr(alert, name) != getattr(after, name)
    }
    if differences:
        told["changes"] = differences
    event = AlertEvent(
        id=new_id(),
        alert_id=alert.id,
        kind=kind,
        occurred_at=now,
        actor=actor,
        version=after.version,
        severity=after.severity,
        status=after.status,
        data=told,
    )
    return Change(alert, after, (event,))


def from_afar(made: Change, via: Via | None) -> Change:
    """The change as one that was made from elsewhere: its events say from where."""
    if via is None:
        return made
    events = tuple(replace(event, data={**event.data, "via": via.value}) for event in made.events)
    return replace(made, events=events)


def as_json(value: object) -> object:
    """The JSON form of a field's value."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, tuple):
        return [as_json(item) for item in value]
    if isinstance(value, Mapping):
        return {str(name): as_json(item) for name, item in value.items()}
    return value
