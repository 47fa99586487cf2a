"""How do some alerts of a group become a group of their own?"""

from uuid import UUID

import strawberry

from domain.alerts.actions import grouping as actions
from domain.alerts.actions.changing import MAX_BULK
from graphql_api.alerts.bulk import IDS
from graphql_api.context import Info
from graphql_api.errors import IdempotencyConflict, NotFound, mutation, payload
from graphql_api.groups.acting import table_of, written_group
from graphql_api.groups.types import AlertGroup, shown_group
from graphql_api.idempotency import IDEMPOTENCY_KEY, create_once
from graphql_api.scalars import uuid_of


@strawberry.input(description="The group, and those of its alerts that are another problem.")
class SplitAlertGroupInput:
    """See domain.alerts.actions.grouping."""

    id: strawberry.ID = strawberry.field(description="The group.")
    alert_ids: list[strawberry.ID] = strawberry.field(description=IDS)
    title: str | None = strawberry.field(
        description="The new group's title, at most 200 characters; that of the old one if left out.", default=None
    )
    idempotency_key: str | None = strawberry.field(description=IDEMPOTENCY_KEY, default=None)


@strawberry.type(description="The alerts are a group of their own.")
class SplitAlertGroupSuccess:
    """The new group."""

    group: AlertGroup = strawberry.field(description="The new group. No rule puts alerts into it.")


@mutation(
    payload("SplitAlertGroup", SplitAlertGroupSuccess, NotFound, IdempotencyConflict),
    description="Make some of a group's alerts a group of their own.",
)
async def split_alert_group(info: Info, data: SplitAlertGroupInput) -> SplitAlertGroupSuccess:
    """One transaction."""
    context = info.context
    group_id = uuid_of(data.id, "group", "id")
    ids = [uuid_of(one, "alert", "alertIds", str(place)) for place, one in enumerate(data.alert_ids)]
    async with context.uow() as uow:
        # The alerts' locks come before the first write, which the claim of the key is: see persistence/locks.py.
        await uow.alerts.get_for_change(ids[:MAX_BULK], sight=context.require_viewer().sight)

        async def create() -> dict[str, object]:
            table = table_of(context, uow, "splitAlertGroup")
            return {"groupId": str(await actions.split_group(group_id, ids, data.title, table=table))}

        made, _ = await create_once(context, uow, mutation="splitAlertGroup", data=data, create=create)
        await uow.commit()
    group = await written_group(context, UUID(made["groupId"]))
    return SplitAlertGroupSuccess(group=shown_group(group))
