"""How does a group rule end?"""

import strawberry

from domain.correlation import actions
from graphql_api.context import Info
from graphql_api.errors import NotFound, mutation, payload
from graphql_api.groups.inputs import rule_bench
from graphql_api.groups.loaders import written_rule
from graphql_api.groups.types import GroupRule
from graphql_api.scalars import uuid_of


@strawberry.input(description="Which group rule is to end.")
class ArchiveGroupRuleInput:
    """By id."""

    id: strawberry.ID = strawberry.field(description="The rule.")


@strawberry.type(description="The rule groups nothing more; its groups stay.")
class ArchiveGroupRuleSuccess:
    """The ended rule."""

    group_rule: GroupRule = strawberry.field(description="The rule.")


@mutation(
    payload("ArchiveGroupRule", ArchiveGroupRuleSuccess, NotFound),
    description="End a group rule. Its groups stay. Managers.",
)
async def archive_group_rule(info: Info, data: ArchiveGroupRuleInput) -> ArchiveGroupRuleSuccess:
    """Mark the locked row."""
    context = info.context
    rule_id = uuid_of(data.id, "group rule", "id")
    async with context.uow() as uow:
        await actions.archive_rule(rule_id, bench=rule_bench(context, uow, "archiveGroupRule"))
        await uow.commit()
    found = await written_rule(context, rule_id)
    return ArchiveGroupRuleSuccess(group_rule=found)  # type: ignore[arg-type] # the domain object is the GraphQL object
