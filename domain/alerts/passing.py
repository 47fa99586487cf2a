"""Does an event concern who watches a filter? It does when the alert fulfilled the filter before the event *or* after.

Otherwise a client that watches active alerts would never learn that one was resolved. The alert of before and of after
is the alert as it is now, with what the event itself tells put in: later changes of other fields are already in it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.alerts.events import AlertEvent
from domain.alerts.filter import EVERY_ALERT, AlertFilter, matches
from domain.alerts.model import Alert, AlertStatus, Severity


def _ids(values: list[str]) -> tuple[UUID, ...]:
    return tuple(map(UUID, values))


# How each field that an event may tell of comes back from JSON; a name that is not here filters nothing.
_READ: Mapping[str, Callable[[Any], object]] = {
    "title": str,
    "description": str,
    "severity": Severity,
    "status": AlertStatus,
    "service_name": str,
    "labels": dict,
    "assigned_to": UUID,
    "team_id": UUID,
    "group_id": UUID,
    "snoozed_until": datetime.fromisoformat,
    "is_false_positive": bool,
    "suppressed_by": _ids,
    "flapping_since": datetime.fromisoformat,
}


def concerns(condition: AlertFilter, event: AlertEvent, alert: Alert) -> bool:
    """Whether the event of this alert passes the filter."""
    if condition == EVERY_ALERT:
        return True
    changes: Mapping[str, Any] = event.data.get("changes") or {}
    is_as_told = alert.severity is event.severity and alert.status is event.status
    # A copy of an alert is dearer than most conditions.
    after = alert
    if changes or not is_as_told:
        after = replace(alert, **{"severity": event.severity, "status": event.status, **_side(changes, 1)})
    if matches(condition, after):
        return True
    before = _side(changes, 0) if changes else {}
    return bool(before) and matches(condition, replace(after, **before))


def _side(changes: Mapping[str, Any], side: int) -> dict[str, Any]:
    """The values of before (0) or after (1), by field."""
    return {
        name: None if pair[side] is None else _READ[name](pair[side]) for name, pair in changes.items() if name in _READ
    }


@dataclass(frozen=True, slots=True)
class TeamLeft:
    """Whose an alert was before it changed hands; None: nobody's in particular."""

    id: UUID | None


def team_left(event: AlertEvent) -> TeamLeft | None:
    """The team that the event took the alert from; None when it changed no team."""
    change = (event.data.get("changes") or {}).get("team_id")
    if change is None:
        return None
    return TeamLeft(None if change[0] is None else UUID(change[0]))
