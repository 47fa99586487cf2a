"""How does a routing rule come to be?"""

from uuid import UUID

import strawberry

from domain.routing.actions import RoutingDraft, create_rule
from domain.routing.model import RoutedEvent
from graphql_api.context import Info
from graphql_api.errors import AlreadyExists, IdempotencyConflict, InvalidCondition, NotFound, mutation, payload
from graphql_api.escalations.inputs import EscalationTargetInput, targets_of
from graphql_api.idempotency import IDEMPOTENCY_KEY, create_once
from graphql_api.routing.inputs import EVENTS, POLICY, STOPS, TARGETS, desk
from graphql_api.routing.loaders import written
from graphql_api.routing.types import RoutingRule
from graphql_api.rules.builder_types import AlertConditionInput
from graphql_api.rules.inputs import BUILDER, CONDITION, required_condition
from graphql_api.scalars import uuid_of
from persistence.conditions import CONDITIONS


@strawberry.input(description="A routing rule to be made.")
class CreateRoutingRuleInput:
    """See domain.routing.actions.RoutingDraft."""

    name: str = strawberry.field(description="The name people read, at most 100 characters; unique within the team.")
    condition: str | None = strawberry.field(description=CONDITION, default=None)
    builder: AlertConditionInput | None = strawberry.field(description=BUILDER, default=None)
    targets: list[EscalationTargetInput] = strawberry.field(description=TARGETS, default_factory=list)
    team_id: strawberry.ID | None = strawberry.field(
        description="The team whose alerts it takes; left out, those of no team and of every team that is not private.",
        default=None,
    )
    events: list[RoutedEvent] = strawberry.field(
        description=EVENTS, default_factory=lambda: [RoutedEvent.OPENED, RoutedEvent.REOPENED]
    )
    policy_id: strawberry.ID | None = strawberry.field(description=POLICY, default=None)
    is_enabled: bool = strawberry.field(description="Whether it is asked.", default=True)
    stops: bool = strawberry.field(description=STOPS, default=False)
    description: str = strawberry.field(description="What it is for.", default="")
    idempotency_key: str | None = strawberry.field(description=IDEMPOTENCY_KEY, default=None)


@strawberry.type(description="The rule tells of what happens from now on.")
class CreateRoutingRuleSuccess:
    """The new rule."""

    rule: RoutingRule = strawberry.field(description="The new rule, the last of its owner's.")


@mutation(
    payload(
        "CreateRoutingRule", CreateRoutingRuleSuccess, NotFound, AlreadyExists, InvalidCondition, IdempotencyConflict
    ),
    description="Make a routing rule: who is told of which alerts. Try it with `simulateRoutingRules` first.",
)
async def create_routing_rule(info: Info, data: CreateRoutingRuleInput) -> CreateRoutingRuleSuccess:
    """Write the rule, its first version and the audit entry in one transaction."""
    context = info.context
    draft = RoutingDraft(
        name=data.name,
        condition=required_condition(data.condition, data.builder),
        targets=targets_of(data.targets, "targets"),
        events=frozenset(data.events),
        policy_id=None if data.policy_id is None else uuid_of(data.policy_id, "escalation policy", "policyId"),
        description=data.description,
        is_enabled=data.is_enabled,
        stops=data.stops,
    )
    team_id = None if data.team_id is None else uuid_of(data.team_id, "team", "teamId")
    async with context.uow() as uow:

        async def create() -> dict[str, object]:
            desk_ = desk(context, uow, "createRoutingRule")
            made = await create_rule(draft, team_id=team_id, engine=CONDITIONS, desk=desk_)
            return {"ruleId": str(made.id)}

        made, _ = await create_once(context, uow, mutation="createRoutingRule", data=data, create=create)
        await uow.commit()
    found = await written(context, UUID(made["ruleId"]))
    return CreateRoutingRuleSuccess(rule=found)  # type: ignore[arg-type] # the domain object is it
