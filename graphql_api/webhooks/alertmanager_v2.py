"""How do Prometheus and amtool find an Alertmanager here? Its API v2, within the alerts of one integration.

    GET       /api/v2/status, /receivers        POST, GET  /api/v2/alerts      GET  /api/v2/alerts/groups
    POST, GET /api/v2/silences                  GET, DELETE /api/v2/silence/{id}

The key is that of a prometheus integration (Bearer, or as the basic password). Answers have Alertmanager's shapes, its
errors too: `{"code", "message"}` where its framework refuses, a bare string where it does itself. Unlike it, there is
no 500 for a silence that is not known (404), and a key is needed (401).
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeAlias
from urllib.parse import parse_qs

import asyncpg
import orjson
import sqlalchemy.exc
import structlog

from domain.integrations.model import Integration, IntegrationSource
from domain.silences.matcher_syntax import parse_matchers
from domain.silences.matchers import InvalidMatcher, LabelMatcher, MatchOperator
from graphql_api.version import VERSION
from graphql_api.webhooks import alertmanager_v2_alerts
from graphql_api.webhooks.alertmanager_v2_shapes import RECEIVER, gettable_alert, time_text
from graphql_api.webhooks.alertmanager_v2_silences import Silences
from graphql_api.webhooks.answers import printable, rejected_messages
from graphql_api.webhooks.auth import OUTAGE_RETRY_AFTER_SECONDS, require_source, take_key
from graphql_api.webhooks.contract import PayloadError
from graphql_api.webhooks.exchange import Exchange
from graphql_api.webhooks.intake import DoorState, Intake
from graphql_api.webhooks.receiving import check_content_type
from graphql_api.webhooks.refusal import Refusal, unavailable
from persistence.reads.integration_alerts import IntegrationAlert, open_alerts

log = structlog.get_logger(__name__)

Handler: TypeAlias = Callable[[Exchange, Integration, str], Awaitable[None]]
# What the imitated Alertmanager calls itself: clients choose their dialect by it.
COMPATIBLE_VERSION = "0.27.0"
CONFIGURATION = f"route:\n  receiver: {RECEIVER}\nreceivers:\n- name: {RECEIVER}\n"
MAX_QUERY = 16_384
_TRUE = frozenset({"true", "1", "yes", "ok", "y", "on", "selected", "checked", "t", "enabled"})
_FALSE = frozenset({"false", "0", "no", "n", "off", "f", "unchecked", "disabled"})
_DATABASE_DOWN = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.CannotConnectNowError,
    sqlalchemy.exc.TimeoutError,
    sqlalchemy.exc.InterfaceError,
    sqlalchemy.exc.OperationalError,
)


class AlertmanagerApi:
    """All of `/api/v2`."""

    def __init__(self, state: DoorState, intake: Intake) -> None:
        self._state = state
        self._intake = intake
        self._silences = Silences(state)
        self._started_at = state.clock.now()
        self._routes: dict[str, dict[str, Handler]] = {
            "/status": {"GET": self._status},
            "/receivers": {"GET": self._receivers},
            "/alerts": {"GET": self._get_alerts, "POST": self._post_alerts},
            "/alerts/groups": {"GET": self._get_groups},
            "/silences": {"GET": self._get_silences, "POST": self._post_silence},
            "/silence/": {"GET": self._get_silence, "DELETE": self._delete_silence},
        }

    async def answer(self, exchange: Exchange, path: str) -> None:
        """Serve one request; `path` begins after `/api/v2`."""
        key = take_key(exchange.scope, exchange.headers)
        exchange.source = "alertmanager_v2"
        try:
            handler, argument = self._route(exchange, path)
            integration = exchange.integration = await self._intake.authenticate(key)
            require_source(integration, IntegrationSource.PROMETHEUS)
            await handler(exchange, integration, argument)
        except Refusal as refusal:
            exchange.refusal = (refusal.code, refusal.message)
            await exchange.reply(refusal.status, _refused(refusal), headers=refusal.headers)
        except _DATABASE_DOWN as error:
            if exchange.status:
                raise
            log.warning("the Alertmanager API cannot reach the database", error=repr(error))
            down = unavailable("the store cannot be reached", retry_after_seconds=OUTAGE_RETRY_AFTER_SECONDS)
            await exchange.reply(down.status, _refused(down), headers=down.headers)

    def _route(self, exchange: Exchange, path: str) -> tuple[Handler, str]:
        argument = ""
        if path.startswith("/silence/"):
            path, argument = "/silence/", path[len("/silence/") :]
        methods = self._routes.get(path)
        if methods is None or "/" in argument:
            raise Refusal(404, "404", f"path /api/v2{path}{argument} was not found")
        handler = methods.get(exchange.method)
        if handler is None:
            allowed = ",".join(methods)
            message = f"method {exchange.method} is not allowed, but [{allowed}] are"
            raise Refusal(405, "405", message, headers={"allow": allowed})
        return handler, argument

    # -- status ----------------------------------------------------------------------------------------------------

    async def _status(self, exchange: Exchange, _integration: Integration, _argument: str) -> None:
        body = {
            "cluster": {"peers": [], "status": "disabled"},
            "config": {"original": CONFIGURATION},
            "uptime": time_text(self._started_at),
            "versionInfo": {
                "branch": "tocsin",
                "buildDate": "",
                "buildUser": "tocsin",
                "goVersion": "",
                "revision": VERSION,
                "version": COMPATIBLE_VERSION,
            },
        }
        await exchange.reply(200, orjson.dumps(body))

    async def _receivers(self, exchange: Exchange, _integration: Integration, _argument: str) -> None:
        await exchange.reply(200, orjson.dumps([{"name": RECEIVER}]))

    # -- alerts ----------------------------------------------------------------------------------------------------

    async def _post_alerts(self, exchange: Exchange, integration: Integration, _argument: str) -> None:
        check_content_type(exchange.headers)
        post = await self._intake.read(exchange, integration)
        try:
            receipt, _ = await self._intake.take(alertmanager_v2_alerts.parse, post, receipt_id=exchange.receipt_id)
        except PayloadError as error:
            message = f'parsing alerts body from "" failed, because {error.message}'
            raise Refusal(error.status, str(error.status), message, error.path) from None
        errors = rejected_messages(receipt.results)
        if errors:  # as Alertmanager: the good ones are taken, the answer tells of the others
            await exchange.reply(400, orjson.dumps("; ".join(errors)))
        else:
            await exchange.reply(200, content_type=None)

    async def _get_alerts(self, exchange: Exchange, integration: Integration, _argument: str) -> None:
        await self._send_alerts(exchange, integration, before=b"[", after=b"]")

    async def _get_groups(self, exchange: Exchange, integration: Integration, _argument: str) -> None:
        """One group: the configuration that is shown groups by nothing."""
        group = {"labels": {}, "receiver": {"name": RECEIVER}}
        before = b"[" + orjson.dumps(group)[:-1] + b',"alerts":['
        await self._send_alerts(exchange, integration, before=before, after=b"]}]", empty=b"[]")

    async def _send_alerts(
        self, exchange: Exchange, integration: Integration, *, before: bytes, after: bytes, empty: bytes | None = None
    ) -> None:
        """Send the alerts asked for, a page at a time: an integration may have a hundred thousand open."""
        query = _Query(exchange)
        pages = self._pages(integration, query)
        has_sent = False
        async for page in pages:
            if not page:
                continue
            chunk = b",".join(orjson.dumps(gettable_alert(alert)) for alert in page)
            if not has_sent:
                await exchange.begin(200)
            await exchange.write((b"," if has_sent else before) + chunk, more=True)
            has_sent = True
        if has_sent:
            await exchange.write(after, more=False)
        else:
            await exchange.reply(200, before + after if empty is None else empty)

    async def _pages(self, integration: Integration, query: "_Query") -> AsyncIterator[list[IntegrationAlert]]:
        if not query.is_of_receiver:
            return
        async for page in open_alerts(self._state.engine, integration.id, matchers=query.matchers):
            yield [alert for alert in page if query.shows(alert)]

    # -- silences --------------------------------------------------------------------------------------------------

    async def _get_silences(self, exchange: Exchange, integration: Integration, _argument: str) -> None:
        found = await self._silences.list_all(integration, _Query(exchange).matchers)
        await exchange.reply(200, orjson.dumps(found))

    async def _post_silence(self, exchange: Exchange, integration: Integration, _argument: str) -> None:
        check_content_type(exchange.headers)
        await exchange.reply(200, orjson.dumps(await self._silences.post(exchange, integration)))

    async def _get_silence(self, exchange: Exchange, integration: Integration, argument: str) -> None:
        await exchange.reply(200, orjson.dumps(await self._silences.get(integration, argument)))

    async def _delete_silence(self, exchange: Exchange, integration: Integration, argument: str) -> None:
        await self._silences.expire(exchange, integration, argument)
        await exchange.reply(200, content_type=None)


class _Query:
    """The query's parameters, as Alertmanager reads them: a flag left out or empty is true.

    Unlike it, a flag that is neither true nor false is refused: it takes that for false, and answers with nothing.
    """

    def __init__(self, exchange: Exchange) -> None:
        raw: bytes = exchange.scope["query_string"]
        if len(raw) > MAX_QUERY:
            raise Refusal(400, "BAD_REQUEST", f"the query may have {MAX_QUERY} bytes")
        try:
            values = parse_qs(raw.decode("latin-1"), keep_blank_values=True, max_num_fields=200)
        except ValueError as error:
            raise Refusal(400, "BAD_REQUEST", str(error)) from None
        # `unprocessed` is a state no alert here is ever in.
        self.active, self.silenced, self.inhibited, _ = (
            _flag(name, values.get(name, [""])[-1]) for name in ("active", "silenced", "inhibited", "unprocessed")
        )
        self.matchers = _filters(values.get("filter", []))
        self.is_of_receiver = _names_receiver(values.get("receiver", [""])[-1])

    def shows(self, alert: IntegrationAlert) -> bool:
        """As Alertmanager chooses. What an alert rule of ours suppresses has no name there: it is like a silence."""
        if not alert.suppressed_by:
            return self.active
        is_inhibited = bool(alert.parents)
        is_silenced = len(alert.parents) < len(alert.suppressed_by)
        return (self.silenced or not is_silenced) and (self.inhibited or not is_inhibited)


def _flag(name: str, value: str) -> bool:
    word = value.lower()
    if word and word not in _TRUE and word not in _FALSE:
        raise Refusal(400, "BAD_REQUEST", f"{name} in query must be true or false, not {value[:100]!r}")
    return word not in _FALSE


def _filters(texts: list[str]) -> tuple[LabelMatcher, ...]:
    try:
        return tuple(matcher for text in texts for matcher in parse_matchers(text))
    except InvalidMatcher as error:
        raise Refusal(400, "BAD_REQUEST", error.message) from None


def _names_receiver(pattern: str) -> bool:
    """Whether the regular expression of a receiver fits the one there is."""
    if not pattern:
        return True
    try:
        return LabelMatcher("receiver", MatchOperator.REGEX, pattern).matches({"receiver": RECEIVER})
    except InvalidMatcher as error:
        raise Refusal(400, "BAD_REQUEST", f"failed to parse receiver param: {error.message}") from None


def _refused(refusal: Refusal) -> bytes:
    """Alertmanager's own refusals are bare strings, those of its framework objects with a number."""
    message = printable(refusal.message)
    if refusal.code.isdecimal():
        return orjson.dumps({"code": int(refusal.code), "message": message})
    if refusal.status in (400, 404):
        return orjson.dumps(message)
    return orjson.dumps({"code": refusal.status, "message": message})
