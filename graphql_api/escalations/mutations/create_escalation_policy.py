"""How does an escalation policy come to be?"""

from datetime import timedelta
from uuid import UUID

import strawberry

from domain.escalations.policies import PolicyDraft, create_policy
from graphql_api.context import Info
from graphql_api.enums import Severity
from graphql_api.errors import AlreadyExists, IdempotencyConflict, NotFound, mutation, payload
from graphql_api.escalations.inputs import EscalationStepInput, desk, steps_of
from graphql_api.escalations.loaders import written
from graphql_api.escalations.types import EscalationPolicy
from graphql_api.idempotency import IDEMPOTENCY_KEY, create_once
from graphql_api.scalars import uuid_of


@strawberry.input(description="An escalation policy to be made.")
class CreateEscalationPolicyInput:
    """See domain.escalations.policies.PolicyDraft."""

    name: str = strawberry.field(description="The name people read, at most 100 characters; unique within the team.")
    steps: list[EscalationStepInput] = strawberry.field(description="1 to 20 steps, in order.")
    team_id: strawberry.ID | None = strawberry.field(
        description="The team whose alerts it takes; left out, it takes the alerts of no team.", default=None
    )
    severities: list[Severity] = strawberry.field(
        description="The severities it takes; all if left out.", default_factory=lambda: list(Severity)
    )
    repeats: int = strawberry.field(description="How often it begins again after the last step, 0 to 9.", default=0)
    ack_timeout: timedelta | None = strawberry.field(
        description="How long an answer counts, a minute to 30 days; left out, for good.", default=None
    )
    is_by_rule: bool = strawberry.field(
        description="Whether it takes no alert by itself: routing rules that name it set it to work.", default=False
    )
    description: str = strawberry.field(description="What it is for.", default="")
    idempotency_key: str | None = strawberry.field(description=IDEMPOTENCY_KEY, default=None)


@strawberry.type(description="The policy takes the alerts that open from now on.")
class CreateEscalationPolicySuccess:
    """The new policy."""

    policy: EscalationPolicy = strawberry.field(description="The new policy.")


@mutation(
    payload("CreateEscalationPolicy", CreateEscalationPolicySuccess, NotFound, AlreadyExists, IdempotencyConflict),
    description="Make an escalation policy. Open alerts are taken when something next happens to them.",
)
async def create_escalation_policy(info: Info, data: CreateEscalationPolicyInput) -> CreateEscalationPolicySuccess:
    """Write the policy and the audit entry in one transaction."""
    context = info.context
    draft = PolicyDraft(
        name=data.name,
        description=data.description,
        steps=steps_of(data.steps),
        severities=frozenset(data.severities),
        repeats=data.repeats,
        ack_timeout=data.ack_timeout,
        is_by_rule=data.is_by_rule,
    )
    team_id = None if data.team_id is None else uuid_of(data.team_id, "team", "teamId")
    async with context.uow() as uow:

        async def create() -> dict[str, object]:
            made = await create_policy(draft, team_id=team_id, desk=desk(context, uow, "createEscalationPolicy"))
            return {"policyId": str(made.id)}

        made, _ = await create_once(context, uow, mutation="createEscalationPolicy", data=data, create=create)
        await uow.commit()
    found = await written(context, UUID(made["policyId"]))
    return CreateEscalationPolicySuccess(policy=found)  # type: ignore[arg-type] # the domain object is it
