"""How does a service account get a key?"""

from datetime import datetime
from uuid import UUID

import strawberry

from domain.access import issuing
from domain.access.scopes import Scope
from domain.errors import NotFound as DomainNotFound
from graphql_api.access.loaders import load_keys
from graphql_api.access.types import ApiKey
from graphql_api.context import Context, Info
from graphql_api.errors import IdempotencyConflict, NotFound, mutation, payload
from graphql_api.idempotency import IDEMPOTENCY_KEY, create_once
from graphql_api.scalars import uuid_of

NAME = "What it is for, at most 100 characters."
SCOPES = "What it may be used for: at least one."
EXPIRES_AT = "When it ends: at most `TOCSIN_API_KEY_MAX_LIFETIME` from now, which is also what leaving it out means."
DOCUMENT_HASH = "The hash of a registered document: the key may run that one and no other."
NETWORKS = "The networks it may be used from, in CIDR form, at most 20; none for everywhere."
SHOWN_ONCE = "The key, shown this once; null when an idempotency key found one made before."


@strawberry.input(description="A key of a service account, to be made.")
class CreateApiKeyInput:
    """See domain.access.issuing.NewKey."""

    service_account_id: strawberry.ID = strawberry.field(description="The service account it is to act for.")
    name: str = strawberry.field(description=NAME)
    scopes: list[Scope] = strawberry.field(description=SCOPES)
    expires_at: datetime | None = strawberry.field(description=EXPIRES_AT, default=None)
    document_hash: str | None = strawberry.field(description=DOCUMENT_HASH, default=None)
    allowed_networks: list[str] = strawberry.field(description=NETWORKS, default_factory=list)
    idempotency_key: str | None = strawberry.field(description=IDEMPOTENCY_KEY, default=None)


@strawberry.type(description="The key exists.")
class CreateApiKeySuccess:
    """The only place that shows the key."""

    key: str | None = strawberry.field(description=SHOWN_ONCE)
    api_key: ApiKey = strawberry.field(description="What is known of it from now on.")


async def check_document(context: Context, hash_: str | None) -> None:
    """NotFound unless there is such a document: a key bound to none would be of no use."""
    if hash_ is not None and not await context.state.trusted.is_registered(hash_):
        message = "no document is registered under this hash"
        raise DomainNotFound(message, ("documentHash",))


@mutation(
    payload("CreateApiKey", CreateApiKeySuccess, NotFound, IdempotencyConflict),
    description="Make a key for a service account. The key is shown once. Administrators only.",
)
async def create_api_key(info: Info, data: CreateApiKeyInput) -> CreateApiKeySuccess:
    """Write the key's digest, and show the key."""
    context = info.context
    account_id = uuid_of(data.service_account_id, "service account", "serviceAccountId")
    new = issuing.NewKey(
        name=data.name,
        scopes=frozenset(data.scopes),
        expires_at=data.expires_at,
        document_hash=data.document_hash,
        networks=tuple(data.allowed_networks),
    )
    await check_document(context, data.document_hash)
    entry = context.audit_entry("createApiKey", target_kind="api_key")
    shown: list[str] = []
    async with context.uow() as uow:

        async def create() -> dict[str, object]:
            made = await issuing.issue_for_account(
                account_id,
                new,
                desk=context.state.key_desk,
                by=context.require_viewer(),
                unit=uow,
                now=context.now(),
                entry=entry,
            )
            shown.append(made.secret)
            return {"keyId": str(made.key.id)}

        made, _ = await create_once(context, uow, mutation="createApiKey", data=data, create=create)
        await uow.commit()
    found = await context.loader(load_keys).load(UUID(made["keyId"]))
    return CreateApiKeySuccess(key=shown[0] if shown else None, api_key=found)  # type: ignore[arg-type] # the domain object
