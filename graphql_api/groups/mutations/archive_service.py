"""How does a service end?"""

import strawberry

from domain.correlation import actions
from graphql_api.context import Info
from graphql_api.errors import NotFound, mutation, payload
from graphql_api.groups.inputs import service_bench
from graphql_api.groups.loaders import written_service
from graphql_api.groups.types import Service
from graphql_api.scalars import uuid_of


@strawberry.input(description="Which service is to end.")
class ArchiveServiceInput:
    """By id."""

    id: strawberry.ID = strawberry.field(description="The service.")


@strawberry.type(description="Nothing depends on the service any more; its alerts stay.")
class ArchiveServiceSuccess:
    """The ended service."""

    service: Service = strawberry.field(description="The service.")


@mutation(
    payload("ArchiveService", ArchiveServiceSuccess, NotFound),
    description="End a service: group rules pass it over from now on. Managers.",
)
async def archive_service(info: Info, data: ArchiveServiceInput) -> ArchiveServiceSuccess:
    """Mark the locked row."""
    context = info.context
    service_id = uuid_of(data.id, "service", "id")
    async with context.uow() as uow:
        await actions.archive_service(service_id, bench=service_bench(context, uow, "archiveService"))
        await uow.commit()
    found = await written_service(context, service_id)
    return ArchiveServiceSuccess(service=found)  # type: ignore[arg-type] # the domain object is the GraphQL object
