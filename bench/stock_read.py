"""How fast is a stock Strawberry resolver over asyncpg? Types, a resolver and the ASGI view as its manual shows.

The same rows and fields as Tocsin's page; nobody signs in, nothing is limited. The bench starts it with
`uvicorn bench.stock_read:app`; `READ_DSN` comes from the environment.
"""

import datetime as dt
import enum
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import orjson
import strawberry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from strawberry.asgi import GraphQL
from strawberry.scalars import JSON
from strawberry.schema.config import StrawberryConfig

SQL = """
SELECT id, title, description, severity, status, source, service_name, labels, occurrences, created_at, updated_at,
       last_seen_at FROM alerts ORDER BY created_at DESC, id DESC LIMIT $1
"""
pools: list[asyncpg.Pool] = []


async def _prepare(connection: asyncpg.Connection) -> None:
    await connection.set_type_codec("jsonb", encoder=orjson.dumps, decoder=orjson.loads, schema="pg_catalog")


@asynccontextmanager
async def lifespan(_app: Starlette) -> AsyncIterator[None]:
    """Open the pool; it has as many connections as Tocsin's."""
    async with asyncpg.create_pool(os.environ["READ_DSN"], min_size=10, max_size=10, init=_prepare) as pool:
        pools.append(pool)
        yield


async def rows(limit: int) -> list[asyncpg.Record]:
    """The newest alerts."""
    found: list[asyncpg.Record] = await pools[0].fetch(SQL, limit)
    return found


async def health(_request: Request) -> Response:
    """Whether it is up."""
    return Response()


@strawberry.enum
class Severity(enum.Enum):
    """How bad."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@strawberry.enum
class AlertStatus(enum.Enum):
    """Where it stands."""

    ACTIVE = "active"
    ACKNOWLEDGED = "acknowledged"
    INVESTIGATING = "investigating"
    RESOLVED = "resolved"


@strawberry.type
class Alert:
    """An alert."""

    id: strawberry.ID
    title: str
    description: str | None
    severity: Severity
    status: AlertStatus
    source: str
    service_name: str | None
    labels: JSON
    occurrences: int
    created_at: dt.datetime
    updated_at: dt.datetime
    last_seen_at: dt.datetime


def _alert(row: asyncpg.Record) -> Alert:
    values: dict[str, Any] = dict(row)
    values["id"] = str(values["id"])
    values["severity"], values["status"] = Severity(values["severity"]), AlertStatus(values["status"])
    return Alert(**values)


@strawberry.type
class AlertConnection:
    """A page."""

    nodes: list[Alert]


@strawberry.type
class Query:
    """What can be read."""

    @strawberry.field
    async def alerts(self, first: int) -> AlertConnection:
        """The newest."""
        return AlertConnection(nodes=[_alert(row) for row in await rows(first)])


schema = strawberry.Schema(query=Query, config=StrawberryConfig())
app = Starlette(routes=[Route("/health", health), Mount("/", GraphQL(schema))], lifespan=lifespan)
