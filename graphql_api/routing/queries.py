"""What can be read of routing rules?"""

from typing import Annotated

import strawberry

from domain.routing import model
from graphql_api.context import Info
from graphql_api.routing.loaders import load_routing_rules
from graphql_api.routing.types import RoutingRule
from graphql_api.scalars import uuid_or_none
from persistence.routing import list_rules

Id = Annotated[strawberry.ID, strawberry.argument(description="The rule's id.")]
OfTeam = Annotated[strawberry.ID | None, strawberry.argument(description="Only those of this team.")]
IncludeArchived = Annotated[bool, strawberry.argument(description="Whether ended ones are listed too.")]


@strawberry.type
class RoutingQueries:
    """Mixed into Query."""

    @strawberry.field(description="One routing rule; null for none you may see.", graphql_type=RoutingRule | None)
    async def routing_rule(self, info: Info, *, id: Id) -> model.RoutingRule | None:  # noqa: A002 - the API's name
        """By id."""
        rule_id = uuid_or_none(id)
        return None if rule_id is None else await info.context.loader(load_routing_rules).load(rule_id)

    @strawberry.field(
        description="The routing rules you may see, in the order they are asked: those of nobody, then team by team.",
        graphql_type=list[RoutingRule],
    )
    async def routing_rules(
        self, info: Info, *, team_id: OfTeam = None, include_archived: IncludeArchived = False
    ) -> list[model.RoutingRule]:
        """At most 100 a team: no paging."""
        team = None if team_id is None else uuid_or_none(team_id)
        if team_id is not None and team is None:
            return []
        async with info.context.read() as connection:
            sight = info.context.require_viewer().sight
            return await list_rules(connection, sight=sight, team_id=team, with_archived=include_archived)
