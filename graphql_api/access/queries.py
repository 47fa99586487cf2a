"""What can be read of service accounts and keys?"""

from typing import Annotated
from uuid import UUID

import strawberry

from domain.access import model
from graphql_api.access.loaders import load_keys_of
from graphql_api.access.types import ApiKey, ServiceAccount
from graphql_api.connection import After, Connection, Cursors, First, connection, page_request
from graphql_api.context import Info
from persistence.api_keys import page_of_accounts, page_of_keys

_ACCOUNTS: Cursors[tuple[UUID]] = Cursors("serviceAccounts", tuple[UUID])
_KEYS: Cursors[tuple[UUID]] = Cursors("apiKeys", tuple[UUID])


@strawberry.type
class AccessQueries:
    """Mixed into Query."""

    @strawberry.field(
        description="The service accounts, the newest first. Administrators only.",
        graphql_type=Connection[ServiceAccount],
    )
    async def service_accounts(
        self,
        info: Info,
        *,
        first: First = None,
        after: After = None,
        include_archived: Annotated[bool, strawberry.argument(description="Whether ended ones are there too.")] = False,
    ) -> Connection[model.ServiceAccount]:
        """A page, by keyset."""
        request = page_request(_ACCOUNTS, first=first, after=after)
        async with info.context.read() as database:
            rows = await page_of_accounts(
                database,
                limit=request.limit + 1,
                after=request.after and request.after[0],
                with_archived=include_archived,
            )
        return connection(rows, request, cursors=_ACCOUNTS, key=lambda account: (account.id,))

    @strawberry.field(
        description="All API keys, whosever they are, the newest first, ended ones too. Administrators only.",
        graphql_type=Connection[ApiKey],
    )
    async def api_keys(self, info: Info, *, first: First = None, after: After = None) -> Connection[model.ApiKey]:
        """A page, by keyset."""
        request = page_request(_KEYS, first=first, after=after)
        async with info.context.read() as database:
            rows = await page_of_keys(database, limit=request.limit + 1, after=request.after and request.after[0])
        return connection(rows, request, cursors=_KEYS, key=lambda key: (key.id,))

    @strawberry.field(description="Your own API keys, the newest first, ended ones too.", graphql_type=list[ApiKey])
    async def my_api_keys(self, info: Info) -> list[model.ApiKey]:
        """At most a few: their number is bounded."""
        viewer = info.context.require_viewer()
        return await info.context.loader(load_keys_of).load(viewer.user_id)
