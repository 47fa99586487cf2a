"""What can be read of threshold rules?"""

from typing import Annotated

import strawberry

from domain.thresholds import model
from graphql_api.context import Info
from graphql_api.scalars import uuid_or_none
from graphql_api.thresholds.loaders import load_rules
from graphql_api.thresholds.types import ThresholdRule
from persistence.threshold_rules import list_rules

Id = Annotated[strawberry.ID, strawberry.argument(description="The rule's id.")]
OfTeam = Annotated[strawberry.ID | None, strawberry.argument(description="Only those of this team.")]
IncludeArchived = Annotated[bool, strawberry.argument(description="Whether ended ones are listed too.")]


@strawberry.type
class ThresholdQueries:
    """Mixed into Query."""

    @strawberry.field(description="One threshold rule; null for none you may see.", graphql_type=ThresholdRule | None)
    async def threshold_rule(self, info: Info, *, id: Id) -> model.ThresholdRule | None:  # noqa: A002 - the API's name
        """By id."""
        rule_id = uuid_or_none(id)
        return None if rule_id is None else await info.context.loader(load_rules).load(rule_id)

    @strawberry.field(description="The threshold rules you may see, by name.", graphql_type=list[ThresholdRule])
    async def threshold_rules(
        self, info: Info, *, team_id: OfTeam = None, include_archived: IncludeArchived = False
    ) -> list[model.ThresholdRule]:
        """There are few: no paging."""
        team = None if team_id is None else uuid_or_none(team_id)
        if team_id is not None and team is None:
            return []
        async with info.context.read() as connection:
            sight = info.context.require_viewer().sight
            return await list_rules(connection, sight=sight, team_id=team, with_archived=include_archived)
