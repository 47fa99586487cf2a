"""How does a person end a snooze early?"""

import strawberry

from domain.alerts.actions import edit as actions
from graphql_api.alerts.acting import EXPECTED_VERSION, acting
from graphql_api.alerts.types import Alert, shown
from graphql_api.context import Info
from graphql_api.errors import NotFound, StaleVersion, mutation, payload
from graphql_api.scalars import uuid_of


@strawberry.input(description="The alert to wake.")
class WakeAlertInput:
    """See domain.alerts.actions."""

    id: strawberry.ID = strawberry.field(description="The alert.")
    expected_version: int | None = strawberry.field(description=EXPECTED_VERSION, default=None)


@strawberry.type(description="The alert is awake.")
class WakeAlertSuccess:
    """The alert after the change."""

    alert: Alert = strawberry.field(description="The alert as it is now.")


@mutation(
    payload("WakeAlert", WakeAlertSuccess, NotFound, StaleVersion),
    description="End the snooze of an alert; one that is awake stays so.",
)
async def wake_alert(info: Info, data: WakeAlertInput) -> WakeAlertSuccess:
    """No move: the status stays."""
    alert = await actions.wake_alert(
        acting(info.context), alert_id=uuid_of(data.id, "alert", "id"), expected_version=data.expected_version
    )
    return WakeAlertSuccess(alert=shown(alert))
