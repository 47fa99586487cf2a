"""How is a key that leaked ended? At once: posts with it are refused within seconds everywhere."""

import strawberry

from domain.integrations import actions
from graphql_api.audit_writer import audit
from graphql_api.context import Info
from graphql_api.errors import NotFound, mutation, payload
from graphql_api.integrations.inputs import repository
from graphql_api.integrations.loaders import written
from graphql_api.integrations.types import Integration
from graphql_api.scalars import uuid_of


@strawberry.input(description="A key to end.")
class RevokeIntegrationKeyInput:
    """See domain.integrations.actions.revoke_key."""

    id: strawberry.ID = strawberry.field(description="The integration.")
    key_id: strawberry.ID = strawberry.field(description="The id of the key, as `Integration.keys` shows it.")


@strawberry.type(description="The key has ended.")
class RevokeIntegrationKeySuccess:
    """The integration with its keys."""

    integration: Integration = strawberry.field(description="The integration.")


@mutation(
    payload("RevokeIntegrationKey", RevokeIntegrationKeySuccess, NotFound),
    description="End a key now. A tool that still uses it is refused.",
)
async def revoke_integration_key(info: Info, data: RevokeIntegrationKeyInput) -> RevokeIntegrationKeySuccess:
    """Write the end of the key."""
    context = info.context
    integration_id = uuid_of(data.id, "integration", "id")
    key_id = uuid_of(data.key_id, "key", "keyId")
    async with context.uow() as uow:
        await actions.revoke_key(
            integration_id,
            key_id,
            stores=repository(context, uow),
            sight=context.require_viewer().sight,
            now=context.now(),
            audit=audit(context, uow, "revokeIntegrationKey", "integration"),
        )
        await uow.commit()
    found = await written(context, integration_id)
    return RevokeIntegrationKeySuccess(integration=found)  # type: ignore[arg-type] # the domain object is it
