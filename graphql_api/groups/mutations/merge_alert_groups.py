"""How do several groups become one?"""

import strawberry

from domain.alerts.actions import grouping as actions
from graphql_api.context import Info
from graphql_api.errors import NotFound, mutation, payload
from graphql_api.groups.acting import table_of, written_group
from graphql_api.groups.types import AlertGroup, shown_group
from graphql_api.scalars import uuid_of


@strawberry.input(description="The group that stays, and those that go into it.")
class MergeAlertGroupsInput:
    """See domain.alerts.actions.grouping."""

    id: strawberry.ID = strawberry.field(description="The group that stays.")
    merged_ids: list[strawberry.ID] = strawberry.field(
        description="The groups whose alerts go into it, at most 20. Members that you may not see stay where they are."
    )


@strawberry.type(description="The groups are one; what would have joined the others joins it.")
class MergeAlertGroupsSuccess:
    """The group that stays."""

    group: AlertGroup = strawberry.field(description="The group that stays.")


@mutation(
    payload("MergeAlertGroups", MergeAlertGroupsSuccess, NotFound),
    description="Make several groups one.",
)
async def merge_alert_groups(info: Info, data: MergeAlertGroupsInput) -> MergeAlertGroupsSuccess:
    """One transaction, which keeps all writers of alerts out while it runs."""
    context = info.context
    group_id = uuid_of(data.id, "group", "id")
    ids = [uuid_of(one, "group", "mergedIds", str(place)) for place, one in enumerate(data.merged_ids)]
    async with context.uow() as uow:
        await actions.merge_groups(group_id, ids, table=table_of(context, uow, "mergeAlertGroups"))
        await uow.commit()
    return MergeAlertGroupsSuccess(group=shown_group(await written_group(context, group_id)))
