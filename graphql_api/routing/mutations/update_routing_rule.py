"""How is a routing rule changed, switched on and off? What the input leaves out stays."""

import strawberry

from domain.routing.actions import RoutingChange, update_rule
from domain.routing.model import RoutedEvent
from graphql_api.context import Info
from graphql_api.errors import AlreadyExists, InvalidCondition, NotFound, StaleVersion, mutation, payload
from graphql_api.escalations.inputs import EscalationTargetInput, targets_of
from graphql_api.routing.inputs import POLICY, STOPS, TARGETS, desk
from graphql_api.routing.loaders import written
from graphql_api.routing.types import RoutingRule
from graphql_api.rules.builder_types import AlertConditionInput
from graphql_api.rules.inputs import BUILDER, CONDITION, condition_of
from graphql_api.scalars import uuid_of
from persistence.conditions import CONDITIONS


@strawberry.input(description="What is to change of a routing rule; what is left out stays.")
class UpdateRoutingRuleInput:
    """See domain.routing.actions.RoutingChange."""

    id: strawberry.ID = strawberry.field(description="The rule.")
    expected_version: int | None = strawberry.field(
        description="The version you read; the edit is refused when it has another by now.", default=None
    )
    name: str | None = strawberry.field(description="The name people read.", default=None)
    condition: str | None = strawberry.field(description=CONDITION, default=None)
    builder: AlertConditionInput | None = strawberry.field(description=BUILDER, default=None)
    targets: list[EscalationTargetInput] | None = strawberry.field(description=f"All of them. {TARGETS}", default=None)
    events: list[RoutedEvent] | None = strawberry.field(description="All it tells of.", default=None)
    policy_id: strawberry.ID | None = strawberry.field(
        description=f"{POLICY} Empty text takes the policy away.", default=None
    )
    is_enabled: bool | None = strawberry.field(description="Whether it is asked.", default=None)
    stops: bool | None = strawberry.field(description=STOPS, default=None)
    description: str | None = strawberry.field(description="What it is for.", default=None)


@strawberry.type(description="The rule is as you want it.")
class UpdateRoutingRuleSuccess:
    """The rule after the edit."""

    rule: RoutingRule = strawberry.field(description="The rule.")


@mutation(
    payload("UpdateRoutingRule", UpdateRoutingRuleSuccess, NotFound, AlreadyExists, InvalidCondition, StaleVersion),
    description="Change a routing rule, or switch it on or off. What it told of already it does not tell of again.",
)
async def update_routing_rule(info: Info, data: UpdateRoutingRuleInput) -> UpdateRoutingRuleSuccess:
    """Edit under the lock of all routing rules."""
    context = info.context
    rule_id = uuid_of(data.id, "routing rule", "id")
    policy_id = uuid_of(data.policy_id, "escalation policy", "policyId") if data.policy_id else None
    change = RoutingChange(
        name=data.name,
        condition=condition_of(data.condition, data.builder),
        targets=None if data.targets is None else targets_of(data.targets, "targets"),
        events=None if data.events is None else frozenset(data.events),
        is_enabled=data.is_enabled,
        stops=data.stops,
        description=data.description,
        **({} if data.policy_id is None else {"policy_id": policy_id}),
    )
    async with context.uow() as uow:
        await update_rule(
            rule_id,
            change,
            expected_version=data.expected_version,
            engine=CONDITIONS,
            desk=desk(context, uow, "updateRoutingRule"),
        )
        await uow.commit()
    return UpdateRoutingRuleSuccess(rule=await written(context, rule_id))  # type: ignore[arg-type] # it is
