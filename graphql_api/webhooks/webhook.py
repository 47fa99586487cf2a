"""How is `POST /webhooks/{source}` served? Key, type, body, parser, queue, receipt; the first that refuses answers."""

from domain.integrations.model import IntegrationSource
from graphql_api.webhooks.answers import receipt_answer, refusal_answer
from graphql_api.webhooks.auth import require_source, take_key
from graphql_api.webhooks.contract import PayloadError
from graphql_api.webhooks.exchange import Exchange
from graphql_api.webhooks.intake import Admit, Intake
from graphql_api.webhooks.receiving import check_content_type
from graphql_api.webhooks.refusal import CODES, Refusal, method_not_allowed, refusal_of
from graphql_api.webhooks.sns import SnsGate
from graphql_api.webhooks.sources import SOURCES, Source


class WebhookRoute:
    """All sources' webhooks."""

    def __init__(self, intake: Intake, sns: SnsGate) -> None:
        self._intake = intake
        # Whose posts must prove first that they are genuine.
        self._gates: dict[IntegrationSource, Admit] = {IntegrationSource.CLOUDWATCH: sns.admit}

    async def answer(self, exchange: Exchange, name: str) -> None:
        """Serve one post."""
        try:
            status, body = await self._take(exchange, name)
        except Refusal as refusal:
            exchange.refusal = (refusal.code, refusal.message)
            await exchange.reply(refusal.status, refusal_answer(refusal, exchange.receipt_id), headers=refusal.headers)
        else:
            await exchange.reply(status, body)

    async def _take(self, exchange: Exchange, name: str) -> tuple[int, bytes]:
        # Before anything can be logged: the address may hold the key.
        key = take_key(exchange.scope, exchange.headers)
        source = _source(name)
        exchange.source = source.source.value
        if exchange.method != "POST":
            raise method_not_allowed(exchange.method, "POST")
        integration = exchange.integration = await self._intake.authenticate(key)
        require_source(integration, source.source)
        check_content_type(exchange.headers, also=source.content_types)
        post = await self._intake.read(exchange, integration)
        try:
            receipt, _ = await self._intake.take(
                source.parse, post, receipt_id=exchange.receipt_id, admit=self._gates.get(source.source)
            )
        except PayloadError as error:
            raise refusal_of(error) from None
        return receipt_answer(receipt)


def _source(name: str) -> Source:
    found = SOURCES.get(name) or SOURCES.get(name.rstrip("/"))
    if found is None:
        known = ", ".join(sorted(SOURCES))
        hint = "; PagerDuty events go to /v2/enqueue" if name == IntegrationSource.PAGERDUTY.value else ""
        raise Refusal(404, CODES[404], f"no such source; there are {known}{hint}", ("source",))
    return found
