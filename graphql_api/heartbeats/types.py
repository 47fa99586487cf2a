"""How is a heartbeat shown? With how it is now, and without its key."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry.scalars import JSON

from domain.alerts.model import Alert as DomainAlert
from domain.heartbeats import model
from domain.identity import model as identity
from domain.integrations import model as integrations
from graphql_api.alerts.loaders import load_alerts
from graphql_api.context import Info
from graphql_api.enums import Severity
from graphql_api.exposes import expose_enum, exposes
from graphql_api.identity.loaders import load_teams, load_users
from graphql_api.identity.types import Team, User
from graphql_api.integrations.loaders import load_integrations
from graphql_api.integrations.types import Integration

if TYPE_CHECKING:
    from graphql_api.alerts.types import Alert

expose_enum(
    model.HeartbeatState,
    description="How a heartbeat is.",
    values={
        model.HeartbeatState.NEW: "Never heard of; it calls for nobody before its first ping.",
        model.HeartbeatState.UP: "Heard of within its interval.",
        model.HeartbeatState.LATE: "Past its interval, within its grace.",
        model.HeartbeatState.DOWN: "Past both: its alert stands until the next ping.",
        model.HeartbeatState.PAUSED: "Nobody listens; pings are counted all the same.",
    },
)


async def _integration(root: strawberry.Parent[model.Watch], info: Info) -> integrations.Integration | None:
    return await info.context.loader(load_integrations).load(root.integration_id)


def _watch_labels(root: strawberry.Parent[model.Watch]) -> JSON:
    return JSON(dict(root.labels))


@exposes(model.Watch, name="HeartbeatWatch", description="Signals that count as pings.")
class HeartbeatWatch:
    """See domain.heartbeats.model.Watch."""

    integration = strawberry.field(
        resolver=_integration,
        graphql_type=Integration | None,
        description="The integration they come by; null for none you may see.",
    )
    labels = strawberry.field(resolver=_watch_labels, graphql_type=JSON, description="The labels they have.")


async def _team(root: strawberry.Parent[model.Heartbeat], info: Info) -> identity.Team | None:
    return None if root.team_id is None else await info.context.loader(load_teams).load(root.team_id)


async def _created_by(root: strawberry.Parent[model.Heartbeat], info: Info) -> identity.User | None:
    return None if root.created_by is None else await info.context.loader(load_users).load(root.created_by)


async def _alert(root: strawberry.Parent[model.Heartbeat], info: Info) -> DomainAlert | None:
    return None if root.alert_id is None else await info.context.loader(load_alerts).load(root.alert_id)


def _labels(root: strawberry.Parent[model.Heartbeat]) -> JSON:
    return JSON(dict(root.labels))


def _state(root: strawberry.Parent[model.Heartbeat], info: Info) -> model.HeartbeatState:
    return root.state_at(info.context.now())


@exposes(
    model.Heartbeat,
    description="Something that says “I am well” again and again, and an alert when it falls silent.",
)
class Heartbeat:
    """See domain.heartbeats.model.Heartbeat."""

    id: strawberry.ID = strawberry.field(description="The heartbeat's id.")
    name: str = strawberry.field(description="The name people read; unique within the team.")
    description: str = strawberry.field(description="What it is for, and what to do when it is missed; may be empty.")
    team = strawberry.field(
        resolver=_team,
        graphql_type=Team | None,
        description="The team it is of, whose alert it raises; null for none you may see.",
    )
    interval: timedelta = strawberry.field(description="How often a ping is expected.")
    grace: timedelta = strawberry.field(description="How much later it may come.")
    severity: Severity = strawberry.field(description="The severity of its alert.")
    service_name: str | None = strawberry.field(description="The service of its alert.")
    labels = strawberry.field(resolver=_labels, graphql_type=JSON, description="The labels of its alert.")
    watch: HeartbeatWatch | None = strawberry.field(description="Signals that count as pings; null for none.")
    key_prefix: str = strawberry.field(description="The beginning of its key, to tell keys apart.")
    state = strawberry.field(resolver=_state, graphql_type=model.HeartbeatState, description="How it is now.")
    last_ping_at: datetime | None = strawberry.field(description="When it was last heard of.")
    last_ping_from: str | None = strawberry.field(description="From which address, or by which integration.")
    ping_count: int = strawberry.field(description="How often it was heard of.")
    due_at: datetime | None = strawberry.field(description="When it is missed unless it is heard of before.")
    alert = strawberry.field(
        resolver=_alert,
        graphql_type=Annotated["Alert", strawberry.lazy("graphql_api.alerts.types")] | None,
        description="The alert it last raised; null for none you may see.",
    )
    created_at: datetime = strawberry.field(description="When it was made.")
    created_by = strawberry.field(resolver=_created_by, graphql_type=User | None, description="Who made it.")
    updated_at: datetime = strawberry.field(description="When it was last edited.")
    archived_at: datetime | None = strawberry.field(description="When it was ended; null while it counts.")
    version: int = strawberry.field(description="Grows with each edit; give it as `expectedVersion`.")
