"""How does a maintenance window end for good?"""

import strawberry

from domain.audit.writing import WriteAudit
from domain.maintenance.actions import Planned, archive_window
from domain.silences.by_people import Asking
from graphql_api.context import Info
from graphql_api.errors import NotFound, mutation, payload
from graphql_api.maintenance.inputs import change
from graphql_api.maintenance.loaders import written
from graphql_api.maintenance.types import MaintenanceWindow
from graphql_api.scalars import uuid_of
from persistence.silence_work import SilenceUnitOfWork


@strawberry.input(description="Which maintenance window is to end.")
class ArchiveMaintenanceWindowInput:
    """By id."""

    id: strawberry.ID = strawberry.field(description="The window.")


@strawberry.type(description="The window occurs no more; what was can still be read.")
class ArchiveMaintenanceWindowSuccess:
    """The ended window."""

    window: MaintenanceWindow = strawberry.field(description="The window.")


@mutation(
    payload("ArchiveMaintenanceWindow", ArchiveMaintenanceWindowSuccess, NotFound),
    description="End a maintenance window, and the occurrence that runs.",
)
async def archive_maintenance_window(
    info: Info, data: ArchiveMaintenanceWindowInput
) -> ArchiveMaintenanceWindowSuccess:
    """End it under the silences lock."""
    context = info.context
    window_id = uuid_of(data.id, "maintenance window", "id")

    async def make(work: SilenceUnitOfWork, request: Asking, write: WriteAudit) -> Planned:
        return await archive_window(request, work, window_id, audit=write)

    await change(context, "archiveMaintenanceWindow", make)
    return ArchiveMaintenanceWindowSuccess(window=await written(context, window_id))  # type: ignore[arg-type] # it is
