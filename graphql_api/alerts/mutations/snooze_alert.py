"""How is an alert left in peace for a time?"""

from datetime import datetime

import strawberry

from domain.alerts.actions import edit as actions
from graphql_api.alerts.acting import EXPECTED_VERSION, acting
from graphql_api.alerts.types import Alert, shown
from graphql_api.context import Info
from graphql_api.errors import IllegalMove, NotFound, StaleVersion, mutation, payload
from graphql_api.scalars import uuid_of


@strawberry.input(description="The alert, and until when.")
class SnoozeAlertInput:
    """See domain.alerts.actions."""

    id: strawberry.ID = strawberry.field(description="The alert.")
    until: datetime = strawberry.field(description="Until when, at most 90 days ahead.")
    expected_version: int | None = strawberry.field(description=EXPECTED_VERSION, default=None)


@strawberry.type(description="The alert is snoozed.")
class SnoozeAlertSuccess:
    """The alert after the change."""

    alert: Alert = strawberry.field(description="The alert as it is now.")


@mutation(
    payload("SnoozeAlert", SnoozeAlertSuccess, NotFound, IllegalMove, StaleVersion),
    description="Leave an open alert in peace until a time; it stays open.",
)
async def snooze_alert(info: Info, data: SnoozeAlertInput) -> SnoozeAlertSuccess:
    """No move: the status stays."""
    alert = await actions.snooze_alert(
        acting(info.context),
        alert_id=uuid_of(data.id, "alert", "id"),
        until=data.until,
        expected_version=data.expected_version,
    )
    return SnoozeAlertSuccess(alert=shown(alert))
