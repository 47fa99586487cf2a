"""How is an alert taken out of its group?"""

import strawberry

from domain.alerts.actions import grouping as actions
from graphql_api.alerts.acting import EXPECTED_VERSION
from graphql_api.alerts.types import Alert, shown
from graphql_api.context import Info
from graphql_api.errors import NotFound, StaleVersion, mutation, payload
from graphql_api.groups.acting import table_of
from graphql_api.scalars import uuid_of


@strawberry.input(description="The alert that belongs to no group.")
class RemoveAlertFromGroupInput:
    """See domain.alerts.actions.grouping."""

    alert_id: strawberry.ID = strawberry.field(description="The alert.")
    expected_version: int | None = strawberry.field(description=EXPECTED_VERSION, default=None)


@strawberry.type(description="The alert is in no group.")
class RemoveAlertFromGroupSuccess:
    """The alert after the change."""

    alert: Alert = strawberry.field(description="The alert as it is now.")


@mutation(
    payload("RemoveAlertFromGroup", RemoveAlertFromGroupSuccess, NotFound, StaleVersion),
    description="Take an alert out of its group. Nothing changes when it is in none.",
)
async def remove_alert_from_group(info: Info, data: RemoveAlertFromGroupInput) -> RemoveAlertFromGroupSuccess:
    """One alert, by hand."""
    context = info.context
    alert_id = uuid_of(data.alert_id, "alert", "alertId")
    async with context.uow() as uow:
        table = table_of(context, uow, "removeAlertFromGroup", "alert")
        alert = await actions.remove_alert(alert_id, expected_version=data.expected_version, table=table)
        await uow.commit()
    return RemoveAlertFromGroupSuccess(alert=shown(alert))
