"""How does a client say which alerts it wants, and in which order? Inputs, made into the domain's filter and order."""

from collections.abc import Iterable
from datetime import datetime
from typing import TypeVar
from uuid import UUID

import strawberry

from domain.alerts import filter as domain
from domain.alerts.order import NEWEST_FIRST, AlertOrder
from domain.errors import InvalidInput
from domain.silences.matchers import MAX_MATCHERS, InvalidMatcher, LabelMatcher
from graphql_api.alerts.enums import AlertOrderField, AlertStatus, MatchOperator, OrderDirection
from graphql_api.enums import Severity
from graphql_api.scalars import uuid_or_none

T = TypeVar("T")
H = TypeVar("H")


@strawberry.input(description="A range of time: `from` is within, `until` is not. An end left out is open.")
class DateTimeRange:
    """See domain.alerts.filter.TimeRange."""

    from_: datetime | None = strawberry.field(name="from", description="The first time within.", default=None)
    until: datetime | None = strawberry.field(description="The first time beyond.", default=None)

    def as_domain(self) -> domain.TimeRange:
        """The domain's range."""
        return domain.TimeRange(since=self.from_, before=self.until)


@strawberry.input(description='A condition on a label, as Alertmanager has them: `env="prod"`, `instance=~"db-.*"`.')
class LabelMatcherInput:
    """See domain.silences.matchers.LabelMatcher."""

    name: str = strawberry.field(description="The label's name.")
    operator: MatchOperator = strawberry.field(
        description="How the label is compared with the value.", default=MatchOperator.EQUAL
    )
    value: str = strawberry.field(
        description="The value, or the regular expression (RE2, anchored at both ends). A list cannot be filtered by "
        "flags, Unicode classes or word boundaries."
    )


@strawberry.input(
    name="AlertFilter",
    description="Which alerts are wanted. All conditions given must hold; one left out does not count, and null is a "
    "value of its own where the field says so.",
)
class AlertFilterInput:
    """See domain.alerts.filter.AlertFilter."""

    ids: strawberry.Maybe[list[strawberry.ID]] = strawberry.field(description="One of these alerts.", default=None)
    status: strawberry.Maybe[list[AlertStatus]] = strawberry.field(description="One of these.", default=None)
    severity: strawberry.Maybe[list[Severity]] = strawberry.field(description="One of these.", default=None)
    source: strawberry.Maybe[list[str]] = strawberry.field(description="One of these.", default=None)
    service_name: strawberry.Maybe[list[str | None]] = strawberry.field(
        description="One of these; null among them stands for alerts without a service.", default=None
    )
    team_id: strawberry.Maybe[strawberry.ID | None] = strawberry.field(
        description="Of this team; null for alerts of no team.", default=None
    )
    assigned_to: strawberry.Maybe[strawberry.ID | None] = strawberry.field(
        description="Assigned to this person; null for alerts of nobody.", default=None
    )
    unassigned: strawberry.Maybe[bool] = strawberry.field(
        description="True for alerts of nobody, false for alerts of anybody.", default=None
    )
    integration_id: strawberry.Maybe[strawberry.ID] = strawberry.field(
        description="Taken by this integration.", default=None
    )
    group_id: strawberry.Maybe[strawberry.ID | None] = strawberry.field(
        description="In this group; null for alerts of no group.", default=None
    )
    created_at: strawberry.Maybe[DateTimeRange] = strawberry.field(description="Opened within.", default=None)
    updated_at: strawberry.Maybe[DateTimeRange] = strawberry.field(description="Last changed within.", default=None)
    resolved_at: strawberry.Maybe[DateTimeRange] = strawberry.field(
        description="Resolved within; open alerts never are.", default=None
    )
    labels: strawberry.Maybe[list[LabelMatcherInput]] = strawberry.field(
        description="Whose labels fulfil all of these.", default=None
    )
    dedup_key: strawberry.Maybe[str] = strawberry.field(description="With this dedup key.", default=None)
    is_open: strawberry.Maybe[bool] = strawberry.field(description="Whether it is not resolved.", default=None)
    snoozed: strawberry.Maybe[bool] = strawberry.field(description="Whether it is left in peace.", default=None)
    suppressed: strawberry.Maybe[bool] = strawberry.field(description="Whether anything holds it.", default=None)
    flapping: strawberry.Maybe[bool] = strawberry.field(description="Whether it is marked as flapping.", default=None)
    false_positive: strawberry.Maybe[bool] = strawberry.field(
        description="Whether somebody marked it as a false positive.", default=None
    )
    search: strawberry.Maybe[str] = strawberry.field(
        description="Every word of it stands somewhere in the title, the description or the service; case does not "
        'matter. `"two words"` side by side, `a OR b`, `-not`, `begin*`, and `title:`, `service:`, `source:` or '
        "`label.NAME:` before a word. At most 10 words, 30 in all parts of a filter. Not for subscriptions; "
        "`searchAlerts` forgives typing errors.",
        default=None,
    )
    and_: strawberry.Maybe[list["AlertFilterInput"]] = strawberry.field(
        name="and", description="All of these hold, too.", default=None
    )
    or_: strawberry.Maybe[list["AlertFilterInput"]] = strawberry.field(
        name="or", description="At least one of these holds, too; the list must not be empty.", default=None
    )
    not_: strawberry.Maybe["AlertFilterInput"] = strawberry.field(
        name="not", description="This does not hold.", default=None
    )

    def as_domain(self) -> domain.AlertFilter:
        """The domain's filter, not yet checked for its size."""
        return domain.AlertFilter(
            ids=_ids(_given(self.ids)),
            statuses=_set(_given(self.status)),
            severities=_set(_given(self.severity)),
            sources=_set(_given(self.source)),
            service_names=_set(_given(self.service_name)),
            team_ids=_one_id(self.team_id),
            assignees=_one_id(self.assigned_to),
            integration_ids=None if self.integration_id is None else _ids([self.integration_id.value]),
            group_ids=_one_id(self.group_id),
            created_at=_range(self.created_at),
            updated_at=_range(self.updated_at),
            resolved_at=_range(self.resolved_at),
            labels=_matchers(_given(self.labels) or []),
            dedup_key=_given(self.dedup_key),
            is_open=_given(self.is_open),
            is_snoozed=_given(self.snoozed),
            is_suppressed=_given(self.suppressed),
            is_flapping=_given(self.flapping),
            is_false_positive=_given(self.false_positive),
            search=_given(self.search),
            all_of=(
                *_parts(_given(self.and_) or [], "and"),
                *(() if self.unassigned is None else (_unassigned(is_so=self.unassigned.value),)),
            ),
            any_of=_any_of(_given(self.or_)),
            none_of=() if self.not_ is None else (_part(self.not_.value, "not"),),
        )


