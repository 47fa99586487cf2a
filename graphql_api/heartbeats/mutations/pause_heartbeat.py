"""How does a heartbeat rest while its job is being worked on?"""

import strawberry

from domain.heartbeats import actions
from graphql_api.context import Info
from graphql_api.errors import NotFound, mutation, payload
from graphql_api.heartbeats.inputs import desk
from graphql_api.heartbeats.loaders import written
from graphql_api.heartbeats.types import Heartbeat
from graphql_api.scalars import uuid_of


@strawberry.input(description="Which heartbeat is to rest.")
class PauseHeartbeatInput:
    """By id."""

    id: strawberry.ID = strawberry.field(description="The heartbeat.")


@strawberry.type(description="Nobody listens for it until it is resumed.")
class PauseHeartbeatSuccess:
    """The heartbeat as it is now."""

    heartbeat: Heartbeat = strawberry.field(description="The heartbeat.")


@mutation(
    payload("PauseHeartbeat", PauseHeartbeatSuccess, NotFound),
    description="Listen for a heartbeat no more, until it is resumed. Its alert, if one stands, is resolved; pings are "
    "still counted.",
)
async def pause_heartbeat(info: Info, data: PauseHeartbeatInput) -> PauseHeartbeatSuccess:
    """Mark the locked row."""
    context = info.context
    heartbeat_id = uuid_of(data.id, "heartbeat", "id")
    async with context.uow() as uow:
        await actions.pause_heartbeat(heartbeat_id, desk=desk(context, uow, "pauseHeartbeat"))
        await uow.commit()
    return PauseHeartbeatSuccess(heartbeat=await written(context, heartbeat_id))  # type: ignore[arg-type] # it is
