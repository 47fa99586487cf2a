"""How is the API put together? One ASGI application: ingest routes bare and first, all else through Starlette.

`create_app(settings)` opens nothing; the lifespan opens the pools, the ingest queue and the rest, and closes them in
reverse order.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from domain.ports import Clock, SystemClock
from graphql_api.account_pages.pages import AccountPages
from graphql_api.alerts import attachments_http
from graphql_api.channels import pagerduty_http
from graphql_api.contacts import slack_http, twilio_http
from graphql_api.context import Context
from graphql_api.escalations import answer_page
from graphql_api.graphiql import PREFIX, GraphiQL, wants_page
from graphql_api.http import Endpoint, cross_site, encoded, unavailable
from graphql_api.identity import federation_http, second_factor_page
from graphql_api.identity.authentication import authenticate_request
from graphql_api.identity.cookies import CrossSite
from graphql_api.live.erasures import Erasures
from graphql_api.live.following import Live
from graphql_api.live.hub import Hub
from graphql_api.live.on_call import OnCallFeed
from graphql_api.live.pace import Pace
from graphql_api.live.sessions import SessionWatch
from graphql_api.live.team_feed import rule_feed, team_feed
from graphql_api.mail_events import sendgrid_http
from graphql_api.mail_events.ses_http import SesEvents
from graphql_api.masking import is_outage
from graphql_api.middleware import OPERATION, Surroundings, request_id_of
from graphql_api.observability import health
from graphql_api.observability.metrics import Metrics
from graphql_api.privacy import exports_http
from graphql_api.schedules import calendar_http
from graphql_api.schema import build_schema
from graphql_api.state import AppState
from graphql_api.web_errors import HANDLERS
from graphql_api.webhooks.app import ingest_app, is_ingest_path
from graphql_api.websocket import SocketEndpoint
from persistence.engine import create_engine
from persistence.fold_policy import fold_policy
from persistence.ingest_queue import IngestQueue, QueueLimits, QueueObserver
from persistence.integration_directory import IntegrationDirectory
from persistence.integrations import HMAC_COLUMN
from persistence.tasks import end_tasks
from tocsin.settings import Settings

REDIS_SECONDS = 0.5
GRAPHQL = "/graphql"


class Application:
    """The whole API of one process. `state` is what it holds; open once the lifespan has begun."""

    def __init__(self, state: AppState) -> None:
        self.state = state
        is_https = state.settings.effective_public_url.startswith("https:")
        self._starlette = web_app(state)
        self._web = Surroundings(self._starlette, state.metrics, is_https=is_https)
        self._sockets = Surroundings(self._starlette.state.sockets, state.metrics)
        self._ingest = ingest_app(state, metrics=state.metrics)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection. Ingest first, and with nothing around it: it takes thousands of posts a second."""
        if scope["type"] == "http" and is_ingest_path(scope["path"]):
            await self._ingest(scope, receive, send)
        elif scope["type"] == "websocket" and scope["path"] == GRAPHQL:
            # Past Starlette, whose layers would be kept for as long as each of thousands of sockets lives.
            scope["app"] = self._starlette
            await self._sockets(scope, receive, send)
        else:
            await self._web(scope, receive, send)


def create_app(settings: Settings, *, clock: Clock | None = None) -> Application:
    """The application. Give a clock to move time in tests."""
    return Application(
        AppState(
            settings=settings,
            clock=clock or SystemClock(),
            engine=create_engine(settings),
            redis=open_redis(settings),
            metrics=Metrics(),
        )
    )


def web_app(state: AppState) -> Starlette:
    """All but the ingest routes."""
    documents, trusted = state.documents, state.trusted
    schema = build_schema(documents)
    live = Live(schema, documents, encoded, pace=Pace(lambda: (state.metrics.taken, state.writing_seconds())))
    endpoint = Endpoint(schema, documents, trusted, live)
    graphiql = GraphiQL()
    # A browser may open a socket from a page of ours: of the same host, or of the address people know us by.
    origins = [state.settings.public_url] if state.settings.public_url else []

    async def graphql(request: Request) -> Response:
        if state.settings.graphiql and wants_page(request):
            return graphiql.closed() if trusted.are_required_of(None) else graphiql.page(request)
        return await answer(request, endpoint)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with opened(state):
            yield
            await endpoint.close()

    web = Starlette(
        lifespan=lifespan,
        exception_handlers=HANDLERS,
        routes=[
            Route(GRAPHQL, graphql, methods=["GET", "POST"]),
            Route(PREFIX + "{name}", graphiql.file),
            *attachments_http.ROUTES,
            *exports_http.ROUTES,
            *federation_http.ROUTES,
            *second_factor_page.ROUTES,
            *AccountPages().routes,
            *answer_page.ROUTES,
            *calendar_http.ROUTES,
            *twilio_http.ROUTES,
            *slack_http.ROUTES,
            *pagerduty_http.ROUTES,
            *sendgrid_http.ROUTES,
            *SesEvents().routes,
            Route("/livez", health.livez),
            Route("/readyz", health.readyz),
            Route("/healthz", health.healthz),
            Route("/metrics", health.metrics),
        ],
    )
    web.state.tocsin, web.state.endpoint = state, endpoint
    web.state.sockets = SocketEndpoint(schema, documents, live, allowed_origins=origins)
    return web


