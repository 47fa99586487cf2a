"""How does a threshold rule end?"""

import strawberry

from domain.thresholds import actions
from graphql_api.context import Info
from graphql_api.errors import NotFound, mutation, payload
from graphql_api.scalars import uuid_of
from graphql_api.thresholds.inputs import desk
from graphql_api.thresholds.loaders import written
from graphql_api.thresholds.types import ThresholdRule


@strawberry.input(description="Which threshold rule is to end.")
class ArchiveThresholdRuleInput:
    """By id."""

    id: strawberry.ID = strawberry.field(description="The rule.")


@strawberry.type(description="The rule is evaluated no more, and what it raised is resolved.")
class ArchiveThresholdRuleSuccess:
    """The ended rule."""

    rule: ThresholdRule = strawberry.field(description="The rule.")


@mutation(
    payload("ArchiveThresholdRule", ArchiveThresholdRuleSuccess, NotFound),
    description="End a threshold rule. What it raised is resolved.",
)
async def archive_threshold_rule(info: Info, data: ArchiveThresholdRuleInput) -> ArchiveThresholdRuleSuccess:
    """Mark the locked row."""
    context = info.context
    rule_id = uuid_of(data.id, "threshold rule", "id")
    async with context.uow() as uow:
        await actions.archive_rule(rule_id, desk=desk(context, uow, "archiveThresholdRule"))
        await uow.commit()
    return ArchiveThresholdRuleSuccess(rule=await written(context, rule_id))  # type: ignore[arg-type] # it is
