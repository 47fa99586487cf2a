"""How does a tool get its door?"""

from uuid import UUID

import strawberry

from domain.integrations import actions, model
from graphql_api.audit_writer import audit
from graphql_api.context import Info
from graphql_api.errors import IdempotencyConflict, NotFound, mutation, payload
from graphql_api.idempotency import IDEMPOTENCY_KEY, create_once
from graphql_api.integrations.inputs import FieldMappingInput, SeverityWordInput, repository, severity_map_of
from graphql_api.integrations.loaders import written
from graphql_api.integrations.types import Integration
from graphql_api.scalars import uuid_of
from graphql_api.webhooks.mapping_engine import ENGINE


@strawberry.input(description="An integration to be made.")
class CreateIntegrationInput:
    """See domain.integrations.actions.NewIntegration."""

    name: str = strawberry.field(description="The name people read, at most 100 characters.")
    source: model.IntegrationSource = strawberry.field(description="The format its posts come in.")
    default_team_id: strawberry.ID | None = strawberry.field(description="The team of its alerts.", default=None)
    severity_map: list[SeverityWordInput] = strawberry.field(
        description="The source's words for severities.", default_factory=list
    )
    mapping: FieldMappingInput | None = strawberry.field(
        description="How payloads are read; for the generic source only.", default=None
    )
    hmac_secret: str | None = strawberry.field(
        description="A secret shared with the tool: posts must then be signed with it (Grafana).", default=None
    )
    idempotency_key: str | None = strawberry.field(description=IDEMPOTENCY_KEY, default=None)


@strawberry.type(description="The integration exists.")
class CreateIntegrationSuccess:
    """The only place that shows the key."""

    key: str | None = strawberry.field(
        description="The key, shown this once; null when an idempotency key found an integration made before."
    )
    integration: Integration = strawberry.field(description="The new integration.")


@mutation(
    payload("CreateIntegration", CreateIntegrationSuccess, NotFound, IdempotencyConflict),
    description="Make an integration and its first key. The key is shown once.",
)
async def create_integration(info: Info, data: CreateIntegrationInput) -> CreateIntegrationSuccess:
    """Write the integration, its key, and the audit entry in one transaction."""
    context = info.context
    team_id = data.default_team_id
    new = actions.NewIntegration(
        name=data.name,
        source=data.source,
        default_team_id=None if team_id is None else uuid_of(team_id, "team", "defaultTeamId"),
        severity_map=severity_map_of(data.severity_map),
        mapping=None if data.mapping is None else data.mapping.as_domain(),
        hmac_secret=data.hmac_secret,
    )
    shown: list[str] = []
    async with context.uow() as uow:

        async def create() -> dict[str, object]:
            made = await actions.create_integration(
                new,
                stores=repository(context, uow),
                sight=context.require_viewer().sight,
                engine=ENGINE,
                created_by=context.require_viewer().person_id,
                now=context.now(),
                audit=audit(context, uow, "createIntegration", "integration"),
            )
            shown.append(made.secret)
            return {"integrationId": str(made.integration.id)}

        made, _ = await create_once(context, uow, mutation="createIntegration", data=data, create=create)
        await uow.commit()
    found = await written(context, UUID(made["integrationId"]))
    return CreateIntegrationSuccess(key=shown[0] if shown else None, integration=found)  # type: ignore[arg-type] # the domain object is it
