"""How are heartbeats read many at a time?"""

from uuid import UUID

from domain.errors import NotFound
from domain.heartbeats.actions import NO_SUCH
from domain.heartbeats.model import Heartbeat
from graphql_api.context import Context
from persistence.heartbeats import list_heartbeats


async def load_heartbeats(context: Context, ids: list[UUID]) -> list[Heartbeat | None]:
    """Heartbeats by id, archived ones too; None for one the viewer may not see."""
    async with context.read() as connection:
        rows = await list_heartbeats(connection, sight=context.require_viewer().sight, ids=ids, with_archived=True)
    found = {row.id: row for row in rows}
    return [found.get(heartbeat_id) for heartbeat_id in ids]


async def written(context: Context, heartbeat_id: UUID) -> Heartbeat:
    """The heartbeat a change has just written; NotFound when it went out of sight meanwhile."""
    found = await context.loader(load_heartbeats).load(heartbeat_id)
    if found is None:
        raise NotFound(NO_SUCH, ("id",))
    return found
