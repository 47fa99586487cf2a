"""How does a person take an alert?"""

import strawberry

from domain.alerts.actions import moves as actions
from graphql_api.alerts.acting import EXPECTED_VERSION, acting
from graphql_api.alerts.types import Alert, shown
from graphql_api.context import Info
from graphql_api.errors import IllegalMove, NotFound, StaleVersion, mutation, payload
from graphql_api.scalars import uuid_of


@strawberry.input(description="The alert to take.")
class AcknowledgeAlertInput:
    """See domain.alerts.actions."""

    id: strawberry.ID = strawberry.field(description="The alert.")
    expected_version: int | None = strawberry.field(description=EXPECTED_VERSION, default=None)


@strawberry.type(description="The alert is acknowledged.")
class AcknowledgeAlertSuccess:
    """The alert after the change."""

    alert: Alert = strawberry.field(description="The alert as it is now.")


@mutation(
    payload("AcknowledgeAlert", AcknowledgeAlertSuccess, NotFound, IllegalMove, StaleVersion),
    description="Say that you have seen an active alert and take care of it.",
)
async def acknowledge_alert(info: Info, data: AcknowledgeAlertInput) -> AcknowledgeAlertSuccess:
    """One move."""
    alert = await actions.acknowledge_alert(
        acting(info.context), alert_id=uuid_of(data.id, "alert", "id"), expected_version=data.expected_version
    )
    return AcknowledgeAlertSuccess(alert=shown(alert))
