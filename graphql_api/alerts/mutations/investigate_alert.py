"""How does a person say that they look for the cause?"""

import strawberry

from domain.alerts.actions import moves as actions
from graphql_api.alerts.acting import EXPECTED_VERSION, acting
from graphql_api.alerts.types import Alert, shown
from graphql_api.context import Info
from graphql_api.errors import IllegalMove, NotFound, StaleVersion, mutation, payload
from graphql_api.scalars import uuid_of


@strawberry.input(description="The alert to investigate.")
class InvestigateAlertInput:
    """See domain.alerts.actions."""

    id: strawberry.ID = strawberry.field(description="The alert.")
    expected_version: int | None = strawberry.field(description=EXPECTED_VERSION, default=None)


@strawberry.type(description="The alert is being investigated.")
class InvestigateAlertSuccess:
    """The alert after the change."""

    alert: Alert = strawberry.field(description="The alert as it is now.")


@mutation(
    payload("InvestigateAlert", InvestigateAlertSuccess, NotFound, IllegalMove, StaleVersion),
    description="Say that you are looking for the cause of an acknowledged alert.",
)
async def investigate_alert(info: Info, data: InvestigateAlertInput) -> InvestigateAlertSuccess:
    """One move."""
    alert = await actions.investigate_alert(
        acting(info.context), alert_id=uuid_of(data.id, "alert", "id"), expected_version=data.expected_version
    )
    return InvestigateAlertSuccess(alert=shown(alert))
