"""Where do monitoring tools knock? The ingest routes, as a bare ASGI application beside Starlette.

    /webhooks/{source}   a tool's own webhook                             webhook.py
    /api/v2/…            Alertmanager's API, for Prometheus and amtool    alertmanager_v2.py
    /v2/enqueue          PagerDuty's Events API v2                        pagerduty_enqueue.py
    /heartbeats/{key}    pings of heartbeats                              ../heartbeats/door.py

Bare, because a router and request objects would cost more than parsing an alert does. Each post gets a receipt's id on
arrival; a failure nobody foresaw is logged with it and answered 500 with nothing but that id.
"""

import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import orjson
import structlog

from domain.ids import new_id
from graphql_api.heartbeats import door
from graphql_api.observability.metrics import Metrics
from graphql_api.web_errors import CLIENT_GONE
from graphql_api.webhooks.alertmanager_v2 import AlertmanagerApi
from graphql_api.webhooks.answers import refusal_answer
from graphql_api.webhooks.exchange import Exchange
from graphql_api.webhooks.intake import DoorState, Intake
from graphql_api.webhooks.pagerduty_enqueue import PagerDutyRoute
from graphql_api.webhooks.patience import Patience
from graphql_api.webhooks.receiving import BODY_SECONDS, ClientGone, Receive, Scope, Send
from graphql_api.webhooks.refusal import CODES, Refusal
from graphql_api.webhooks.refused_posts import RefusedPosts
from graphql_api.webhooks.sns import SnsGate
from graphql_api.webhooks.sns_client import HttpsSnsClient
from graphql_api.webhooks.webhook import WebhookRoute

log = structlog.get_logger(__name__)

IngestApp: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]
WEBHOOKS, ALERTMANAGER, PAGERDUTY = "/webhooks/", "/api/v2/", "/v2/enqueue"
FIRST_REFUSAL = 400


def is_ingest_path(path: str) -> bool:
    """Whether a request belongs here and not to Starlette."""
    return path.startswith((WEBHOOKS, ALERTMANAGER, door.PREFIX)) or path in (PAGERDUTY, door.PATH)


def ingest_app(state: DoorState, *, metrics: Metrics | None = None, sns: SnsGate | None = None) -> IngestApp:
    """The ASGI application of the ingest routes. `state` may still be opening: posts are answered 503 until it is."""
    intake = Intake(state)
    aws = HttpsSnsClient()
    webhook, pagerduty = WebhookRoute(intake, sns or SnsGate(aws, aws)), PagerDutyRoute(intake)
    alertmanager, heartbeats = AlertmanagerApi(state, intake), door.HeartbeatDoor(state)
    observer, patience, refused = _Observer(metrics), Patience(BODY_SECONDS), RefusedPosts()

    async def route(exchange: Exchange, path: str) -> None:
        if path.startswith(WEBHOOKS):
            await webhook.answer(exchange, path[len(WEBHOOKS) :])
        elif path.startswith(ALERTMANAGER):
            await alertmanager.answer(exchange, path[len(ALERTMANAGER) - 1 :])
        elif path == PAGERDUTY:
            await pagerduty.answer(exchange)
        elif path.startswith(door.PATH):
            await heartbeats.answer(exchange)
        else:
            refusal = Refusal(404, CODES[404], "there is nothing at this address")
            await exchange.reply(404, refusal_answer(refusal, exchange.receipt_id))

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        exchange = Exchange(scope, receive, send, receipt_id=new_id(), received_at=state.clock.now(), patience=patience)
        try:
            await route(exchange, scope["path"])
            if exchange.status >= FIRST_REFUSAL:
                refused.note(exchange)
        except ClientGone:
            exchange.status = CLIENT_GONE
        except Exception as error:  # noqa: BLE001 - the last resort
            await _fail(exchange, error)
        finally:
            observer.observe(exchange, time.perf_counter() - started)

    return app


async def _fail(exchange: Exchange, error: Exception) -> None:
    """Log everything, say nothing but the reference."""
    reference = str(exchange.receipt_id)
    log.error("a post failed", receipt_id=reference, source=exchange.source, exc_info=error)
    if exchange.status:  # the answer has begun: all that is left is to cut it off
        raise error
    told = {"code": "INTERNAL", "message": f"internal error; reference {reference}", "path": []}
    await exchange.reply(500, orjson.dumps({"error": told, "receiptId": reference}))


class _Observer:
    """The time of each post, by source and status. The metric's children are looked up once each."""

    def __init__(self, metrics: Metrics | None) -> None:
        self._metrics = metrics
        self._children: dict[tuple[str, int], Any] = {}

    def observe(self, exchange: Exchange, seconds: float) -> None:
        if self._metrics is None:
            return
        key = (exchange.source, exchange.status)
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = self._metrics.ingest_seconds.labels(exchange.source, str(exchange.status))
        child.observe(seconds)
