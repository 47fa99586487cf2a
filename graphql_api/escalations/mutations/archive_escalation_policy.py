"""How does an escalation policy end?"""

import strawberry

from domain.escalations.policies import archive_policy
from domain.routing.replacing import release_policy
from graphql_api.context import Info
from graphql_api.errors import InvalidInput, NotFound, WouldOpenGaps, mutation, payload
from graphql_api.escalations.guarding import EVEN_IF_IT_OPENS_GAPS, guarded
from graphql_api.escalations.inputs import desk
from graphql_api.escalations.loaders import written
from graphql_api.escalations.types import EscalationPolicy
from graphql_api.routing.inputs import desk as rule_desk
from graphql_api.scalars import uuid_of

ACTION = "archiveEscalationPolicy"


@strawberry.input(description="Which escalation policy is to end.")
class ArchiveEscalationPolicyInput:
    """By id."""

    id: strawberry.ID = strawberry.field(description="The policy.")
    replacement_id: strawberry.ID | None = strawberry.field(
        description="Another policy of the same team, which the routing rules that name this one are to set to work "
        "instead. Without it a policy that rules name does not end.",
        default=None,
    )
    even_if_it_opens_gaps: bool = strawberry.field(description=EVEN_IF_IT_OPENS_GAPS, default=False)


@strawberry.type(description="The policy takes no more alerts.")
class ArchiveEscalationPolicySuccess:
    """The ended policy."""

    policy: EscalationPolicy = strawberry.field(description="The policy.")


@mutation(
    payload("ArchiveEscalationPolicy", ArchiveEscalationPolicySuccess, NotFound, InvalidInput, WouldOpenGaps),
    description="End an escalation policy. Escalations at work go on to their end.",
)
async def archive_escalation_policy(info: Info, data: ArchiveEscalationPolicyInput) -> ArchiveEscalationPolicySuccess:
    """Mark the locked row."""
    context = info.context
    policy_id = uuid_of(data.id, "escalation policy", "id")
    given = data.replacement_id
    replacement_id = None if given is None else uuid_of(given, "escalation policy", "replacementId")
    async with guarded(context, even_if=data.even_if_it_opens_gaps) as uow:
        ended = await archive_policy(policy_id, desk=desk(context, uow, ACTION))
        rules = rule_desk(context, uow, ACTION)
        await release_policy(policy_id, team_id=ended.team_id, replacement_id=replacement_id, desk=rules)
        await uow.commit()
    return ArchiveEscalationPolicySuccess(policy=await written(context, policy_id))  # type: ignore[arg-type] # it is