@asynccontextmanager
async def opened(state: AppState) -> AsyncIterator[None]:
    """Open everything the process holds, in order; close it in reverse. A store that is down stops nothing."""
    settings, metrics = state.settings, state.metrics
    async with AsyncExitStack() as stack:
        stack.callback(state.hasher.close)
        stack.callback(state.judge.close)
        stack.push_async_callback(state.engine.dispose)
        stack.push_async_callback(state.searcher.close)
        if state.redis is not None:
            stack.push_async_callback(state.redis.aclose)
        queue = open_queue(state)
        await queue.start()
        stack.push_async_callback(queue.close)
        sealer = state.sealer
        directory = IntegrationDirectory(
            settings.database_dsn,
            clock=state.clock,
            unseal=lambda row, sealed: sealer.unseal(sealed, column=HMAC_COLUMN, row=row),
        )
        await directory.start()
        stack.push_async_callback(directory.close)
        state.ingest, state.directory = queue, directory
        state.writing_seconds = lambda: queue.writing_seconds
        hub, sessions = Hub(settings), SessionWatch(state.reads, state.clock)
        await hub.start()
        stack.push_async_callback(hub.close)
        await sessions.start()
        stack.push_async_callback(sessions.close)

        async def renew_viewers() -> None:
            await sessions.look()
            hub.tell_sight_changed()

        erasures = Erasures(settings.database_dsn, hub.tell_sight_changed)
        listening = asyncio.create_task(erasures.run(), name="erasures")
        stack.push_async_callback(end_tasks, [listening])
        teams, rules = team_feed(settings, renew_viewers), rule_feed(settings)
        for feed in (teams, rules):
            await feed.start()
            stack.push_async_callback(feed.close)
        state.hub, state.sessions, state.team_feed, state.rule_feed = hub, sessions, teams, rules
        state.on_call = OnCallFeed(state.reads, settings.database_dsn, state.clock)
        await state.on_call.start()
        stack.push_async_callback(state.on_call.close)
        using = asyncio.create_task(state.key_use.flush_for_ever(), name="last use of keys")
        stack.push_async_callback(state.key_use.flush)
        stack.push_async_callback(end_tasks, [using])
        metrics.watch("tocsin_live_followers", "Streams that follow the log.", lambda: hub.subscribers)
        metrics.watch(
            "tocsin_database_connections_in_use",
            "Connections of the pool that are checked out.",
            state.engine.pool.checkedout,  # type: ignore[attr-defined]  # of the pool it is
        )
        metrics.watch("tocsin_ingest_queue_signals", "Signals waiting for a transaction.", lambda: queue.depth)
        yield


def open_queue(state: AppState) -> IngestQueue:
    """The one way in for signals."""
    settings = state.settings
    return IngestQueue(
        settings.database_dsn,
        clock=state.clock,
        policy=fold_policy(settings),
        limits=QueueLimits(
            batch_signals=settings.ingest_batch_size,
            waiting=settings.ingest_queue_limit,
            writers=settings.ingest_writers,
            rejected_bytes=settings.rejected_max_bytes,
        ),
        observer=QueueObserver(on_batch=state.metrics.count_batch),
    )


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
    try:
        caller = await authenticate_request(state, request)
    except CrossSite:
        return cross_site(request)
    except Exception as error:
        if is_outage(error):
            return unavailable(request)
        raise
    context = Context(
        state=state,
        viewer=caller.viewer,
        credential_problem=caller.problem,
        request_id=request_id_of(request.scope),
        ip=request.client.host if request.client else None,
        user_agent=request.headers.get("user-agent"),
        wants_cost=request.headers.get("x-tocsin-cost") == "1",
        cookies=caller.cookies,
    )
    response = await endpoint.answer(request, context)
    if caller.cookies is not None:
        caller.cookies.apply(response)
    request.scope[OPERATION] = context.operation
    return response
