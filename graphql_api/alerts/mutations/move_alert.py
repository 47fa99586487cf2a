"""How is an alert given to another team?"""

import strawberry

from domain.alerts.actions import move as actions
from graphql_api.alerts.acting import EXPECTED_VERSION, acting
from graphql_api.alerts.types import Alert, shown
from graphql_api.context import Info
from graphql_api.errors import NotFound, StaleVersion, mutation, payload
from graphql_api.scalars import uuid_of


@strawberry.input(description="The alert, and whose it is from now on.")
class MoveAlertInput:
    """See domain.alerts.actions.move."""

    id: strawberry.ID = strawberry.field(description="The alert.")
    team_id: strawberry.ID | None = strawberry.field(
        description="The team responsible from now on; null for none. One that you may see."
    )
    expected_version: int | None = strawberry.field(description=EXPECTED_VERSION, default=None)


@strawberry.type(description="The alert is the team's.")
class MoveAlertSuccess:
    """The alert after the change."""

    alert: Alert = strawberry.field(description="The alert as it is now.")


@mutation(
    payload("MoveAlert", MoveAlertSuccess, NotFound, StaleVersion),
    description="Give an alert to another team. Whoever it is assigned to keeps it only if they may see it there; "
    "those who follow alerts and may not are told that it left their sight.",
)
async def move_alert(info: Info, data: MoveAlertInput) -> MoveAlertSuccess:
    """No move of its life: the status stays."""
    alert = await actions.move_alert(
        acting(info.context),
        alert_id=uuid_of(data.id, "alert", "id"),
        team_id=None if data.team_id is None else uuid_of(data.team_id, "team", "teamId"),
        expected_version=data.expected_version,
    )
    return MoveAlertSuccess(alert=shown(alert))
