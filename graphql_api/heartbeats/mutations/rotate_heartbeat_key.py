"""How does a heartbeat get another key?"""

import strawberry

from domain.heartbeats import actions
from graphql_api.context import Info
from graphql_api.errors import NotFound, mutation, payload
from graphql_api.heartbeats.inputs import desk
from graphql_api.heartbeats.loaders import written
from graphql_api.heartbeats.mutations.create_heartbeat import url_of
from graphql_api.heartbeats.types import Heartbeat
from graphql_api.scalars import uuid_of


@strawberry.input(description="Which heartbeat is to have another key.")
class RotateHeartbeatKeyInput:
    """By id."""

    id: strawberry.ID = strawberry.field(description="The heartbeat.")


@strawberry.type(description="The heartbeat has another key; the one it had works no more.")
class RotateHeartbeatKeySuccess:
    """The only place that shows the key."""

    key: str = strawberry.field(description="Its key, shown this once.")
    url: str | None = strawberry.field(description="The address to ping, which holds the key.")
    heartbeat: Heartbeat = strawberry.field(description="The heartbeat.")


@mutation(
    payload("RotateHeartbeatKey", RotateHeartbeatKeySuccess, NotFound),
    description="Give a heartbeat another key, shown once. The one it had ends at once.",
)
async def rotate_heartbeat_key(info: Info, data: RotateHeartbeatKeyInput) -> RotateHeartbeatKeySuccess:
    """Write the new key's digest."""
    context = info.context
    heartbeat_id = uuid_of(data.id, "heartbeat", "id")
    async with context.uow() as uow:
        made = await actions.rotate_key(heartbeat_id, desk=desk(context, uow, "rotateHeartbeatKey"))
        await uow.commit()
    found = await written(context, heartbeat_id)
    return RotateHeartbeatKeySuccess(
        key=made.secret,
        url=url_of(context, made.secret),
        heartbeat=found,  # type: ignore[arg-type] # the domain object is it
    )
