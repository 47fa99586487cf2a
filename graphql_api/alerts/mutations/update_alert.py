"""How does a person edit an alert?"""

import strawberry
from strawberry.scalars import JSON

from domain.alerts.actions import edit as actions
from domain.alerts.edits import AlertPatch
from domain.errors import InvalidInput as Refused
from graphql_api.alerts.acting import EXPECTED_VERSION, acting
from graphql_api.alerts.types import Alert, shown
from graphql_api.context import Info
from graphql_api.enums import Severity
from graphql_api.errors import NotFound, StaleVersion, mutation, payload
from graphql_api.scalars import uuid_of


@strawberry.input(description="What to change; what is left out stays as it is.")
class UpdateAlertInput:
    """See domain.alerts.actions."""

    id: strawberry.ID = strawberry.field(description="The alert.")
    title: strawberry.Maybe[str] = strawberry.field(description="What is wrong, in one line.", default=None)
    description: strawberry.Maybe[str | None] = strawberry.field(
        description="More about it; null takes it away.", default=None
    )
    severity: strawberry.Maybe[Severity] = strawberry.field(description="How bad it is.", default=None)
    service_name: strawberry.Maybe[str | None] = strawberry.field(
        description="The service it is about; null takes it away.", default=None
    )
    labels: strawberry.Maybe[JSON] = strawberry.field(
        description="All labels, in place of those it has: an object of text values.", default=None
    )
    is_false_positive: strawberry.Maybe[bool] = strawberry.field(
        description="Whether there was no problem at all.", default=None
    )
    expected_version: int | None = strawberry.field(description=EXPECTED_VERSION, default=None)


@strawberry.type(description="The alert is changed.")
class UpdateAlertSuccess:
    """The alert after the change."""

    alert: Alert = strawberry.field(description="The alert as it is now.")


_EDITED = ("title", "description", "severity", "service_name", "labels", "is_false_positive")


def _patch(data: UpdateAlertInput) -> AlertPatch:
    given = {name: some.value for name in _EDITED if (some := getattr(data, name)) is not None}
    if not isinstance(given.get("labels", {}), dict):
        raise Refused(message="must be an object of text values", path=("labels",))
    return AlertPatch(**given)


@mutation(
    payload("UpdateAlert", UpdateAlertSuccess, NotFound, StaleVersion),
    description="Edit an alert. What a person has edited, its source no longer overwrites.",
)
async def update_alert(info: Info, data: UpdateAlertInput) -> UpdateAlertSuccess:
    """No move: the status stays."""
    alert = await actions.update_alert(
        acting(info.context),
        alert_id=uuid_of(data.id, "alert", "id"),
        patch=_patch(data),
        expected_version=data.expected_version,
    )
    return UpdateAlertSuccess(alert=shown(alert))
