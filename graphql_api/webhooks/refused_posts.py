"""How does whoever runs Tocsin see that a tool's posts are refused? By a log line: one a reason and sender, a minute.

The sender is the integration; of a post without a live key it is the address. What is left out is counted, and told
when the minute is over and anything else is refused. Neither the key nor a piece of the payload is ever in a line: of
what is wrong with a payload only the code is told, and its receipt says the rest.
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from graphql_api.webhooks.exchange import Exchange
from graphql_api.webhooks.refusal import CODES

log = structlog.get_logger(__name__)

EVERY = timedelta(minutes=1)
# Senders and reasons told apart within a minute; those beyond share one line. So neither memory nor the log can be
# filled from outside, and a flood from many addresses hides no integration.
MOST_ADDRESSES, MOST_INTEGRATIONS = 256, 1024
MAX_MESSAGE = 200
# A bug of ours has its own line, with its traceback.
INTERNAL = 500
# Their messages may quote the payload, or an address in it.
_MAY_QUOTE = frozenset({CODES[400], CODES[422], CODES[503]})
_Key = tuple[str, str, str]


@dataclass
class _Told:
    """One line that was written, and how many like it were not."""

    at: datetime
    line: dict[str, object]
    left_out: int = 0


class RefusedPosts:
    """Writes the lines of one process."""

    def __init__(self) -> None:
        self._by_integration: OrderedDict[_Key, _Told] = OrderedDict()
        self._by_address: OrderedDict[_Key, _Told] = OrderedDict()

    def note(self, exchange: Exchange) -> None:
        """Tell of a post that was answered 4xx or 503, or count it."""
        if exchange.status == INTERNAL:
            return
        now = exchange.received_at
        for told in (self._by_integration, self._by_address):
            _close(told, now)
        code, message = exchange.refusal or (CODES.get(exchange.status, ""), "")
        if code.isdecimal():  # Alertmanager's own codes
            code = CODES.get(int(code), code)
        integration = exchange.integration
        if integration is not None:
            told, most, sender = self._by_integration, MOST_INTEGRATIONS, str(integration.id)
            who: dict[str, object] = {"integration": integration.name, "integration_id": sender}
        else:
            told, most, sender = self._by_address, MOST_ADDRESSES, exchange.ip_address or "unknown"
            who = {"client": sender}
        key = (sender, exchange.source, code)
        if key not in told and len(told) >= most:
            key, who = ("others", "", ""), {"client": "others"}
        known = told.get(key)
        if known is not None:
            known.left_out += 1
            return
        line: dict[str, object] = {"source": exchange.source, **who, "status": exchange.status, "reason": code}
        told[key] = _Told(now, line)
        if message and code not in _MAY_QUOTE:
            line = {**line, "message": message[:MAX_MESSAGE]}
        log.warning("a post was refused", receipt_id=str(exchange.receipt_id), **line)


def _close(told: OrderedDict[_Key, _Told], now: datetime) -> None:
    """Forget the lines of more than a minute ago; tell how many like them were left out."""
    while told:
        key, oldest = next(iter(told.items()))
        if now - oldest.at < EVERY:
            return
        del told[key]
        if oldest.left_out:
            log.warning("more posts were refused", left_out=oldest.left_out, **oldest.line)
