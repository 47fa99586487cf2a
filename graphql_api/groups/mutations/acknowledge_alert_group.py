"""How does a person take all alerts of a group at once?"""

import strawberry

from domain.alerts.actions import moves
from domain.alerts.groups import GroupEventKind
from domain.alerts.lifecycle import ACKNOWLEDGE
from graphql_api.alerts.acting import acting
from graphql_api.context import Info
from graphql_api.errors import NotFound, mutation, payload
from graphql_api.groups.acting import change_members
from graphql_api.groups.types import AlertGroup, shown_group
from graphql_api.scalars import uuid_of


@strawberry.input(description="The group to take.")
class AcknowledgeAlertGroupInput:
    """By id."""

    id: strawberry.ID = strawberry.field(description="The group.")


@strawberry.type(description="The group's active alerts that you may see are acknowledged.")
class AcknowledgeAlertGroupSuccess:
    """The group after the change."""

    group: AlertGroup = strawberry.field(description="The group as it is now.")
    changed_alerts: int = strawberry.field(description="How many alerts were acknowledged.")


@mutation(
    payload("AcknowledgeAlertGroup", AcknowledgeAlertGroupSuccess, NotFound),
    description="Acknowledge all active alerts of a group that you may see.",
)
async def acknowledge_alert_group(info: Info, data: AcknowledgeAlertGroupInput) -> AcknowledgeAlertGroupSuccess:
    """A hundred alerts in a transaction."""
    context = info.context
    by = acting(context)
    group, changed = await change_members(
        context,
        uuid_of(data.id, "group", "id"),
        action="acknowledgeAlertGroup",
        kind=GroupEventKind.ACKNOWLEDGED,
        statuses=ACKNOWLEDGE.sources,
        change=lambda ids: moves.acknowledge_alerts(by, ids=ids, action="acknowledgeAlertGroup"),
    )
    return AcknowledgeAlertGroupSuccess(group=shown_group(group), changed_alerts=changed)
