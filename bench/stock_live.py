"""How fast is a stock Strawberry server? One async generator a subscriber, one execution each, as its manual shows.

The types have the same eight fields; `POST /broadcast` puts its body, an event as JSON, into every subscriber's queue.
No database, no filter, no permissions. The bench starts it with `uvicorn bench.stock_live:app`.
"""

import asyncio
import datetime as dt
import enum
from collections.abc import AsyncGenerator
from typing import Annotated, Any, Union

import msgspec
import strawberry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from strawberry.asgi import GraphQL
from strawberry.schema.config import StrawberryConfig

queues: set["asyncio.Queue[dict[str, Any]]"] = set()


@strawberry.enum
class Severity(enum.Enum):
    """How bad."""

    CRITICAL = "CRITICAL"
    HIGH = "HIGH"


@strawberry.enum
class AlertStatus(enum.Enum):
    """Where it stands."""

    ACTIVE = "ACTIVE"
    RESOLVED = "RESOLVED"


@strawberry.enum
class AlertEventKind(enum.Enum):
    """What happened."""

    OPENED = "OPENED"
    RESOLVED = "RESOLVED"


@strawberry.type
class Alert:
    """An alert."""

    id: strawberry.ID
    title: str
    severity: Severity
    status: AlertStatus


@strawberry.type
class AlertEvent:
    """An event."""

    id: strawberry.ID
    cursor: str
    kind: AlertEventKind
    occurred_at: dt.datetime
    alert: Alert


@strawberry.type
class StreamReset:
    """The end of a stream."""

    resume_after: str


@strawberry.input
class AlertFilter:
    """Which alerts."""

    severity: list[Severity] | None = None


AlertStreamMessage = Annotated[Union[AlertEvent, StreamReset], strawberry.union("AlertStreamMessage")]  # noqa: UP007


@strawberry.type
class Query:
    """A schema must have one."""

    hello: str = "world"


@strawberry.type
class Subscription:
    """What can be followed."""

    @strawberry.subscription
    async def alert_events(
        self,
        wanted: Annotated[AlertFilter | None, strawberry.argument(name="filter")] = None,
    ) -> AsyncGenerator[AlertStreamMessage, None]:
        """Every event, from a queue of one's own."""
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        queues.add(queue)
        try:
            while True:
                event = _event(await queue.get())
                if wanted is None or not wanted.severity or event.alert.severity in wanted.severity:
                    yield event
        finally:
            queues.discard(queue)


def _event(raw: dict[str, Any]) -> AlertEvent:
    alert = raw["alert"]
    return AlertEvent(
        id=raw["id"],
        cursor=raw["cursor"],
        kind=AlertEventKind(raw["kind"]),
        occurred_at=dt.datetime.fromisoformat(raw["occurredAt"]),
        alert=Alert(
            id=alert["id"],
            title=alert["title"],
            severity=Severity(alert["severity"]),
            status=AlertStatus(alert["status"]),
        ),
    )


async def broadcast(request: Request) -> Response:
    """Take one event."""
    event = msgspec.json.decode(await request.body())
    for queue in queues:
        queue.put_nowait(event)
    return Response(status_code=202)


async def health(_request: Request) -> Response:
    """Whether it is up."""
    return Response()


schema = strawberry.Schema(query=Query, subscription=Subscription, config=StrawberryConfig())
app = Starlette(
    routes=[
        Route("/broadcast", broadcast, methods=["POST"]),
        Route("/health", health),
        Mount("/", GraphQL(schema)),
    ]
)
