"""How does a person get a key for a script of their own?"""

from datetime import datetime
from uuid import UUID

import strawberry

from domain.access import issuing
from domain.access.scopes import Scope
from graphql_api.access.loaders import load_keys
from graphql_api.access.mutations.create_api_key import (
    DOCUMENT_HASH,
    EXPIRES_AT,
    NAME,
    NETWORKS,
    SCOPES,
    SHOWN_ONCE,
    check_document,
)
from graphql_api.access.types import ApiKey
from graphql_api.context import Info
from graphql_api.errors import IdempotencyConflict, NotFound, mutation, payload
from graphql_api.idempotency import IDEMPOTENCY_KEY, create_once


@strawberry.input(description="A key of your own, to be made.")
class CreateMyApiKeyInput:
    """See domain.access.issuing.NewKey."""

    name: str = strawberry.field(description=NAME)
    scopes: list[Scope] = strawberry.field(description=SCOPES + " None beyond your role.")
    expires_at: datetime | None = strawberry.field(description=EXPIRES_AT, default=None)
    document_hash: str | None = strawberry.field(description=DOCUMENT_HASH, default=None)
    allowed_networks: list[str] = strawberry.field(description=NETWORKS, default_factory=list)
    idempotency_key: str | None = strawberry.field(description=IDEMPOTENCY_KEY, default=None)


@strawberry.type(description="The key exists.")
class CreateMyApiKeySuccess:
    """The only place that shows the key."""

    key: str | None = strawberry.field(description=SHOWN_ONCE)
    api_key: ApiKey = strawberry.field(description="What is known of it from now on.")


@mutation(
    payload("CreateMyApiKey", CreateMyApiKeySuccess, NotFound, IdempotencyConflict),
    description="Make a key of your own. It acts as you, with your role and teams as they are at the time, within its "
    "scopes; it cannot sign in, and makes no other key. The key is shown once.",
)
async def create_my_api_key(info: Info, data: CreateMyApiKeyInput) -> CreateMyApiKeySuccess:
    """Write the key's digest, and show the key."""
    context = info.context
    new = issuing.NewKey(
        name=data.name,
        scopes=frozenset(data.scopes),
        expires_at=data.expires_at,
        document_hash=data.document_hash,
        networks=tuple(data.allowed_networks),
    )
    await check_document(context, data.document_hash)
    entry = context.audit_entry("createMyApiKey", target_kind="api_key")
    shown: list[str] = []
    async with context.uow() as uow:

        async def create() -> dict[str, object]:
            made = await issuing.issue_for_self(
                new,
                desk=context.state.key_desk,
                by=context.require_viewer(),
                unit=uow,
                now=context.now(),
                entry=entry,
            )
            shown.append(made.secret)
            return {"keyId": str(made.key.id)}

        made, _ = await create_once(context, uow, mutation="createMyApiKey", data=data, create=create)
        await uow.commit()
    found = await context.loader(load_keys).load(UUID(made["keyId"]))
    return CreateMyApiKeySuccess(key=shown[0] if shown else None, api_key=found)  # type: ignore[arg-type] # as above
