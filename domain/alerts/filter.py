"""Which alerts does a client ask for? One filter, with one meaning in SQL (persistence/reads/alert_filter.py) and here.

A table of cases runs against both (tests/alert_filter_cases.py). Conditions given together must all hold. A field
without a value fulfils no condition on a value, and `none_of` of such a condition holds: there is no third truth value.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.alerts.model import OPEN_STATUSES, Alert, AlertStatus, Severity
from domain.alerts.search import mentions, parse
from domain.errors import InvalidInput
from domain.silences.matchers import LabelMatcher
from domain.text import check_storable

MAX_VALUES = 500
MAX_DEPTH = 5
MAX_PARTS = 50
# Each may have to be looked for in every alert.
MAX_WORDS = 30


@dataclass(frozen=True, slots=True)
class TimeRange:
    """A half-open range: `since <= time < before`; an end that is None is open."""

    since: datetime | None = None
    before: datetime | None = None

    def holds(self, time: datetime | None) -> bool:
        """Whether the time is within; no time never is."""
        if time is None:
            return False
        return (self.since is None or time >= self.since) and (self.before is None or time < self.before)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFilter:
    """None means "no condition". `service_names` may hold None: alerts without a service; the same for `team_ids`.

    `search` is a line of words and signs (domain/alerts/search.py), found wherever they stand.
    """

    ids: frozenset[UUID] | None = None
    statuses: frozenset[AlertStatus] | None = None
    severities: frozenset[Severity] | None = None
    sources: frozenset[str] | None = None
    service_names: frozenset[str | None] | None = None
    team_ids: frozenset[UUID | None] | None = None
    assignees: frozenset[UUID | None] | None = None
    integration_ids: frozenset[UUID] | None = None
    group_ids: frozenset[UUID | None] | None = None
    created_at: TimeRange | None = None
    updated_at: TimeRange | None = None
    resolved_at: TimeRange | None = None
    labels: tuple[LabelMatcher, ...] = ()
    dedup_key: str | None = None
    is_open: bool | None = None
    is_snoozed: bool | None = None
    is_suppressed: bool | None = None
    is_flapping: bool | None = None
    is_false_positive: bool | None = None
    search: str | None = None
    all_of: tuple["AlertFilter", ...] = ()
    any_of: tuple["AlertFilter", ...] = ()
    none_of: tuple["AlertFilter", ...] = ()

    @property
    def parts(self) -> tuple["AlertFilter", ...]:
        """The filters nested in this one."""
        return self.all_of + self.any_of + self.none_of


EVERY_ALERT = AlertFilter()


def walk(condition: AlertFilter, place: tuple[str, ...] = ("filter",)) -> Iterator[tuple[tuple[str, ...], AlertFilter]]:
    """The filter and all that is nested in it, each with its place, by the names that clients know."""
    yield place, condition
    for name, parts in (("and", condition.all_of), ("or", condition.any_of)):
        for number, part in enumerate(parts):
            yield from walk(part, (*place, name, str(number)))
    for part in condition.none_of:
        yield from walk(part, (*place, "not"))


def check(condition: AlertFilter) -> None:
    """Refuse what would cost too much, or cannot be in any alert."""
    words = 0
    for count, (place, part) in enumerate(walk(condition), start=1):
        depth = sum(not step.isdigit() for step in place)
        if depth > MAX_DEPTH or count > MAX_PARTS:
            raise InvalidInput(
                message=f"a filter may nest {MAX_DEPTH} deep and have {MAX_PARTS} parts", path=("filter",)
            )
        _check_values(part, place)
        if part.search is not None:
            words += parse(part.search, path=(*place, "search")).words
            if words > MAX_WORDS:
                message = f"a filter may have {MAX_WORDS} words to search for, in all its parts"
                raise InvalidInput(message=message, path=(*place, "search"))


def _check_values(part: AlertFilter, place: tuple[str, ...]) -> None:
    """What a client may make long, or fill with anything; by the names it knows."""
    values: Collection[Any]
    for name, values in (
        ("ids", part.ids or ()),
        ("source", part.sources or ()),
        ("serviceName", part.service_names or ()),
        ("dedupKey", (part.dedup_key,)),
        ("search", (part.search,)),
    ):
        if len(values) > MAX_VALUES:
            raise InvalidInput(message=f"at most {MAX_VALUES} values", path=(*place, name))
        for value in values:
            if isinstance(value, str):
                check_storable(value, path=(*place, name))


def search_within(condition: AlertFilter) -> tuple[str, ...] | None:
    """Where full text takes part, if it does: a stream of events cannot be filtered by it."""
    return next(((*place, "search") for place, part in walk(condition) if part.search is not None), None)


def size(condition: AlertFilter) -> int:
    """About how many values, and characters of them, it holds: what it takes to keep it."""
    total = 0
    for _, part in walk(condition):
        for values in (part.ids, part.team_ids, part.assignees, part.integration_ids, part.group_ids):
            total += len(values or ())
        for text in (*(part.sources or ()), *(part.service_names or ()), part.dedup_key, part.search):
            total += len(text or "") + 1
        total += sum(len(matcher.name) + len(matcher.value) for matcher in part.labels)
    return total


def matches(condition: AlertFilter, alert: Alert) -> bool:
    """Whether the alert fulfils the filter."""
    return (
        _within(condition.ids, alert.id)
        and _within(condition.statuses, alert.status)
        and _within(condition.severities, alert.severity)
        and _within(condition.sources, alert.source)
        and _within(condition.service_names, alert.service_name)
        and _within(condition.team_ids, alert.team_id)
        and _within(condition.assignees, alert.assigned_to)
        and _within(condition.integration_ids, alert.integration_id)
        and _within(condition.group_ids, alert.group_id)
        and _during(condition.created_at, alert.created_at)
        and _during(condition.updated_at, alert.updated_at)
        and _during(condition.resolved_at, alert.resolved_at)
        and condition.dedup_key in {None, alert.dedup_key}
        and condition.is_open in {None, alert.status in OPEN_STATUSES}
        and condition.is_snoozed in {None, alert.snoozed_until is not None}
        and condition.is_suppressed in {None, bool(alert.suppressed_by)}
        and condition.is_flapping in {None, alert.flapping_since is not None}
        and condition.is_false_positive in {None, alert.is_false_positive}
        and all(matcher.matches(alert.labels) for matcher in condition.labels)
        and (condition.search is None or mentions(condition.search, alert))
        and all(matches(part, alert) for part in condition.all_of)
        and (not condition.any_of or any(matches(part, alert) for part in condition.any_of))
        and not any(matches(part, alert) for part in condition.none_of)
    )


def _within(wanted: frozenset[object] | None, value: object) -> bool:
    return wanted is None or value in wanted


def _during(wanted: TimeRange | None, time: datetime | None) -> bool:
    return wanted is None or wanted.holds(time)
