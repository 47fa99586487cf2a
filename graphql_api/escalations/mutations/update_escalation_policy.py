"""How is an escalation policy changed? What the input leaves out stays; what runs goes on as it started."""

from datetime import timedelta

import strawberry

from domain.escalations.policies import PolicyChange, update_policy
from graphql_api.context import Info
from graphql_api.enums import Severity
from graphql_api.errors import AlreadyExists, NotFound, StaleVersion, WouldOpenGaps, mutation, payload
from graphql_api.escalations.guarding import EVEN_IF_IT_OPENS_GAPS, guarded
from graphql_api.escalations.inputs import EscalationStepInput, desk, steps_of
from graphql_api.escalations.loaders import written
from graphql_api.escalations.types import EscalationPolicy
from graphql_api.scalars import uuid_of


@strawberry.input(description="What is to change of an escalation policy; what is left out stays.")
class UpdateEscalationPolicyInput:
    """See domain.escalations.policies.PolicyChange."""

    id: strawberry.ID = strawberry.field(description="The policy.")
    expected_version: int | None = strawberry.field(
        description="The version you read; the edit is refused when it has another by now.", default=None
    )
    name: str | None = strawberry.field(description="The name people read.", default=None)
    steps: list[EscalationStepInput] | None = strawberry.field(description="All its steps.", default=None)
    severities: list[Severity] | None = strawberry.field(description="The severities it takes.", default=None)
    repeats: int | None = strawberry.field(description="How often it begins again.", default=None)
    ack_timeout: timedelta | None = strawberry.field(
        description="How long an answer counts; PT0S is for good.", default=None
    )
    is_by_rule: bool | None = strawberry.field(
        description="Whether it takes no alert by itself: routing rules that name it set it to work.", default=None
    )
    description: str | None = strawberry.field(description="What it is for.", default=None)
    even_if_it_opens_gaps: bool = strawberry.field(description=EVEN_IF_IT_OPENS_GAPS, default=False)


@strawberry.type(description="The policy is as you want it.")
class UpdateEscalationPolicySuccess:
    """The policy after the edit."""

    policy: EscalationPolicy = strawberry.field(description="The policy.")


@mutation(
    payload(
        "UpdateEscalationPolicy", UpdateEscalationPolicySuccess, NotFound, AlreadyExists, StaleVersion, WouldOpenGaps
    ),
    description="Change an escalation policy. Escalations at work go on by the steps they started with.",
)
async def update_escalation_policy(info: Info, data: UpdateEscalationPolicyInput) -> UpdateEscalationPolicySuccess:
    """Edit the locked row."""
    context = info.context
    policy_id = uuid_of(data.id, "escalation policy", "id")
    change = PolicyChange(
        name=data.name,
        description=data.description,
        steps=None if data.steps is None else steps_of(data.steps),
        severities=None if data.severities is None else frozenset(data.severities),
        repeats=data.repeats,
        ack_timeout=data.ack_timeout,
        is_by_rule=data.is_by_rule,
    )
    async with guarded(context, even_if=data.even_if_it_opens_gaps) as uow:
        await update_policy(
            policy_id,
            change,
            expected_version=data.expected_version,
            desk=desk(context, uow, "updateEscalationPolicy"),
        )
        await uow.commit()
    return UpdateEscalationPolicySuccess(policy=await written(context, policy_id))  # type: ignore[arg-type] # it is
