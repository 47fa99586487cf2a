"""How is a heartbeat listened for again?"""

import strawberry

from domain.heartbeats import actions
from graphql_api.context import Info
from graphql_api.errors import NotFound, mutation, payload
from graphql_api.heartbeats.inputs import desk
from graphql_api.heartbeats.loaders import written
from graphql_api.heartbeats.types import Heartbeat
from graphql_api.scalars import uuid_of


@strawberry.input(description="Which heartbeat is to be listened for again.")
class ResumeHeartbeatInput:
    """By id."""

    id: strawberry.ID = strawberry.field(description="The heartbeat.")


@strawberry.type(description="It has its interval and its grace from now.")
class ResumeHeartbeatSuccess:
    """The heartbeat as it is now."""

    heartbeat: Heartbeat = strawberry.field(description="The heartbeat.")


@mutation(
    payload("ResumeHeartbeat", ResumeHeartbeatSuccess, NotFound),
    description="Listen for a heartbeat again. It is missed after its interval and grace from now.",
)
async def resume_heartbeat(info: Info, data: ResumeHeartbeatInput) -> ResumeHeartbeatSuccess:
    """Mark the locked row."""
    context = info.context
    heartbeat_id = uuid_of(data.id, "heartbeat", "id")
    async with context.uow() as uow:
        await actions.resume_heartbeat(heartbeat_id, desk=desk(context, uow, "resumeHeartbeat"))
        await uow.commit()
    return ResumeHeartbeatSuccess(heartbeat=await written(context, heartbeat_id))  # type: ignore[arg-type] # it is
