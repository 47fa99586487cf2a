"""How is a threshold rule changed? What the input leaves out stays; what it raised by its old meaning is resolved."""

import strawberry

from domain.thresholds import actions
from graphql_api.context import Info
from graphql_api.errors import AlreadyExists, NotFound, StaleVersion, mutation, payload
from graphql_api.scalars import uuid_of
from graphql_api.thresholds.inputs import (
    ThresholdAlertInput,
    ThresholdConditionInput,
    condition_of,
    desk,
    raised_of,
)
from graphql_api.thresholds.loaders import written
from graphql_api.thresholds.types import ThresholdRule


@strawberry.input(description="What is to change of a threshold rule; what is left out stays.")
class UpdateThresholdRuleInput:
    """See domain.thresholds.actions.RuleChange."""

    id: strawberry.ID = strawberry.field(description="The rule.")
    expected_version: int | None = strawberry.field(
        description="The version you read; the edit is refused when it has another by now.", default=None
    )
    name: str | None = strawberry.field(description="The name people read.", default=None)
    description: str | None = strawberry.field(description="What it is for.", default=None)
    is_enabled: bool | None = strawberry.field(description="Whether it is evaluated.", default=None)
    condition: ThresholdConditionInput | None = strawberry.field(description="All of what must hold.", default=None)
    alert: ThresholdAlertInput | None = strawberry.field(description="All of the alert it raises.", default=None)


@strawberry.type(description="The rule is as you want it.")
class UpdateThresholdRuleSuccess:
    """The rule after the edit."""

    rule: ThresholdRule = strawberry.field(description="The rule.")


@mutation(
    payload("UpdateThresholdRule", UpdateThresholdRuleSuccess, NotFound, AlreadyExists, StaleVersion),
    description="Change a threshold rule. Another condition or alert, and a switch on or off, begin anew: what the "
    "rule raised before is resolved.",
)
async def update_threshold_rule(info: Info, data: UpdateThresholdRuleInput) -> UpdateThresholdRuleSuccess:
    """Edit the locked row."""
    context = info.context
    rule_id = uuid_of(data.id, "threshold rule", "id")
    change = actions.RuleChange(
        name=data.name,
        description=data.description,
        is_enabled=data.is_enabled,
        condition=None if data.condition is None else condition_of(data.condition),
        raised=None if data.alert is None else raised_of(data.alert),
    )
    async with context.uow() as uow:
        await actions.update_rule(
            rule_id, change, expected_version=data.expected_version, desk=desk(context, uow, "updateThresholdRule")
        )
        await uow.commit()
    return UpdateThresholdRuleSuccess(rule=await written(context, rule_id))  # type: ignore[arg-type] # it is
