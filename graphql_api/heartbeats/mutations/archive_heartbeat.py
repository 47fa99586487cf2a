"""How does a heartbeat end?"""

import strawberry

from domain.heartbeats import actions
from graphql_api.context import Info
from graphql_api.errors import NotFound, mutation, payload
from graphql_api.heartbeats.inputs import desk
from graphql_api.heartbeats.loaders import written
from graphql_api.heartbeats.types import Heartbeat
from graphql_api.scalars import uuid_of


@strawberry.input(description="Which heartbeat is to end.")
class ArchiveHeartbeatInput:
    """By id."""

    id: strawberry.ID = strawberry.field(description="The heartbeat.")


@strawberry.type(description="Its key works no more.")
class ArchiveHeartbeatSuccess:
    """The heartbeat as it is now."""

    heartbeat: Heartbeat = strawberry.field(description="The heartbeat.")


@mutation(
    payload("ArchiveHeartbeat", ArchiveHeartbeatSuccess, NotFound),
    description="End a heartbeat: its key works no more. Its alert, if one stands, is resolved.",
)
async def archive_heartbeat(info: Info, data: ArchiveHeartbeatInput) -> ArchiveHeartbeatSuccess:
    """Mark the locked row."""
    context = info.context
    heartbeat_id = uuid_of(data.id, "heartbeat", "id")
    async with context.uow() as uow:
        await actions.archive_heartbeat(heartbeat_id, desk=desk(context, uow, "archiveHeartbeat"))
        await uow.commit()
    return ArchiveHeartbeatSuccess(heartbeat=await written(context, heartbeat_id))  # type: ignore[arg-type] # it is
