"""How does a person end an alert?"""

import strawberry

from domain.alerts.actions import moves as actions
from graphql_api.alerts.acting import EXPECTED_VERSION, acting
from graphql_api.alerts.types import Alert, shown
from graphql_api.context import Info
from graphql_api.errors import IllegalMove, NotFound, StaleVersion, mutation, payload
from graphql_api.scalars import uuid_of


@strawberry.input(description="The alert to end.")
class ResolveAlertInput:
    """See domain.alerts.actions."""

    id: strawberry.ID = strawberry.field(description="The alert.")
    reason: str | None = strawberry.field(description="Why it is over, at most 2,000 characters.", default=None)
    false_positive: bool = strawberry.field(description="Whether there was no problem at all.", default=False)
    expected_version: int | None = strawberry.field(description=EXPECTED_VERSION, default=None)


@strawberry.type(description="The alert is resolved.")
class ResolveAlertSuccess:
    """The alert after the change."""

    alert: Alert = strawberry.field(description="The alert as it is now.")


@mutation(
    payload("ResolveAlert", ResolveAlertSuccess, NotFound, IllegalMove, StaleVersion),
    description="End an open alert. Re-sends of the same episode do not open it again for a time the server states.",
)
async def resolve_alert(info: Info, data: ResolveAlertInput) -> ResolveAlertSuccess:
    """One move; the settings say for how long it holds."""
    alert = await actions.resolve_alert(
        acting(info.context),
        alert_id=uuid_of(data.id, "alert", "id"),
        reason=data.reason,
        false_positive=data.false_positive,
        hold=info.context.settings.manual_resolve_hold,
        expected_version=data.expected_version,
    )
    return ResolveAlertSuccess(alert=shown(alert))
