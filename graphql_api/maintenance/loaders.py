"""How are maintenance windows read many at a time?"""

from uuid import UUID

from domain.errors import NotFound
from domain.maintenance.actions import NO_SUCH
from domain.maintenance.model import MaintenanceWindow
from graphql_api.context import Context
from persistence.maintenance_windows import windows_by_ids


async def load_windows(context: Context, ids: list[UUID]) -> list[MaintenanceWindow | None]:
    """Windows by id, ended ones too; None for one the viewer may not see."""
    async with context.read() as connection:
        return await windows_by_ids(connection, ids, sight=context.require_viewer().sight)


async def written(context: Context, window_id: UUID) -> MaintenanceWindow:
    """The window a change has just written; NotFound when it went out of sight meanwhile."""
    found = await context.loader(load_windows).load(window_id)
    if found is None:
        raise NotFound(NO_SUCH, ("id",))
    return found
