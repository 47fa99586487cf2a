"""What can be read of escalation policies?"""

from typing import Annotated

import strawberry

from domain.escalations import model
from graphql_api.context import Info
from graphql_api.escalations.loaders import load_policies
from graphql_api.escalations.types import EscalationPolicy
from graphql_api.scalars import uuid_or_none
from persistence.escalation_policies import list_policies

Id = Annotated[strawberry.ID, strawberry.argument(description="The policy's id.")]
OfTeam = Annotated[strawberry.ID | None, strawberry.argument(description="Only those of this team.")]
IncludeArchived = Annotated[bool, strawberry.argument(description="Whether ended ones are listed too.")]


@strawberry.type
class EscalationQueries:
    """Mixed into Query."""

    @strawberry.field(
        description="One escalation policy; null for none you may see.", graphql_type=EscalationPolicy | None
    )
    async def escalation_policy(self, info: Info, *, id: Id) -> model.Policy | None:  # noqa: A002 - the API's name
        """By id."""
        policy_id = uuid_or_none(id)
        return None if policy_id is None else await info.context.loader(load_policies).load(policy_id)

    @strawberry.field(description="The escalation policies you may see, by name.", graphql_type=list[EscalationPolicy])
    async def escalation_policies(
        self, info: Info, *, team_id: OfTeam = None, include_archived: IncludeArchived = False
    ) -> list[model.Policy]:
        """There are few: no paging."""
        team = None if team_id is None else uuid_or_none(team_id)
        if team_id is not None and team is None:
            return []
        async with info.context.read() as connection:
            sight = info.context.require_viewer().sight
            return await list_policies(connection, sight=sight, team_id=team, with_archived=include_archived)