def filter_of(wanted: AlertFilterInput | None) -> domain.AlertFilter:
    """The domain's filter of an argument; InvalidInput where it is too large or cannot be read."""
    if wanted is None:
        return domain.EVERY_ALERT
    made = wanted.as_domain()
    domain.check(made)
    return made


@strawberry.input(name="AlertOrder", description="In which order a list of alerts comes.")
class AlertOrderInput:
    """See domain.alerts.order.AlertOrder."""

    field: AlertOrderField = strawberry.field(description="What it is ordered by.")
    direction: OrderDirection = strawberry.field(description="Which end comes first.", default=OrderDirection.DESC)


def order_of(wanted: AlertOrderInput | None) -> AlertOrder:
    """The domain's order of an argument; the newest first by default."""
    if wanted is None:
        return NEWEST_FIRST
    return AlertOrder(field=wanted.field, descending=wanted.direction is OrderDirection.DESC)


def _given(value: strawberry.Some[T] | None) -> T | None:
    return None if value is None else value.value


def _set(values: Iterable[H] | None) -> frozenset[H] | None:
    return None if values is None else frozenset(values)


def _ids(values: Iterable[str] | None) -> frozenset[UUID] | None:
    """Text that is no id names nothing, so it finds nothing."""
    if values is None:
        return None
    return frozenset(found for value in values if (found := uuid_or_none(value)) is not None)


def _one_id(value: strawberry.Some[strawberry.ID | None] | None) -> frozenset[UUID | None] | None:
    if value is None:
        return None
    return frozenset({None}) if value.value is None else frozenset(_ids([value.value]) or ())


def _any_of(parts: list[AlertFilterInput] | None) -> tuple[domain.AlertFilter, ...]:
    """An empty list would be true of none by the rules of logic, and of all to most who write it: so it is refused."""
    if parts is not None and not parts:
        raise InvalidInput(message="name at least one condition", path=("filter", "or"))
    return _parts(parts or [], "or")


def _parts(parts: list[AlertFilterInput], name: str) -> tuple[domain.AlertFilter, ...]:
    return tuple(_part(part, name, str(number)) for number, part in enumerate(parts))


def _part(part: AlertFilterInput, *place: str) -> domain.AlertFilter:
    """What stands at this place of a filter; a refusal says where."""
    try:
        return part.as_domain()
    except InvalidInput as error:
        raise InvalidInput(message=error.message, path=("filter", *place, *error.path[1:])) from error


def _range(value: strawberry.Some[DateTimeRange] | None) -> domain.TimeRange | None:
    return None if value is None else value.value.as_domain()


def _unassigned(*, is_so: bool) -> domain.AlertFilter:
    nobody = domain.AlertFilter(assignees=frozenset({None}))
    return nobody if is_so else domain.AlertFilter(none_of=(nobody,))


def _matchers(values: list[LabelMatcherInput]) -> tuple[LabelMatcher, ...]:
    if len(values) > MAX_MATCHERS:
        raise InvalidInput(message=f"at most {MAX_MATCHERS} matchers", path=("filter", "labels"))
    made = []
    for place, value in enumerate(values):
        try:
            made.append(LabelMatcher(value.name, value.operator, value.value))
        except InvalidMatcher as error:
            raise InvalidInput(message=error.message, path=("filter", "labels", str(place), *error.path)) from error
    return tuple(made)
