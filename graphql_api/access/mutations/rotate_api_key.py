"""How does a program get a new key without a gap? The old one goes on for a while beside it."""

from datetime import timedelta
from uuid import UUID

import strawberry

from domain.access import issuing
from graphql_api.access.loaders import load_keys
from graphql_api.access.types import ApiKey
from graphql_api.context import Info
from graphql_api.errors import IdempotencyConflict, NotFound, mutation, payload
from graphql_api.idempotency import IDEMPOTENCY_KEY, create_once
from graphql_api.scalars import uuid_of


@strawberry.input(description="A key that needs a successor.")
class RotateApiKeyInput:
    """See domain.access.issuing.rotate."""

    id: strawberry.ID = strawberry.field(description="The key's id.")
    overlap: timedelta | None = strawberry.field(
        description="How long the key in use goes on beside the new one: a day when left out, at most 30 days; `PT0S` "
        "ends it now.",
        default=None,
    )
    idempotency_key: str | None = strawberry.field(description=IDEMPOTENCY_KEY, default=None)


@strawberry.type(description="There is a new key with the same rights.")
class RotateApiKeySuccess:
    """The only place that shows the key."""

    key: str | None = strawberry.field(
        description="The new key, shown this once; null when an idempotency key found a rotation made before."
    )
    api_key: ApiKey = strawberry.field(description="The new key, as it is known from now on.")
    old_key: ApiKey = strawberry.field(description="The key in use, and when it ends now.")


@mutation(
    payload("RotateApiKey", RotateApiKeySuccess, NotFound, IdempotencyConflict),
    description="Make a successor of a key, with the same rights and as long a life; the key in use goes on for the "
    "overlap. Your own keys, or any for administrators. The new key is shown once.",
)
async def rotate_api_key(info: Info, data: RotateApiKeyInput) -> RotateApiKeySuccess:
    """Write the new key and the end of the old."""
    context = info.context
    key_id = uuid_of(data.id, "key", "id")
    entry = context.audit_entry("rotateApiKey", target_kind="api_key")
    shown: list[str] = []
    async with context.uow() as uow:

        async def create() -> dict[str, object]:
            made = await issuing.rotate(
                key_id,
                overlap=issuing.DEFAULT_OVERLAP if data.overlap is None else data.overlap,
                desk=context.state.key_desk,
                by=context.require_viewer(),
                unit=uow,
                now=context.now(),
                entry=entry,
            )
            shown.append(made.secret)
            return {"keyId": str(made.key.id)}

        made, _ = await create_once(context, uow, mutation="rotateApiKey", data=data, create=create)
        await uow.commit()
    new, old = await context.loader(load_keys).load_many([UUID(made["keyId"]), key_id])
    return RotateApiKeySuccess(
        key=shown[0] if shown else None,
        api_key=new,  # type: ignore[arg-type] # the domain object is the GraphQL object
        old_key=old,  # type: ignore[arg-type] # the same
    )
