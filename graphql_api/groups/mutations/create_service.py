"""How does a service come to be?"""

from uuid import UUID

import strawberry

from domain.correlation import actions
from domain.correlation.drafts import ServiceDraft
from graphql_api.context import Info
from graphql_api.errors import AlreadyExists, IdempotencyConflict, mutation, payload
from graphql_api.groups.inputs import DEPENDS_ON, service_bench, upstreams_of
from graphql_api.groups.loaders import written_service
from graphql_api.groups.types import Service
from graphql_api.idempotency import IDEMPOTENCY_KEY, create_once


@strawberry.input(description="A service to be made.")
class CreateServiceInput:
    """See domain.correlation.drafts.ServiceDraft."""

    name: str = strawberry.field(description="What alerts call it in `serviceName`; unique.")
    description: str = strawberry.field(description="What it is.", default="")
    depends_on_ids: list[strawberry.ID] = strawberry.field(description=DEPENDS_ON, default_factory=list)
    idempotency_key: str | None = strawberry.field(description=IDEMPOTENCY_KEY, default=None)


@strawberry.type(description="The service counts from the next alert on.")
class CreateServiceSuccess:
    """The new service."""

    service: Service = strawberry.field(description="The new service.")


@mutation(
    payload("CreateService", CreateServiceSuccess, AlreadyExists, IdempotencyConflict),
    description="Say what a service needs to work; group rules of the strategy TOPOLOGY go by it. Managers.",
)
async def create_service(info: Info, data: CreateServiceInput) -> CreateServiceSuccess:
    """Write the service and the audit entry in one transaction."""
    context = info.context
    draft = ServiceDraft(name=data.name, description=data.description, upstream_ids=upstreams_of(data.depends_on_ids))
    async with context.uow() as uow:

        async def create() -> dict[str, object]:
            made = await actions.create_service(draft, bench=service_bench(context, uow, "createService"))
            return {"serviceId": str(made.id)}

        made, _ = await create_once(context, uow, mutation="createService", data=data, create=create)
        await uow.commit()
    found = await written_service(context, UUID(made["serviceId"]))
    return CreateServiceSuccess(service=found)  # type: ignore[arg-type] # the domain object is the GraphQL object
