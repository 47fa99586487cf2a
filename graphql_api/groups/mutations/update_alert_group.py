"""How does a group get another title?"""

import strawberry

from domain.alerts.actions import grouping as actions
from graphql_api.context import Info
from graphql_api.errors import NotFound, StaleVersion, mutation, payload
from graphql_api.groups.acting import table_of, written_group
from graphql_api.groups.inputs import EXPECTED_VERSION
from graphql_api.groups.types import AlertGroup, shown_group
from graphql_api.scalars import uuid_of


@strawberry.input(description="What is to change of a group.")
class UpdateAlertGroupInput:
    """See domain.alerts.actions.grouping."""

    id: strawberry.ID = strawberry.field(description="The group.")
    title: str = strawberry.field(description="What is wrong, in one line of at most 200 characters.")
    expected_version: int | None = strawberry.field(description=EXPECTED_VERSION, default=None)


@strawberry.type(description="The group is as you want it.")
class UpdateAlertGroupSuccess:
    """The group after the edit."""

    group: AlertGroup = strawberry.field(description="The group.")


@mutation(
    payload("UpdateAlertGroup", UpdateAlertGroupSuccess, NotFound, StaleVersion),
    description="Give a group another title.",
)
async def update_alert_group(info: Info, data: UpdateAlertGroupInput) -> UpdateAlertGroupSuccess:
    """Edit the locked row."""
    context = info.context
    group_id = uuid_of(data.id, "group", "id")
    async with context.uow() as uow:
        table = table_of(context, uow, "updateAlertGroup")
        await actions.rename_group(group_id, data.title, expected_version=data.expected_version, table=table)
        await uow.commit()
    return UpdateAlertGroupSuccess(group=shown_group(await written_group(context, group_id)))
