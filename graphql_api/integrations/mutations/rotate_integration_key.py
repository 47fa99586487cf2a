"""How does a tool get a new key without a gap? The old one goes on for a while beside it."""

from datetime import datetime, timedelta
from uuid import UUID

import strawberry

from domain.integrations import actions
from graphql_api.audit_writer import audit
from graphql_api.context import Info
from graphql_api.errors import IdempotencyConflict, NotFound, mutation, payload
from graphql_api.idempotency import IDEMPOTENCY_KEY, create_once
from graphql_api.integrations.inputs import repository
from graphql_api.integrations.loaders import written
from graphql_api.integrations.types import Integration
from graphql_api.scalars import uuid_of

DEFAULT_OVERLAP = timedelta(days=1)


@strawberry.input(description="An integration that needs a new key.")
class RotateIntegrationKeyInput:
    """See domain.integrations.actions.rotate_key."""

    id: strawberry.ID = strawberry.field(description="The integration.")
    overlap: timedelta | None = strawberry.field(
        description="How long the key in use goes on beside the new one: a day when left out, at most 30 days; `PT0S` "
        "ends it now.",
        default=None,
    )
    idempotency_key: str | None = strawberry.field(description=IDEMPOTENCY_KEY, default=None)


@strawberry.type(description="The integration has a new key.")
class RotateIntegrationKeySuccess:
    """The only place that shows the key."""

    key: str | None = strawberry.field(
        description="The new key, shown this once; null when an idempotency key found a rotation made before."
    )
    integration: Integration = strawberry.field(description="The integration.")
    old_keys_end_at: datetime | None = strawberry.field(description="When the key that was in use ends.")


@mutation(
    payload("RotateIntegrationKey", RotateIntegrationKeySuccess, NotFound, IdempotencyConflict),
    description="Make a new key; the one in use goes on for the overlap. The new key is shown once.",
)
async def rotate_integration_key(info: Info, data: RotateIntegrationKeyInput) -> RotateIntegrationKeySuccess:
    """Write the new key and the end of the old."""
    context = info.context
    integration_id = uuid_of(data.id, "integration", "id")
    overlap = DEFAULT_OVERLAP if data.overlap is None else data.overlap
    now = context.now()
    shown: list[str] = []
    async with context.uow() as uow:

        async def create() -> dict[str, object]:
            made = await actions.rotate_key(
                integration_id,
                overlap=overlap,
                stores=repository(context, uow),
                sight=context.require_viewer().sight,
                now=now,
                audit=audit(context, uow, "rotateIntegrationKey", "integration"),
            )
            shown.append(made.secret)
            return {"integrationId": str(integration_id), "endsAt": (now + overlap).isoformat()}

        made, _ = await create_once(context, uow, mutation="rotateIntegrationKey", data=data, create=create)
        await uow.commit()
    found = await written(context, UUID(made["integrationId"]))
    return RotateIntegrationKeySuccess(
        key=shown[0] if shown else None,
        integration=found,  # type: ignore[arg-type] # the domain object is the GraphQL object
        old_keys_end_at=datetime.fromisoformat(made["endsAt"]),
    )
