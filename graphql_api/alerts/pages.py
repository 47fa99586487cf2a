"""Which page of alerts is asked for, and what is a place in it? The sort key of each order, which its cursors carry."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

from domain.alerts.model import Alert
from domain.alerts.order import AlertOrder
from graphql_api.alerts.enums import AlertOrderField
from graphql_api.alerts.filters import AlertFilterInput, AlertOrderInput, filter_of, order_of
from graphql_api.connection import Cursors, PageRequest, page_request
from graphql_api.enums import Severity
from persistence.reads.alerts import AlertKey, AlertPage


def alert_cursors(order: AlertOrder) -> Cursors[AlertKey]:
    """The cursors of an order; those of another are refused."""
    direction = "desc" if order.descending else "asc"
    by_severity = order.field is AlertOrderField.SEVERITY
    key: object = tuple[Severity, datetime, UUID] if by_severity else tuple[datetime, UUID]
    return Cursors(f"alerts:{order.field.value}:{direction}", key)


def alert_key(order: AlertOrder) -> Callable[[Alert], AlertKey]:
    """Reads an alert's sort key in an order."""
    read: Callable[[Alert], tuple[Any, ...]] = attrgetter(*order.columns)
    return read


class AlertQuestion(NamedTuple):
    """A page of alerts as it is asked for, checked."""

    page: AlertPage
    request: PageRequest[AlertKey]
    cursors: Cursors[AlertKey]

    def columns(self, attributes: frozenset[str]) -> tuple[str, ...]:
        """These attributes and those of the place in the order."""
        return tuple(sorted(attributes | frozenset(self.page.order.columns)))

    def between(self, cursors: Mapping[str, str]) -> "AlertQuestion":
        """The same list from other places on, `after` and `before`; InvalidInput for what is none of its cursors."""
        keys: dict[str, Any] = {argument: self.cursors.decode(cursor, argument) for argument, cursor in cursors.items()}
        return AlertQuestion(self.page._replace(**keys), replace(self.request, **keys), self.cursors)


def alert_question(
    *,
    wanted: AlertFilterInput | None = None,
    order_by: AlertOrderInput | None = None,
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    before: str | None = None,
) -> AlertQuestion:
    """What the arguments of a list of alerts say; InvalidInput where they cannot be."""
    condition, order = filter_of(wanted), order_of(order_by)
    cursors = alert_cursors(order)
    request = page_request(cursors, first=first, after=after, last=last, before=before)
    page = AlertPage(
        condition,
        request.limit + 1,
        order=order,
        after=request.after,
        before=request.before,
        backward=request.backward,
    )
    return AlertQuestion(page, request, cursors)
