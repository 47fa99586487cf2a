"""Does an event concern who watches a filter? It does when the alert fulfilled the filter before the event *or* after.

Otherwise a client that watches active alerts would never learn that one was resolved. The alert of before and of after
is the alert as it is now, with what the event itself tells put in. Later changes of other fields are already in it: two
of them together may hide that it left a filter. So where that may be, they are taken back first (`as_of`), by what the
later events tell.

No event tells when an alert was resolved or changed before it. Where a filter asks for that, it is enough that the
alert could have fulfilled it: who shows alerts resolved this week must learn that one of them was opened again.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from domain.alerts.events import AlertEvent, AlertEventKind
from domain.alerts.filter import EVERY_ALERT, AlertFilter, matches, walk
from domain.alerts.model import Alert, AlertStatus, Severity

# Of so many moments it is asked whether the alert fulfilled the filter then. One with more ranges is told of the event.
MOST_MOMENTS = 16
# What a filter asks that an event tells only where it changes, beside labels.
_ASKED_OF_CHANGES = (
    "service_names",
    "team_ids",
    "assignees",
    "group_ids",
    "is_snoozed",
    "is_suppressed",
    "is_flapping",
    "is_false_positive",
)
# The fields that answer this: what is taken back of an alert as it is now.
TAKEN_BACK = (
    "service_name",
    "team_id",
    "assigned_to",
    "group_id",
    "snoozed_until",
    "suppressed_by",
    "flapping_since",
    "is_false_positive",
    "labels",
)


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
    now_told = _side(changes, 1) if changes else {}
    # A copy of an alert is dearer than most conditions.
    after = alert
    if now_told or alert.severity is not event.severity or alert.status is not event.status:
        after = _copy(alert, {"severity": event.severity, "status": event.status, **now_told}, event)
    if matches(condition, after):
        return True
    told = _side(changes, 0) if changes else {}
    before = _copy(after, told, event) if told else after
    if told and matches(condition, before):
        return True
    if not _asks_of_times(condition):
        return False
    times = _times_before(condition, event, before, after)
    return len(times) > MOST_MOMENTS or any(matches(condition, replace(before, **then)) for then in times)


def may_have_concerned(condition: AlertFilter, event: AlertEvent, alert: Alert) -> bool:
    """Whether an event that does not pass by the alert of now may pass by the alert of then."""
    if alert.version <= event.version or condition == EVERY_ALERT:
        return False
    fixed = _fixed(condition)
    return fixed != condition and concerns(fixed, event, alert)


def as_of(alert: Alert, later: Iterable[Mapping[str, Any]]) -> Alert:
    """The alert as it was before these changes, which come in their order."""
    before: dict[str, Any] = {}
    for changes in later:
        before = {**_side(changes, 0), **before}
    return replace(alert, **before) if before else alert


@lru_cache(maxsize=64)
def _fixed(condition: AlertFilter) -> AlertFilter:
    """What of a filter is asked of what each event tells, or never changes: whoever fulfils the filter fulfils this."""
    return replace(
        condition,
        **dict.fromkeys(_ASKED_OF_CHANGES),
        labels=(),
        all_of=tuple(map(_fixed, condition.all_of)),
        any_of=tuple(map(_fixed, condition.any_of)),
        none_of=(),
    )


def _copy(alert: Alert, told: Mapping[str, Any], event: AlertEvent) -> Alert:
    """The alert with what is told, and a time of its end if it has one in this status.

    It may have been resolved again since: what resolved it then says when that was.
    """
    resolved_at = alert.resolved_at
    if told.get("status", alert.status) is not AlertStatus.RESOLVED:
        resolved_at = None
    elif resolved_at is None or event.kind is AlertEventKind.RESOLVED:
        resolved_at = event.occurred_at
    return replace(alert, **told, resolved_at=resolved_at)


def _asks_of_times(condition: AlertFilter) -> bool:
    if condition.resolved_at is not None or condition.updated_at is not None:
        return True
    return bool(condition.parts) and any(map(_asks_of_times, condition.parts))


def _times_before(condition: AlertFilter, event: AlertEvent, before: Alert, after: Alert) -> list[Mapping[str, Any]]:
    """The times that the alert may have had before the event, as far as the filter tells them apart."""
    unknown = []
    if before.status is AlertStatus.RESOLVED and after.status is not AlertStatus.RESOLVED:
        unknown.append("resolved_at")
    if event.kind is not AlertEventKind.OPENED:
        unknown.append("updated_at")
    asked = [
        (name, range_) for _, part in walk(condition) for name in unknown if (range_ := getattr(part, name)) is not None
    ]
    if not asked:
        return []
    ends = {end for _, range_ in asked for end in (range_.since, range_.before) if end is not None}
    moments = {before.created_at, *(end for end in ends if before.created_at < end <= event.occurred_at)}
    return [dict.fromkeys((name for name, _ in asked), moment) for moment in moments]


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
