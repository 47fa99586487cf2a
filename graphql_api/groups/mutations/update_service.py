"""How is a service changed? What the input leaves out stays."""

import strawberry

from domain.correlation import actions
from graphql_api.context import Info
from graphql_api.errors import AlreadyExists, NotFound, StaleVersion, mutation, payload
from graphql_api.groups.inputs import DEPENDS_ON, EXPECTED_VERSION, given, service_bench, upstreams_of
from graphql_api.groups.loaders import written_service
from graphql_api.groups.types import Service
from graphql_api.scalars import uuid_of


@strawberry.input(description="What is to change of a service; what is left out stays.")
class UpdateServiceInput:
    """See domain.correlation.actions.update_service."""

    id: strawberry.ID = strawberry.field(description="The service.")
    expected_version: int | None = strawberry.field(description=EXPECTED_VERSION, default=None)
    name: str | None = strawberry.field(description="What alerts call it in `serviceName`.", default=None)
    description: str | None = strawberry.field(description="What it is.", default=None)
    depends_on_ids: list[strawberry.ID] | None = strawberry.field(description=DEPENDS_ON, default=None)


@strawberry.type(description="The service is as you want it.")
class UpdateServiceSuccess:
    """The service after the edit."""

    service: Service = strawberry.field(description="The service.")


@mutation(
    payload("UpdateService", UpdateServiceSuccess, NotFound, AlreadyExists, StaleVersion),
    description="Change a service, or what it needs to work. Managers.",
)
async def update_service(info: Info, data: UpdateServiceInput) -> UpdateServiceSuccess:
    """Edit the locked row."""
    context = info.context
    service_id = uuid_of(data.id, "service", "id")
    changes = given(data, "name", "description")
    if data.depends_on_ids is not None:
        changes["upstream_ids"] = upstreams_of(data.depends_on_ids)
    async with context.uow() as uow:
        await actions.update_service(
            service_id,
            changes,
            expected_version=data.expected_version,
            bench=service_bench(context, uow, "updateService"),
        )
        await uow.commit()
    found = await written_service(context, service_id)
    return UpdateServiceSuccess(service=found)  # type: ignore[arg-type] # the domain object is the GraphQL object
