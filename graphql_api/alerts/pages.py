"""What is a place in a list of alerts? The sort key of each order, which its cursors carry."""

from collections.abc import Callable
from datetime import datetime
from operator import attrgetter
from typing import Annotated, Any
from uuid import UUID

import msgspec

from domain.alerts.model import Alert
from domain.alerts.order import AlertOrder
from graphql_api.alerts.enums import AlertOrderField
from graphql_api.connection import Cursors
from graphql_api.enums import Severity
from persistence.reads.alerts import AlertKey

# A forged cursor without a time zone would fail only in the database.
Moment = Annotated[datetime, msgspec.Meta(tz=True)]


def alert_cursors(order: AlertOrder) -> Cursors[AlertKey]:
    """The cursors of an order; those of another are refused."""
    direction = "desc" if order.descending else "asc"
    by_severity = order.field is AlertOrderField.SEVERITY
    key: object = tuple[Severity, Moment, UUID] if by_severity else tuple[Moment, UUID]
    return Cursors(f"alerts:{order.field.value}:{direction}", key)


def alert_key(order: AlertOrder) -> Callable[[Alert], AlertKey]:
    """Reads an alert's sort key in an order."""
    read: Callable[[Alert], tuple[Any, ...]] = attrgetter(*order.columns)
    return read
