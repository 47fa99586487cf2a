"""How does an alert rule come to be?"""

from uuid import UUID

import strawberry

from domain.rules.actions import create_rule
from domain.rules.drafts import RuleDraft
from domain.rules.model import RuleMode
from graphql_api.context import Info
from graphql_api.errors import AlreadyExists, IdempotencyConflict, InvalidCondition, NotFound, mutation, payload
from graphql_api.idempotency import IDEMPOTENCY_KEY, create_once
from graphql_api.rules.builder_types import AlertConditionInput
from graphql_api.rules.inputs import (
    BUILDER,
    CONDITION,
    SERVICE_FILTER,
    STOPS,
    AlertRuleEffectsInput,
    desk,
    effects_of,
    required_condition,
)
from graphql_api.rules.loaders import written
from graphql_api.rules.types import AlertRule
from graphql_api.scalars import uuid_of


@strawberry.input(description="An alert rule to be made.")
class CreateAlertRuleInput:
    """See domain.rules.drafts.RuleDraft."""

    name: str = strawberry.field(
        description="The name people read, at most 100 characters; unique among the rules of the team, or of no team."
    )
    team_id: strawberry.ID | None = strawberry.field(
        description="The team whose rule it is: it is asked about this team's alerts alone, after the rules of no "
        "team, and its managers change it. It sets no team and no key. Without one it is asked about everybody's, and "
        "managers change it.",
        default=None,
    )
    condition: str | None = strawberry.field(description=CONDITION, default=None)
    builder: AlertConditionInput | None = strawberry.field(description=BUILDER, default=None)
    description: str = strawberry.field(description="What it is for.", default="")
    mode: RuleMode = strawberry.field(description="What it does when the condition holds.", default=RuleMode.ENABLED)
    stops: bool = strawberry.field(description=STOPS, default=False)
    service_filter: str | None = strawberry.field(description=SERVICE_FILTER, default=None)
    effects: AlertRuleEffectsInput = strawberry.field(
        description="What it does.", default_factory=AlertRuleEffectsInput
    )
    idempotency_key: str | None = strawberry.field(description=IDEMPOTENCY_KEY, default=None)


@strawberry.type(description="The rule is asked about every signal that arrives from now on.")
class CreateAlertRuleSuccess:
    """The new rule."""

    rule: AlertRule = strawberry.field(description="The new rule, the last in order.")


@mutation(
    payload("CreateAlertRule", CreateAlertRuleSuccess, NotFound, AlreadyExists, InvalidCondition, IdempotencyConflict),
    description="Make an alert rule. Try it on the past with `testAlertRule` first, or let it run in MONITOR.",
)
async def create_alert_rule(info: Info, data: CreateAlertRuleInput) -> CreateAlertRuleSuccess:
    """Write the rule, its first version, its event and the audit entry in one transaction."""
    context = info.context
    draft = RuleDraft(
        name=data.name,
        condition=required_condition(data.condition, data.builder),
        description=data.description,
        mode=data.mode,
        stops=data.stops,
        service_filter=data.service_filter,
        effects=effects_of(data.effects),
    )
    team_id = None if data.team_id is None else uuid_of(data.team_id, "team", "teamId")
    async with context.uow() as uow:

        async def create() -> dict[str, object]:
            made = await create_rule(draft, team_id=team_id, desk=desk(context, uow, "createAlertRule"))
            return {"ruleId": str(made.id)}

        made, _ = await create_once(context, uow, mutation="createAlertRule", data=data, create=create)
        await uow.commit()
    found = await written(context, UUID(made["ruleId"]))
    return CreateAlertRuleSuccess(rule=found)  # type: ignore[arg-type] # the domain object is the GraphQL object
