"""How does an inhibition rule end?"""

import strawberry

from domain.inhibition import actions
from graphql_api.context import Info
from graphql_api.errors import NotFound, mutation, payload
from graphql_api.inhibition.inputs import bench_of, followed
from graphql_api.inhibition.loaders import written
from graphql_api.inhibition.types import InhibitionRule
from graphql_api.scalars import uuid_of


@strawberry.input(description="Which inhibition rule is to end.")
class ArchiveInhibitionRuleInput:
    """By id."""

    id: strawberry.ID = strawberry.field(description="The rule.")


@strawberry.type(description="The rule holds nothing any more; what it held is let go.")
class ArchiveInhibitionRuleSuccess:
    """The ended rule."""

    inhibition_rule: InhibitionRule = strawberry.field(description="The rule.")


@mutation(
    payload("ArchiveInhibitionRule", ArchiveInhibitionRuleSuccess, NotFound),
    description="End an inhibition rule: what it holds is let go. Managers.",
)
async def archive_inhibition_rule(info: Info, data: ArchiveInhibitionRuleInput) -> ArchiveInhibitionRuleSuccess:
    """Mark the locked row; then let go."""
    context = info.context
    rule_id = uuid_of(data.id, "inhibition rule", "id")
    async with context.uow() as uow:
        await actions.archive_rule(rule_id, bench=bench_of(context, uow, "archiveInhibitionRule"))
        await uow.commit()
    await followed(context, rule_id)
    found = await written(context, rule_id)
    return ArchiveInhibitionRuleSuccess(inhibition_rule=found)  # type: ignore[arg-type] # the domain object is it
