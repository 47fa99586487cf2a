"""How does a routing rule end?"""

import strawberry

from domain.routing.actions import archive_rule
from graphql_api.context import Info
from graphql_api.errors import NotFound, StaleVersion, mutation, payload
from graphql_api.routing.inputs import desk
from graphql_api.routing.loaders import written
from graphql_api.routing.types import RoutingRule
from graphql_api.scalars import uuid_of


@strawberry.input(description="Which routing rule is to end.")
class ArchiveRoutingRuleInput:
    """By id."""

    id: strawberry.ID = strawberry.field(description="The rule.")
    expected_version: int | None = strawberry.field(
        description="The version you read; refused when it has another by now.", default=None
    )


@strawberry.type(description="The rule is asked no more. What it decided, and its versions, can still be read.")
class ArchiveRoutingRuleSuccess:
    """The ended rule."""

    rule: RoutingRule = strawberry.field(description="The rule.")


@mutation(
    payload("ArchiveRoutingRule", ArchiveRoutingRuleSuccess, NotFound, StaleVersion),
    description="End a routing rule. Whoever was told by it still hears how the alert ends.",
)
async def archive_routing_rule(info: Info, data: ArchiveRoutingRuleInput) -> ArchiveRoutingRuleSuccess:
    """Mark it under the lock of all routing rules."""
    context = info.context
    rule_id = uuid_of(data.id, "routing rule", "id")
    async with context.uow() as uow:
        desk_ = desk(context, uow, "archiveRoutingRule")
        await archive_rule(rule_id, expected_version=data.expected_version, desk=desk_)
        await uow.commit()
    return ArchiveRoutingRuleSuccess(rule=await written(context, rule_id))  # type: ignore[arg-type] # it is
