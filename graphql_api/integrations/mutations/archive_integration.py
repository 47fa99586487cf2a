"""How does an integration end? Its keys are refused from then on; its alerts and their history stay."""

import strawberry

from domain.integrations import actions
from graphql_api.audit_writer import audit
from graphql_api.context import Info
from graphql_api.errors import NotFound, mutation, payload
from graphql_api.integrations.inputs import repository
from graphql_api.integrations.loaders import written
from graphql_api.integrations.types import Integration
from graphql_api.scalars import uuid_of


@strawberry.input(description="An integration to end.")
class ArchiveIntegrationInput:
    """See domain.integrations.actions.archive_integration."""

    id: strawberry.ID = strawberry.field(description="The integration.")


@strawberry.type(description="The integration has ended.")
class ArchiveIntegrationSuccess:
    """The integration as it stays."""

    integration: Integration = strawberry.field(description="The integration.")


@mutation(
    payload("ArchiveIntegration", ArchiveIntegrationSuccess, NotFound),
    description="End an integration and all its keys. Its alerts stay.",
)
async def archive_integration(info: Info, data: ArchiveIntegrationInput) -> ArchiveIntegrationSuccess:
    """Write the end of the integration and its keys."""
    context = info.context
    integration_id = uuid_of(data.id, "integration", "id")
    async with context.uow() as uow:
        await actions.archive_integration(
            integration_id,
            stores=repository(context, uow),
            sight=context.require_viewer().sight,
            now=context.now(),
            audit=audit(context, uow, "archiveIntegration", "integration"),
        )
        await uow.commit()
    found = await written(context, integration_id)
    return ArchiveIntegrationSuccess(integration=found)  # type: ignore[arg-type] # the domain object is it
