"""How does a key end before its time?"""

import strawberry

from domain.access import issuing
from graphql_api.access.types import ApiKey
from graphql_api.context import Info
from graphql_api.errors import NotFound, mutation, payload
from graphql_api.scalars import uuid_of


@strawberry.input(description="A key to be ended.")
class RevokeApiKeyInput:
    """By id."""

    id: strawberry.ID = strawberry.field(description="The key's id.")


@strawberry.type(description="The key has ended.")
class RevokeApiKeySuccess:
    """The key."""

    api_key: ApiKey = strawberry.field(description="The key.")


@mutation(
    payload("RevokeApiKey", RevokeApiKeySuccess, NotFound),
    description="End a key at once, in every process; its sockets and streams end within seconds. Your own keys, or "
    "any for administrators. One that has ended stays as it is.",
)
async def revoke_api_key(info: Info, data: RevokeApiKeyInput) -> RevokeApiKeySuccess:
    """End it."""
    context = info.context
    entry = context.audit_entry("revokeApiKey", target_kind="api_key")
    async with context.uow() as uow:
        key = await issuing.revoke(
            uuid_of(data.id, "key", "id"), by=context.require_viewer(), unit=uow, now=context.now(), entry=entry
        )
        await uow.commit()
    return RevokeApiKeySuccess(api_key=key)  # type: ignore[arg-type] # the domain object is the GraphQL object
