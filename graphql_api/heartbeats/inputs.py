"""How does a client say which signal counts as a ping?"""

import strawberry
from strawberry.scalars import JSON

from domain.errors import InvalidInput
from domain.heartbeats.actions import HeartbeatDesk
from domain.heartbeats.model import Watch
from graphql_api.audit_writer import desk_of
from graphql_api.context import Context
from graphql_api.scalars import uuid_or_none
from graphql_api.thresholds.inputs import object_of
from persistence.heartbeats import HeartbeatRepository
from persistence.unit_of_work import UnitOfWork


@strawberry.input(
    description="Signals of an integration that count as pings, such as Prometheus' Watchdog alert, which always fires."
)
class HeartbeatWatchInput:
    """See domain.heartbeats.model.Watch."""

    integration_id: strawberry.ID = strawberry.field(description="The integration they come by.")
    labels: JSON = strawberry.field(
        description='The labels they have, at least one; an object of texts: `{"alertname": "Watchdog"}`.'
    )


def watch_of(given: HeartbeatWatchInput | None) -> Watch | None:
    """The domain's watch; InvalidInput for an id that is none."""
    if given is None:
        return None
    found = uuid_or_none(given.integration_id)
    if found is None:
        raise InvalidInput("no such integration", ("watch", "integrationId"))
    return Watch(integration_id=found, labels=object_of(given.labels, "watch", "labels"))


def desk(context: Context, uow: UnitOfWork, action: str) -> HeartbeatDesk:
    """What an action on heartbeats needs of this request."""
    return desk_of(context, uow, HeartbeatRepository(uow.connection), action=action, target_kind="heartbeat")
