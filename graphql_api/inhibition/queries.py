"""What can be read of inhibition rules? They are everybody's."""

from typing import Annotated

import strawberry

from domain.inhibition import model
from graphql_api.context import Info
from graphql_api.inhibition.loaders import load_inhibition_rules
from graphql_api.inhibition.types import InhibitionRule
from graphql_api.scalars import uuid_or_none
from persistence.inhibition import list_inhibition_rules

RuleId = Annotated[strawberry.ID, strawberry.argument(description="The rule's id.")]
IncludeArchived = Annotated[bool, strawberry.argument(description="Whether ended ones are listed too.")]


@strawberry.type
class InhibitionQueries:
    """Mixed into Query."""

    @strawberry.field(description="One inhibition rule; null when there is none.", graphql_type=InhibitionRule | None)
    async def inhibition_rule(self, info: Info, *, id: RuleId) -> model.InhibitionRule | None:  # noqa: A002 - the API's name
        """By id."""
        rule_id = uuid_or_none(id)
        return None if rule_id is None else await info.context.loader(load_inhibition_rules).load(rule_id)

    @strawberry.field(description="The inhibition rules, the older first.", graphql_type=list[InhibitionRule])
    async def inhibition_rules(
        self, info: Info, *, include_archived: IncludeArchived = False
    ) -> list[model.InhibitionRule]:
        """There are few: no paging."""
        async with info.context.read() as database:
            return await list_inhibition_rules(database, with_archived=include_archived)
