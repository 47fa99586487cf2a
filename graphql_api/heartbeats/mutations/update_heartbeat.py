"""How is a heartbeat changed? What the input leaves out stays; another interval counts from the last ping."""

from datetime import timedelta

import strawberry
from strawberry.scalars import JSON

from domain.heartbeats import actions
from graphql_api.context import Info
from graphql_api.enums import Severity
from graphql_api.errors import AlreadyExists, NotFound, StaleVersion, mutation, payload
from graphql_api.heartbeats.inputs import HeartbeatWatchInput, desk, watch_of
from graphql_api.heartbeats.loaders import written
from graphql_api.heartbeats.types import Heartbeat
from graphql_api.scalars import uuid_of
from graphql_api.thresholds.inputs import object_of


@strawberry.input(description="What is to change of a heartbeat; what is left out stays.")
class UpdateHeartbeatInput:
    """See domain.heartbeats.actions.HeartbeatChange."""

    id: strawberry.ID = strawberry.field(description="The heartbeat.")
    expected_version: int | None = strawberry.field(
        description="The version you read; the edit is refused when it has another by now.", default=None
    )
    name: str | None = strawberry.field(description="The name people read.", default=None)
    description: str | None = strawberry.field(description="What it is for.", default=None)
    interval: timedelta | None = strawberry.field(description="How often a ping is expected.", default=None)
    grace: timedelta | None = strawberry.field(description="How much later it may come.", default=None)
    severity: Severity | None = strawberry.field(description="The severity of its next alert.", default=None)
    service_name: str | None = strawberry.field(
        description="The service of its next alert; an empty text for none.", default=None
    )
    labels: JSON | None = strawberry.field(description="The labels of its next alert, all of them.", default=None)
    watch: strawberry.Maybe[HeartbeatWatchInput | None] = strawberry.field(
        description="Signals that count as pings; null for none."
    )


@strawberry.type(description="The heartbeat is as you want it.")
class UpdateHeartbeatSuccess:
    """The heartbeat after the edit."""

    heartbeat: Heartbeat = strawberry.field(description="The heartbeat.")


@mutation(
    payload("UpdateHeartbeat", UpdateHeartbeatSuccess, NotFound, AlreadyExists, StaleVersion),
    description="Change a heartbeat. An alert that stands keeps what it says.",
)
async def update_heartbeat(info: Info, data: UpdateHeartbeatInput) -> UpdateHeartbeatSuccess:
    """Edit the locked row."""
    context = info.context
    heartbeat_id = uuid_of(data.id, "heartbeat", "id")
    watch = None if data.watch is None else watch_of(data.watch.value)
    change = actions.HeartbeatChange(
        name=data.name,
        description=data.description,
        interval=data.interval,
        grace=data.grace,
        severity=data.severity,
        service_name=data.service_name,
        labels=None if data.labels is None else object_of(data.labels, "labels"),
        watch=watch,
        unwatch=data.watch is not None and watch is None,
    )
    async with context.uow() as uow:
        await actions.update_heartbeat(
            heartbeat_id, change, expected_version=data.expected_version, desk=desk(context, uow, "updateHeartbeat")
        )
        await uow.commit()
    return UpdateHeartbeatSuccess(heartbeat=await written(context, heartbeat_id))  # type: ignore[arg-type] # it is
