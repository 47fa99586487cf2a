"""How is any other program told? By a signed post of JSON, one for each notification.

`X-Tocsin-Signature: t=<unix seconds>,v1=<hex>`: HMAC-SHA256 over `<t>.<body>` with the channel's secret: the receiver
can tell that it is ours and not an old one sent again. `X-Tocsin-Delivery` is the notification's id: a post that comes
twice carries the same. Any 2xx is taken.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from domain.escalations.message import Told
from jobs.channels.contract import JSON, Item, Request


def webhook(values: Mapping[str, str], items: Sequence[Item], *, now: datetime) -> list[Request]:
    """One post for each."""
    return [_request(values, item, now) for item in items]


def _request(values: Mapping[str, str], item: Item, now: datetime) -> Request:
    told = item.told
    body = orjson.dumps(
        {
            "id": str(item.id),
            "kind": told.kind.value,
            "createdAt": item.created_at.isoformat(),
            "why": told.why,
            **({} if item.text is None else {"text": item.text}),
            "alert": _alert(told) if item.alert is None else item.alert,
        }
    )
    headers = {
        **JSON,
        "x-tocsin-delivery": str(item.id),
        "x-tocsin-signature": signature(values["secret"], body, at=int(now.timestamp())),
    }
    return Request(url=values["url"], body=body, headers=headers, carries=(item.id,))


def _alert(told: Told) -> dict[str, Any]:
    return {
        "id": str(told.alert_id),
        "title": told.title,
        "severity": told.severity.value,
        "service": told.service_name,
        "source": told.source,
        "description": told.description,
        "startedAt": told.started_at.isoformat(),
        "labels": dict(told.labels),
    }


def signature(secret: str, body: bytes, *, at: int) -> str:
    """The header's value."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"
