"""How is the API put together? One ASGI application: ingest routes bare and first, all else through Starlette.

`create_app(settings)` opens nothing; the lifespan opens the pools, the ingest queue and the rest, and closes them in
reverse order.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp

from domain.alerts.fold import FoldPolicy
from domain.ports import Clock, SystemClock
from graphql_api.context import Context
from graphql_api.http import Endpoint
from graphql_api.identity.authentication import authenticate
from graphql_api.limits import Documents, Limits
from graphql_api.middleware import Surroundings, request_id_of
from graphql_api.observability import health
from graphql_api.observability.metrics import Metrics
from graphql_api.schema import build_schema
from graphql_api.state import AppState
from graphql_api.websocket import SocketEndpoint
from persistence.engine import create_engine
from persistence.ingest_queue import IngestQueue, QueueLimits, QueueObserver
from tocsin.settings import Settings

REDIS_SECONDS = 0.5


def create_app(settings: Settings, *, clock: Clock | None = None) -> ASGIApp:
    """The application. Give a clock to move time in tests."""
    clock = clock or SystemClock()
    metrics = Metrics()
    documents = Documents(Limits.of(settings))
    schema = build_schema(documents)
    endpoint = Endpoint(schema, documents)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with opened(settings, clock, metrics) as state:
            app.state.tocsin = state
            yield

    async def graphql(request: Request) -> Response:
        return await answer(request, endpoint)

    web = Starlette(
        lifespan=lifespan,
        routes=[
            Route("/graphql", graphql, methods=["GET", "POST"]),
            WebSocketRoute("/graphql", SocketEndpoint(schema, documents, allowed_origins=[])),
            Route("/livez", health.livez),
            Route("/readyz", health.readyz),
            Route("/healthz", health.healthz),
            Route("/metrics", health.metrics),
        ],
    )
    return Surroundings(web, metrics)


@asynccontextmanager
async def opened(settings: Settings, clock: Clock, metrics: Metrics) -> AsyncIterator[AppState]:
    """Everything the process holds, opened in order and closed in reverse."""
    async with AsyncExitStack() as stack:
        engine = create_engine(settings)
        stack.push_async_callback(engine.dispose)
        redis = open_redis(settings)
        if redis is not None:
            stack.push_async_callback(redis.aclose)
        state = AppState(settings=settings, clock=clock, engine=engine, redis=redis, metrics=metrics)
        stack.callback(state.hasher.close)
        queue = IngestQueue(
            settings.database_dsn,
            clock=clock,
            policy=FoldPolicy(reopen_window=settings.reopen_window, manual_resolve_hold=settings.manual_resolve_hold),
            limits=QueueLimits(
                batch_signals=settings.ingest_batch_size,
                waiting=settings.ingest_queue_limit,
                writers=settings.ingest_writers,
            ),
            observer=QueueObserver(on_batch=metrics.count_batch),
        )
        await queue.start()
        stack.push_async_callback(queue.close)
        state.ingest = queue
        metrics.watch("tocsin_ingest_queue_signals", "Signals waiting for a transaction.", lambda: queue.depth)
        yield state


def open_redis(settings: Settings) -> Redis | None:
    """A client that gives up quickly: Redis is never worth waiting for."""
    if settings.redis_url is None:
        return None
    client: Redis = Redis.from_url(
        settings.redis_url, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS
    )
    return client


async def answer(request: Request, endpoint: Endpoint) -> Response:
    """One GraphQL request over HTTP."""
    state: AppState = request.app.state.tocsin
    caller = await authenticate(state, request.headers.get("authorization"))
    context = Context(
        state=state,
        viewer=caller.viewer,
        credential_problem=caller.problem,
        request_id=request_id_of(request.scope),
        ip=request.client.host if request.client else None,
        user_agent=request.headers.get("user-agent"),
    )
    return await endpoint.answer(request, context)
