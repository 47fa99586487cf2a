"""How is an alert given to somebody?"""

import strawberry

from domain.alerts.actions import edit as actions
from graphql_api.alerts.acting import EXPECTED_VERSION, acting
from graphql_api.alerts.bulk import assignee_of
from graphql_api.alerts.types import Alert, shown
from graphql_api.context import Info
from graphql_api.errors import NotFound, StaleVersion, mutation, payload
from graphql_api.scalars import uuid_of


@strawberry.input(description="The alert, and whose it is from now on.")
class AssignAlertInput:
    """See domain.alerts.actions."""

    id: strawberry.ID = strawberry.field(description="The alert.")
    assignee_id: strawberry.ID | None = strawberry.field(
        description="Whose it is from now on; null for nobody's. Somebody who can see the alert."
    )
    expected_version: int | None = strawberry.field(description=EXPECTED_VERSION, default=None)


@strawberry.type(description="The alert is assigned.")
class AssignAlertSuccess:
    """The alert after the change."""

    alert: Alert = strawberry.field(description="The alert as it is now.")


@mutation(
    payload("AssignAlert", AssignAlertSuccess, NotFound, StaleVersion),
    description="Give an alert to somebody who can see it, or to nobody.",
)
async def assign_alert(info: Info, data: AssignAlertInput) -> AssignAlertSuccess:
    """No move: the status stays."""
    alert = await actions.assign_alert(
        acting(info.context),
        alert_id=uuid_of(data.id, "alert", "id"),
        assignee=assignee_of(data.assignee_id),
        expected_version=data.expected_version,
    )
    return AssignAlertSuccess(alert=shown(alert))
