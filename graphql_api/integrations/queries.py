"""What can be read of integrations?"""

from typing import Annotated

import strawberry

from domain.integrations import model
from graphql_api.context import Info
from graphql_api.integrations.loaders import load_integrations
from graphql_api.integrations.types import Integration
from graphql_api.scalars import uuid_or_none
from persistence.integrations import list_integrations

IncludeArchived = Annotated[bool, strawberry.argument(description="Whether ended ones are listed too.")]
Id = Annotated[strawberry.ID, strawberry.argument(description="The integration's id.")]


@strawberry.type
class IntegrationQueries:
    """Mixed into Query."""

    @strawberry.field(
        description="The integrations you may see, by name.",
        graphql_type=list[Integration],
    )
    async def integrations(self, info: Info, *, include_archived: IncludeArchived = False) -> list[model.Integration]:
        """There are few: no paging."""
        async with info.context.read() as connection:
            return await list_integrations(
                connection, sight=info.context.require_viewer().sight, with_archived=include_archived
            )

    @strawberry.field(description="One integration; null for none you may see.", graphql_type=Integration | None)
    async def integration(self, info: Info, *, id: Id) -> model.Integration | None:  # noqa: A002 - the API's name
        """By id."""
        integration_id = uuid_or_none(id)
        return None if integration_id is None else await info.context.loader(load_integrations).load(integration_id)
