"""How does a heartbeat come to be, with the key it is pinged by?"""

from datetime import timedelta
from uuid import UUID

import strawberry
from strawberry.scalars import JSON

from domain.heartbeats import actions
from graphql_api.context import Context, Info
from graphql_api.enums import Severity
from graphql_api.errors import AlreadyExists, IdempotencyConflict, NotFound, mutation, payload
from graphql_api.heartbeats.door import PREFIX
from graphql_api.heartbeats.inputs import HeartbeatWatchInput, desk, watch_of
from graphql_api.heartbeats.loaders import written
from graphql_api.heartbeats.types import Heartbeat
from graphql_api.idempotency import IDEMPOTENCY_KEY, create_once
from graphql_api.scalars import uuid_of
from graphql_api.thresholds.inputs import object_of


@strawberry.input(description="A heartbeat to be made.")
class CreateHeartbeatInput:
    """See domain.heartbeats.actions.HeartbeatDraft."""

    name: str = strawberry.field(description="The name people read, at most 100 characters; unique within the team.")
    interval: timedelta = strawberry.field(description="How often a ping is expected, 10 seconds to 366 days.")
    grace: timedelta = strawberry.field(
        description="How much later it may come, at most 31 days.", default=timedelta(minutes=1)
    )
    severity: Severity = strawberry.field(description="The severity of its alert.", default=Severity.HIGH)
    team_id: strawberry.ID | None = strawberry.field(
        description="The team it is of, whose alert it raises. Without one its alert goes to whoever owns its service "
        "or labels, and managers change it.",
        default=None,
    )
    description: str = strawberry.field(description="What it is for, and what to do when it is missed.", default="")
    service_name: str | None = strawberry.field(description="The service of its alert.", default=None)
    labels: JSON | None = strawberry.field(
        description="The labels of its alert, an object of texts; `heartbeat` is added.", default=None
    )
    watch: HeartbeatWatchInput | None = strawberry.field(
        description="Signals of an integration that count as pings, too.", default=None
    )
    idempotency_key: str | None = strawberry.field(description=IDEMPOTENCY_KEY, default=None)


@strawberry.type(description="The heartbeat waits for its first ping.")
class CreateHeartbeatSuccess:
    """The only place that shows the key."""

    key: str | None = strawberry.field(
        description="Its key, shown this once; null when an idempotency key found one made before."
    )
    url: str | None = strawberry.field(description="The address to ping, which holds the key; null as the key is.")
    heartbeat: Heartbeat = strawberry.field(description="The new heartbeat.")


def url_of(context: Context, key: str | None) -> str | None:
    """Where the heartbeat with the key is pinged."""
    return None if key is None else f"{context.settings.effective_public_url}{PREFIX}{key}"


@mutation(
    payload("CreateHeartbeat", CreateHeartbeatSuccess, NotFound, AlreadyExists, IdempotencyConflict),
    description="Make a heartbeat and its key. The key is shown once.",
)
async def create_heartbeat(info: Info, data: CreateHeartbeatInput) -> CreateHeartbeatSuccess:
    """Write the heartbeat, its key's digest and the audit entry in one transaction."""
    context = info.context
    draft = actions.HeartbeatDraft(
        name=data.name,
        interval=data.interval,
        grace=data.grace,
        severity=data.severity,
        description=data.description,
        service_name=data.service_name,
        labels=object_of(data.labels, "labels"),
        watch=watch_of(data.watch),
    )
    team_id = None if data.team_id is None else uuid_of(data.team_id, "team", "teamId")
    shown: list[str] = []
    async with context.uow() as uow:

        async def create() -> dict[str, object]:
            made = await actions.create_heartbeat(draft, team_id=team_id, desk=desk(context, uow, "createHeartbeat"))
            shown.append(made.secret)
            return {"heartbeatId": str(made.heartbeat.id)}

        made, _ = await create_once(context, uow, mutation="createHeartbeat", data=data, create=create)
        await uow.commit()
    found = await written(context, UUID(made["heartbeatId"]))
    key = shown[0] if shown else None
    return CreateHeartbeatSuccess(key=key, url=url_of(context, key), heartbeat=found)  # type: ignore[arg-type] # it is
