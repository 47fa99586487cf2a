"""How are the decisions of routing rules kept? A row each; how a row becomes an object, and back."""

import dataclasses
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.model import Severity
from domain.routing.model import RoutedEvent, Routing
from persistence.among import among
from persistence.routing import targets_json, targets_of
from persistence.tables import routings


def worsened_to(routing: Routing) -> str:
    """What the row has of the severity it worsened to; empty for other events."""
    return routing.severity.value if routing.event is RoutedEvent.WORSENED else ""


def routing_row(routing: Routing) -> dict[str, Any]:
    """The columns of a decision."""
    values = {field.name: getattr(routing, field.name) for field in dataclasses.fields(routing)}
    words = {"event": routing.event.value, "severity": routing.severity.value, "worsened_to": worsened_to(routing)}
    return {**values, **words, "targets": targets_json(routing.targets)}


def routing_from(row: sa.RowMapping) -> Routing:
    """The object of a row."""
    values = {field.name: row[field.name] for field in dataclasses.fields(Routing)}
    event, severity = RoutedEvent(values["event"]), Severity(values["severity"])
    return Routing(**{**values, "event": event, "severity": severity, "targets": targets_of(values["targets"])})


async def routings_by_alert(connection: AsyncConnection, alert_ids: Sequence[UUID]) -> list[list[Routing]]:
    """What rules decided of each alert, the oldest first."""
    statement = sa.select(routings).where(among(routings.c.alert_id, alert_ids)).order_by(routings.c.id)
    found: dict[UUID, list[Routing]] = {alert_id: [] for alert_id in alert_ids}
    for row in (await connection.execute(statement)).mappings():
        found[row["alert_id"]].append(routing_from(row))
    return [found[alert_id] for alert_id in alert_ids]


async def routings_by_ids(connection: AsyncConnection, ids: Sequence[UUID]) -> dict[UUID, Routing]:
    """Decisions by id; one that is not there is missing."""
    statement = sa.select(routings).where(among(routings.c.id, ids))
    return {row["id"]: routing_from(row) for row in (await connection.execute(statement)).mappings()}
