"""How is an alert put into a group by hand?"""

import strawberry

from domain.alerts.actions import grouping as actions
from graphql_api.alerts.acting import EXPECTED_VERSION
from graphql_api.alerts.types import Alert, shown
from graphql_api.context import Info
from graphql_api.errors import NotFound, StaleVersion, mutation, payload
from graphql_api.groups.acting import table_of
from graphql_api.scalars import uuid_of


@strawberry.input(description="The alert, and the group it belongs to.")
class MoveAlertToGroupInput:
    """See domain.alerts.actions.grouping."""

    alert_id: strawberry.ID = strawberry.field(description="The alert.")
    group_id: strawberry.ID = strawberry.field(description="The group; one that you may see.")
    expected_version: int | None = strawberry.field(description=EXPECTED_VERSION, default=None)


@strawberry.type(description="The alert is in the group.")
class MoveAlertToGroupSuccess:
    """The alert after the change."""

    alert: Alert = strawberry.field(description="The alert as it is now.")


@mutation(
    payload("MoveAlertToGroup", MoveAlertToGroupSuccess, NotFound, StaleVersion),
    description="Put an alert into a group, out of the one it is in. No rule takes it out again.",
)
async def move_alert_to_group(info: Info, data: MoveAlertToGroupInput) -> MoveAlertToGroupSuccess:
    """One alert, by hand."""
    context = info.context
    alert_id = uuid_of(data.alert_id, "alert", "alertId")
    group_id = uuid_of(data.group_id, "group", "groupId")
    async with context.uow() as uow:
        table = table_of(context, uow, "moveAlertToGroup", "alert")
        alert = await actions.move_alert(alert_id, group_id, expected_version=data.expected_version, table=table)
        await uow.commit()
    return MoveAlertToGroupSuccess(alert=shown(alert))
