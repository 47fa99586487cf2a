"""How is an alert rule changed, switched on and off? What the input leaves out stays."""

import strawberry

from domain.rules.actions import RuleChange, update_rule
from domain.rules.model import RuleMode
from graphql_api.context import Info
from graphql_api.errors import AlreadyExists, InvalidCondition, NotFound, StaleVersion, mutation, payload
from graphql_api.rules.builder_types import AlertConditionInput
from graphql_api.rules.inputs import (
    BUILDER,
    CONDITION,
    SERVICE_FILTER,
    STOPS,
    AlertRuleEffectsInput,
    condition_of,
    desk,
    effects_of,
)
from graphql_api.rules.loaders import written
from graphql_api.rules.types import AlertRule
from graphql_api.scalars import uuid_of
from persistence.rule_marks import release_marks


@strawberry.input(description="What is to change of an alert rule; what is left out stays.")
class UpdateAlertRuleInput:
    """See domain.rules.actions.RuleChange."""

    id: strawberry.ID = strawberry.field(description="The rule.")
    expected_version: int | None = strawberry.field(
        description="The version you read; the edit is refused when it has another by now.", default=None
    )
    name: str | None = strawberry.field(description="The name people read.", default=None)
    condition: str | None = strawberry.field(description=CONDITION, default=None)
    builder: AlertConditionInput | None = strawberry.field(description=BUILDER, default=None)
    description: str | None = strawberry.field(description="What it is for.", default=None)
    mode: RuleMode | None = strawberry.field(description="What it does when the condition holds.", default=None)
    stops: bool | None = strawberry.field(description=STOPS, default=None)
    service_filter: str | None = strawberry.field(
        description=f"{SERVICE_FILTER} Empty text takes the filter away.", default=None
    )
    effects: AlertRuleEffectsInput | None = strawberry.field(description="All it does.", default=None)


@strawberry.type(description="The rule is as you want it.")
class UpdateAlertRuleSuccess:
    """The rule after the edit."""

    rule: AlertRule = strawberry.field(description="The rule.")


@mutation(
    payload("UpdateAlertRule", UpdateAlertRuleSuccess, NotFound, AlreadyExists, InvalidCondition, StaleVersion),
    description="Change an alert rule, or switch it on, off, or to MONITOR. It counts for the signals that arrive from "
    "now on; a rule that suppresses no longer lets go of the alerts it held.",
)
async def update_alert_rule(info: Info, data: UpdateAlertRuleInput) -> UpdateAlertRuleSuccess:
    """Edit under the lock of all rules; then let go of what it holds no longer."""
    context = info.context
    rule_id = uuid_of(data.id, "alert rule", "id")
    change = RuleChange(
        name=data.name,
        condition=condition_of(data.condition, data.builder),
        description=data.description,
        mode=data.mode,
        stops=data.stops,
        effects=None if data.effects is None else effects_of(data.effects),
        **({} if data.service_filter is None else {"service_filter": data.service_filter or None}),
    )
    async with context.uow() as uow:
        before, after = await update_rule(
            rule_id, change, expected_version=data.expected_version, desk=desk(context, uow, "updateAlertRule")
        )
        await uow.commit()
    if before.suppresses and not after.suppresses:
        await release_marks(context.state.engine, actor=context.actor, now=context.now())
    return UpdateAlertRuleSuccess(rule=await written(context, rule_id))  # type: ignore[arg-type] # it is
