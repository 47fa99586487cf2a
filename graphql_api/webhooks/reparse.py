"""How is a rejected item read again? By the parser that read it, from a body that holds it alone.

What is kept of a post is either its whole body, when that could not be read at all, or the bytes of one item. Which it
is, is said by the path of the error: an item's begins with its place in the list.
"""

from collections.abc import Sequence
from dataclasses import replace

from domain.alerts.signal import RejectedItem, Signal
from domain.errors import InvalidInput
from domain.integrations.model import Integration, IntegrationSource
from domain.integrations.receipts import RejectedRecord
from graphql_api.webhooks import alertmanager_v2_alerts, pagerduty_events
from graphql_api.webhooks.contract import PayloadError, Post
from graphql_api.webhooks.intake import Parser
from graphql_api.webhooks.sources import SOURCES

# Sources whose items stand in a list of this name.
_ALERTS = "alerts"
_MAPPED_ITEMS = "items"
_GROUPED = frozenset({IntegrationSource.PROMETHEUS, IntegrationSource.GRAFANA})


def reparse(record: RejectedRecord, integration: Integration) -> Sequence[Signal | RejectedItem]:
    """Today's parser and mapping on a rejected item; InvalidInput when the bytes still cannot be read."""
    parser, body, reader = _as_post(record, integration)
    # Signed posts were verified when they came; the signature itself is not kept.
    post = Post(body=body, headers={}, integration=replace(reader, hmac_secret=None), received_at=record.received_at)
    try:
        return parser(post)
    except PayloadError as error:
        raise InvalidInput(error.message, error.path) from error


def _as_post(record: RejectedRecord, integration: Integration) -> tuple[Parser, bytes, Integration]:
    source, raw = integration.source, record.raw
    if source is IntegrationSource.PAGERDUTY:
        return pagerduty_events.parse, raw, integration
    parser: Parser = SOURCES[source.value].parse
    if source is IntegrationSource.PROMETHEUS and _is_of_api(record):
        is_item = bool(record.path) and record.path[0].isdecimal()
        return alertmanager_v2_alerts.parse, b"[" + raw + b"]" if is_item else raw, integration
    if source in _GROUPED and _is_item_of(record, _ALERTS):
        return parser, b'{"alerts":[' + raw + b"]}", integration
    if integration.mapping is not None and _is_item_of(record, _MAPPED_ITEMS):
        # The item has been selected already; the other expressions look at it alone.
        return parser, raw, replace(integration, mapping=replace(integration.mapping, items=None))
    return parser, raw, integration


def _is_of_api(record: RejectedRecord) -> bool:
    """Whether a post came by `/api/v2/alerts`, whose body is a list; a notification of Alertmanager is an object."""
    if record.path and record.path[0].isdecimal():
        return True
    return not _is_item_of(record, _ALERTS) and record.raw.lstrip()[:1] == b"["


def _is_item_of(record: RejectedRecord, name: str) -> bool:
    return len(record.path) > 1 and record.path[0] == name and record.path[1].isdecimal()
