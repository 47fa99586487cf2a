"""How does a person open an alert again?"""

import strawberry

from domain.alerts.actions import moves as actions
from graphql_api.alerts.acting import EXPECTED_VERSION, acting
from graphql_api.alerts.types import Alert, shown
from graphql_api.context import Info
from graphql_api.errors import IllegalMove, NewerAlertOpen, NotFound, StaleVersion, mutation, payload
from graphql_api.scalars import uuid_of


@strawberry.input(description="The alert to open again.")
class ReopenAlertInput:
    """See domain.alerts.actions."""

    id: strawberry.ID = strawberry.field(description="The alert.")
    expected_version: int | None = strawberry.field(description=EXPECTED_VERSION, default=None)


@strawberry.type(description="The alert is active again.")
class ReopenAlertSuccess:
    """The alert after the change."""

    alert: Alert = strawberry.field(description="The alert as it is now.")


@mutation(
    payload("ReopenAlert", ReopenAlertSuccess, NotFound, IllegalMove, StaleVersion, NewerAlertOpen),
    description="Open a resolved alert again, as a new episode.",
)
async def reopen_alert(info: Info, data: ReopenAlertInput) -> ReopenAlertSuccess:
    """One move."""
    alert = await actions.reopen_alert(
        acting(info.context), alert_id=uuid_of(data.id, "alert", "id"), expected_version=data.expected_version
    )
    return ReopenAlertSuccess(alert=shown(alert))
