"""Where do jobs ping? `POST`, `GET` or `HEAD /heartbeats/{key}`, or `/heartbeats` with the key as any tool gives one.

A 2xx means that the ping is on disk. The key is taken out of the request's address before anything can be logged. A
body is not read: cron and curl may send what they like.
"""

from uuid import UUID

import orjson

from domain.heartbeats.model import is_key, key_digest
from graphql_api.masking import is_outage
from graphql_api.webhooks.answers import refusal_answer
from graphql_api.webhooks.auth import OUTAGE_RETRY_AFTER_SECONDS, REDACTED, take_key
from graphql_api.webhooks.exchange import Exchange
from graphql_api.webhooks.intake import DoorState
from graphql_api.webhooks.pace import pace_of
from graphql_api.webhooks.refusal import CODES, Refusal, method_not_allowed, unavailable
from persistence.ping_queue import PingQueue, PingsFull

PATH = "/heartbeats"
PREFIX = PATH + "/"
METHODS = ("POST", "GET", "HEAD")
ANSWER = orjson.dumps({"ok": True})
_UUID_BYTES = 16


class HeartbeatDoor:
    """The door of one process."""

    def __init__(self, state: DoorState) -> None:
        self._state = state
        self._pings = PingQueue(state.engine)
        self._pace = pace_of(state.settings.ingest_rate_limit)
        # Of what exists alone: made-up keys must not fill the memory.
        self._known: set[bytes] = set()

    async def answer(self, exchange: Exchange) -> None:
        """Serve one ping."""
        exchange.source = "heartbeat"
        is_head = exchange.method == "HEAD"
        try:
            await self._take(exchange)
        except Refusal as refusal:
            exchange.refusal = (refusal.code, refusal.message)
            body = b"" if is_head else refusal_answer(refusal, exchange.receipt_id)
            await exchange.reply(refusal.status, body, headers=refusal.headers)
        else:
            await exchange.reply(200, b"" if is_head else ANSWER)

    async def _take(self, exchange: Exchange) -> None:
        # Both are taken out of the address, whichever counts.
        in_path, elsewhere = _path_key(exchange), take_key(exchange.scope, exchange.headers)
        key = in_path or elsewhere
        if exchange.method not in METHODS:
            raise method_not_allowed(exchange.method, *METHODS)
        if key is None or not is_key(key):
            raise _unknown()
        digest = key_digest(key)
        if self._pace is not None and digest in self._known:
            self._pace.check(UUID(bytes=digest[:_UUID_BYTES]))
        if not await self._ping(exchange, digest):
            self._known.discard(digest)
            raise _unknown()
        self._known.add(digest)

    async def _ping(self, exchange: Exchange, digest: bytes) -> bool:
        try:
            return await self._pings.ping(
                digest,
                source=exchange.ip_address,
                now=exchange.received_at,
                is_known=digest in self._known,
            )
        except PingsFull:
            message = "more pings are waiting than can be written; ping again"
            raise unavailable(message, code="QUEUE_FULL", retry_after_seconds=1) from None
        except Exception as error:
            if not is_outage(error):
                raise
            message = "the store cannot be reached; ping again"
            raise unavailable(message, retry_after_seconds=OUTAGE_RETRY_AFTER_SECONDS) from None


def _unknown() -> Refusal:
    return Refusal(404, CODES[404], "no heartbeat has this key")


def _path_key(exchange: Exchange) -> str | None:
    """The key in the address, which is redacted there: the server writes its access log from this very mapping."""
    path: str = exchange.scope["path"]
    key = path[len(PREFIX) :].strip("/")
    if not key:
        return None
    exchange.scope["path"] = PREFIX + REDACTED.decode()
    exchange.scope["raw_path"] = exchange.scope["path"].encode()
    return key
