"""How does a threshold rule come to be?"""

from uuid import UUID

import strawberry

from domain.thresholds import actions
from domain.thresholds.drafts import RuleDraft
from graphql_api.context import Info
from graphql_api.errors import AlreadyExists, IdempotencyConflict, NotFound, mutation, payload
from graphql_api.idempotency import IDEMPOTENCY_KEY, create_once
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


@strawberry.input(description="A threshold rule to be made.")
class CreateThresholdRuleInput:
    """See domain.thresholds.drafts.RuleDraft."""

    name: str = strawberry.field(description="The name people read, at most 100 characters; unique within the team.")
    condition: ThresholdConditionInput = strawberry.field(description="What must hold, and for how long.")
    alert: ThresholdAlertInput = strawberry.field(description="The alert it raises.")
    team_id: strawberry.ID | None = strawberry.field(
        description="The team it is of, whose alerts it raises. Without one its alerts go to whoever owns their "
        "service or labels, and managers change it.",
        default=None,
    )
    description: str = strawberry.field(description="What it is for.", default="")
    is_enabled: bool = strawberry.field(description="Whether it is evaluated from now on.", default=True)
    idempotency_key: str | None = strawberry.field(description=IDEMPOTENCY_KEY, default=None)


@strawberry.type(description="The rule is evaluated from the next whole minute on.")
class CreateThresholdRuleSuccess:
    """The new rule."""

    rule: ThresholdRule = strawberry.field(description="The new rule.")


@mutation(
    payload("CreateThresholdRule", CreateThresholdRuleSuccess, NotFound, AlreadyExists, IdempotencyConflict),
    description="Make a threshold rule. See what it would have raised first with `previewThresholdRule`.",
)
async def create_threshold_rule(info: Info, data: CreateThresholdRuleInput) -> CreateThresholdRuleSuccess:
    """Write the rule and the audit entry in one transaction."""
    context = info.context
    draft = RuleDraft(
        name=data.name,
        description=data.description,
        is_enabled=data.is_enabled,
        condition=condition_of(data.condition),
        raised=raised_of(data.alert),
    )
    team_id = None if data.team_id is None else uuid_of(data.team_id, "team", "teamId")
    async with context.uow() as uow:

        async def create() -> dict[str, object]:
            made = await actions.create_rule(draft, team_id=team_id, desk=desk(context, uow, "createThresholdRule"))
            return {"ruleId": str(made.id)}

        made, _ = await create_once(context, uow, mutation="createThresholdRule", data=data, create=create)
        await uow.commit()
    found = await written(context, UUID(made["ruleId"]))
    return CreateThresholdRuleSuccess(rule=found)  # type: ignore[arg-type] # the domain object is the GraphQL object
