"""How is PagerDuty's Events API v2 (`POST /v2/enqueue`) served? As its official client expects: its shapes, its words.

The routing key is in the body (the client puts it there) or in `X-Routing-Key`; it is the integration's key. PagerDuty
answers 400 to a key it does not know, and so does this route; an answer of 5xx makes the client try again.
"""

import orjson

from domain.alerts.signal import Outcome, Signal
from domain.integrations.model import IntegrationSource
from graphql_api.webhooks import pagerduty_events
from graphql_api.webhooks.answers import printable
from graphql_api.webhooks.auth import require_source, take_key
from graphql_api.webhooks.contract import PayloadError, Post
from graphql_api.webhooks.exchange import Exchange
from graphql_api.webhooks.intake import Intake
from graphql_api.webhooks.receiving import check_content_type
from graphql_api.webhooks.refusal import CODES, Refusal, method_not_allowed, refusal_of

# PagerDuty's own limit of an event.
MAX_BYTES = 512 * 1024


class PagerDutyRoute:
    """The one address of the Events API v2."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    async def answer(self, exchange: Exchange) -> None:
        """Serve one event."""
        exchange.source = IntegrationSource.PAGERDUTY.value
        try:
            dedup_key = await self._take(exchange)
        except Refusal as refusal:
            exchange.refusal = (refusal.code, refusal.message)
            await exchange.reply(refusal.status, _refused(refusal), headers=refusal.headers)
        except pagerduty_events.EventError as error:
            await exchange.reply(error.status, _event_refused(list(error.errors)))
        else:
            body = {"status": "success", "message": "Event processed", "dedup_key": dedup_key}
            await exchange.reply(202, orjson.dumps(body))

    async def _take(self, exchange: Exchange) -> str:
        if exchange.method != "POST":
            raise method_not_allowed(exchange.method, "POST")
        check_content_type(exchange.headers)
        # The key is in the body, so the body is read before it is known who asks.
        body = await exchange.body(limit=MAX_BYTES)
        key = pagerduty_events.routing_key(body, exchange.headers) or take_key(exchange.scope, exchange.headers)
        if key is None:
            message = "'routing_key' is missing or blank, or not a string: it is the integration's key"
            raise Refusal(400, CODES[401], message, ("routing_key",))
        try:
            integration = exchange.integration = await self._intake.authenticate(key)
            require_source(integration, IntegrationSource.PAGERDUTY)
        except Refusal as refusal:
            if refusal.status in (401, 403):
                raise Refusal(
                    400, refusal.code, f"'routing_key' is invalid: {refusal.message}", ("routing_key",)
                ) from None
            raise
        post = Post(body=body, headers=exchange.headers, integration=integration, received_at=exchange.received_at)
        try:
            receipt, items = await self._intake.take(pagerduty_events.parse, post, receipt_id=exchange.receipt_id)
        except pagerduty_events.EventError:
            raise
        except PayloadError as error:
            raise refusal_of(error) from None
        (item,), (result,) = items, receipt.results
        if not isinstance(item, Signal) or result.outcome is Outcome.REJECTED:
            raise Refusal(400, "INVALID_PAYLOAD", result.reason, result.path)
        return pagerduty_events.client_key(item)


def _refused(refusal: Refusal) -> bytes:
    if refusal.status == 400:  # noqa: PLR2004 - the status PagerDuty gives an event it cannot use
        return _event_refused([refusal.message])
    body = {"status": "error", "message": printable(refusal.message), "errors": [printable(refusal.message)]}
    return orjson.dumps(body)


def _event_refused(errors: list[str]) -> bytes:
    sentences = [printable(error) for error in errors]
    return orjson.dumps({"status": "invalid event", "message": "Event object is invalid", "errors": sentences})
