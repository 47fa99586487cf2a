"""What would a payload become? The very parsers and rules that take posts, on an integration that may not exist yet.

Nothing is written. Signatures are not asked for: whoever may make integrations may see how their posts are read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import orjson

from domain.alerts.normalise import NormalSignal, normalise
from domain.alerts.routing import placed
from domain.alerts.signal import RejectedItem, Signal
from domain.errors import InvalidInput
from domain.integrations.model import Integration, IntegrationSource
from domain.rules.applying import apply_rules
from domain.rules.rule_set import NO_RULES, RuleSet
from domain.teams.ownership import NOTHING_OWNED, Ownership
from graphql_api.webhooks import pagerduty_events
from graphql_api.webhooks.contract import Parser, PayloadError, Post
from graphql_api.webhooks.sources import SOURCES

MAX_PAYLOAD = 1_000_000
MAX_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Preview:
    """What each item would be, in order; `total` counts those beyond the first hundred too."""

    items: Sequence[NormalSignal | RejectedItem]
    total: int


def preview(
    integration: Integration,
    payload: object,
    headers: Mapping[str, str],
    *,
    now: datetime,
    ownership: Ownership = NOTHING_OWNED,
    rules: RuleSet = NO_RULES,
) -> Preview:
    """Read the payload as a post to this integration; InvalidInput when it cannot be read at all."""
    # A text is the body itself: some tools post forms, and a broken body can be looked at, too.
    body = payload.encode("utf-8", "surrogatepass") if isinstance(payload, str) else _json(payload)
    if len(body) > MAX_PAYLOAD:
        message = f"a payload to preview has at most {MAX_PAYLOAD} bytes"
        raise InvalidInput(message, ("payload",))
    unsigned = replace(integration, hmac_secret=None)
    lowered = {name.lower(): value for name, value in headers.items()}
    post = Post(body=body, headers=lowered, integration=unsigned, received_at=now)
    try:
        parsed = list(_parser(integration.source)(post))
    except PayloadError as error:
        raise InvalidInput(error.message, ("payload", *error.path)) from error
    items = [
        item
        if isinstance(item, RejectedItem)
        else placed(apply_rules(normalise(item, unsigned, now), integration.id, rules), ownership)
        for item in parsed[:MAX_SHOWN]
    ]
    return Preview(items, len(parsed))


def _json(payload: object) -> bytes:
    try:
        return orjson.dumps(payload)
    except TypeError as error:
        message = f"not JSON: {error}"
        raise InvalidInput(message, ("payload",)) from error


def _parser(source: IntegrationSource) -> Parser:
    if source is IntegrationSource.PAGERDUTY:
        return _pagerduty
    return SOURCES[source.value].parse


def _pagerduty(post: Post) -> list[Signal | RejectedItem]:
    return list(pagerduty_events.parse(post))
