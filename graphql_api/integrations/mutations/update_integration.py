"""How is an integration changed? What the input leaves out stays; null clears what may be empty."""

from dataclasses import replace
from typing import Any

import strawberry

from domain.integrations import actions
from graphql_api.audit_writer import audit
from graphql_api.context import Info
from graphql_api.errors import NotFound, StaleVersion, mutation, payload
from graphql_api.integrations.inputs import FieldMappingInput, SeverityWordInput, repository, severity_map_of
from graphql_api.integrations.loaders import written
from graphql_api.integrations.types import Integration
from graphql_api.scalars import uuid_of
from graphql_api.webhooks.mapping_engine import ENGINE


@strawberry.input(description="What is to change of an integration; what is left out stays.")
class UpdateIntegrationInput:
    """Omitted is not null."""

    id: strawberry.ID = strawberry.field(description="The integration.")
    expected_version: int | None = strawberry.field(
        description="The version you read; the edit is refused when it has another by now.", default=None
    )
    name: strawberry.Maybe[str] = strawberry.field(description="The name people read.", default=None)
    default_team_id: strawberry.Maybe[strawberry.ID | None] = strawberry.field(
        description="The team of its alerts; null for none.", default=None
    )
    severity_map: strawberry.Maybe[list[SeverityWordInput]] = strawberry.field(
        description="The whole map of the source's words.", default=None
    )
    mapping: strawberry.Maybe[FieldMappingInput | None] = strawberry.field(
        description="The whole mapping; null for the default fields.", default=None
    )
    hmac_secret: strawberry.Maybe[str | None] = strawberry.field(
        description="The shared secret; null takes unsigned posts again.", default=None
    )


@strawberry.type(description="The integration is as you want it.")
class UpdateIntegrationSuccess:
    """The integration after the edit."""

    integration: Integration = strawberry.field(description="The integration.")


@mutation(
    payload("UpdateIntegration", UpdateIntegrationSuccess, NotFound, StaleVersion),
    description="Change an integration. Posts are read the new way within seconds.",
)
async def update_integration(info: Info, data: UpdateIntegrationInput) -> UpdateIntegrationSuccess:
    """Edit the locked row."""
    context = info.context
    integration_id = uuid_of(data.id, "integration", "id")
    changes = _changes(data)
    async with context.uow() as uow:
        await actions.update_integration(
            integration_id,
            lambda before: replace(before, **changes),
            expected_version=data.expected_version,
            stores=repository(context, uow),
            sight=context.require_viewer().sight,
            engine=ENGINE,
            audit=audit(context, uow, "updateIntegration", "integration"),
        )
        await uow.commit()
    found = await written(context, integration_id)
    return UpdateIntegrationSuccess(integration=found)  # type: ignore[arg-type] # the domain object is the GraphQL object


def _changes(data: UpdateIntegrationInput) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if data.name is not None:
        changes["name"] = data.name.value
    if data.default_team_id is not None:
        team_id = data.default_team_id.value
        changes["default_team_id"] = None if team_id is None else uuid_of(team_id, "team", "defaultTeamId")
    if data.severity_map is not None:
        changes["severity_map"] = severity_map_of(data.severity_map.value)
    if data.mapping is not None:
        mapping = data.mapping.value
        changes["mapping"] = None if mapping is None else mapping.as_domain()
    if data.hmac_secret is not None:
        changes["hmac_secret"] = data.hmac_secret.value
    return changes
