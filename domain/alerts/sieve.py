"""Which events need not be looked at for a filter? Those of alerts that cannot fulfil it, by the little that is known.

It only ever says "surely not". What is not known may be anything, so an event that passes here is still asked
`concerns` (passing.py), of the whole alert.
"""

from typing import Any
from uuid import UUID

from domain.alerts.events import AlertEvent
from domain.alerts.filter import AlertFilter
from domain.alerts.model import OPEN_STATUSES, AlertStatus, Severity
from domain.values import value_class

# An event that changes one of these is shown to everybody's filter: what it was before is not looked for.
MOVING = frozenset({"service_name", "source", "team_id", "integration_id"})


@value_class(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of the alert of one event, from when the event was handed on."""

    service_name: str | None
    source: str
    team_id: UUID | None
    integration_id: UUID


@value_class(frozen=True, slots=True, kw_only=True)
class Possible:
    """What the alerts of some events may have been before and after them. `is_anything`: nothing can be ruled out."""

    severities: frozenset[Severity] = frozenset()
    statuses: frozenset[AlertStatus] = frozenset()
    service_names: frozenset[str | None] = frozenset()
    sources: frozenset[str] = frozenset()
    team_ids: frozenset[UUID | None] = frozenset()
    integration_ids: frozenset[UUID] = frozenset()
    is_anything: bool = False


ANYTHING = Possible(is_anything=True)


def possible_of(event: AlertEvent, known: Known | None) -> Possible:
    """What the alert of one event may have been before and after it."""
    changes = event.data.get("changes") or {}
    if known is None or not MOVING.isdisjoint(changes):
        return ANYTHING
    return Possible(
        severities=frozenset({event.severity, *map(Severity, changes.get("severity", ()))}),
        statuses=frozenset({event.status, *map(AlertStatus, changes.get("status", ()))}),
        service_names=frozenset({known.service_name}),
        sources=frozenset({known.source}),
        team_ids=frozenset({known.team_id}),
        integration_ids=frozenset({known.integration_id}),
    )


def may_concern(condition: AlertFilter, possible: Possible) -> bool:
    """Whether any of the events can pass the filter, as far as is known."""
    return possible.is_anything or _may_match(condition, possible)


def _may_match(condition: AlertFilter, possible: Possible) -> bool:
    return (
        _meet(condition.severities, possible.severities)
        and _meet(condition.statuses, possible.statuses)
        and _meet(condition.service_names, possible.service_names)
        and _meet(condition.sources, possible.sources)
        and _meet(condition.team_ids, possible.team_ids)
        and _meet(condition.integration_ids, possible.integration_ids)
        and (condition.is_open is None or any((s in OPEN_STATUSES) is condition.is_open for s in possible.statuses))
        and all(_may_match(part, possible) for part in condition.all_of)
        and (not condition.any_of or any(_may_match(part, possible) for part in condition.any_of))
    )


def _meet(wanted: frozenset[Any] | None, possible: frozenset[Any]) -> bool:
    return wanted is None or not wanted.isdisjoint(possible)
