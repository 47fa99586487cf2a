"""What does any other tool say (`POST /webhooks/generic`)? These fields, or a mapping's view of its own (mapped.py).

    {"title": "Queue depth high", "description": "…", "severity": "high", "status": "firing", "service": "orders",
     "dedup_key": "orders/queue", "source": "orders-worker", "labels": {"queue": "orders"},
     "metadata": {"value": 18231}, "started_at": "2026-03-04T11:20:00Z", "url": "https://dash.example.test/orders"}

Only `title` is needed. A list of such objects, or an object with them under `alerts`, holds several. What else an
object holds is kept as metadata.
"""

from collections.abc import Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Any

import msgspec

from domain.alerts.dedup import dedup_key, labels_payload
from domain.alerts.signal import Signal, SignalStatus
from domain.integrations.model import Integration
from graphql_api.webhooks import mapped
from graphql_api.webhooks.contract import Parsed, PayloadError, Post, check_count
from graphql_api.webhooks.decode import (
    REFUSED,
    Outer,
    decode_value,
    items_of_member,
    read_each,
    read_one,
    split_any,
    text_map,
)
from graphql_api.webhooks.diagnosis import ItemError, kind_of, may_hold_nul
from graphql_api.webhooks.fields import (
    moment,
    optional_text,
    put_json,
    put_link,
    required_text,
    status_of,
    without_empty,
)

DEFAULT_SOURCE = "generic"
LIST_FIELD = "alerts"
RECIPE = "the payload's dedup_key"
RECIPE_HASH = "hash of title, source, service and labels: the payload named no dedup_key"

READ_FIELDS = frozenset({
    "title", "description", "severity", "status", "dedup_key", "service", "source", "labels", "metadata", "started_at",
    "ended_at", "url",
})  # fmt: skip
_ANY = msgspec.json.Decoder()


def parse(post: Post) -> Parsed:
    """The post's alerts. Raises PayloadError for a body that is no JSON object or list, or holds no alert."""
    if post.integration.mapping is not None:
        return mapped.parse(post, post.integration.mapping, signal_of)
    if not may_hold_nul(post.body):
        try:
            return [signal_of(item) for item in _items(_ANY.decode(post.body))]
        except (ItemError, *REFUSED):
            pass  # something in it is wrong: find out what, item by item
    return _parse_each(post.body)


def preview(integration: Integration, body: bytes, *, received_at: datetime) -> Parsed:
    """What a post would become with this integration as it stands, saved or not. Raises like `parse`."""
    return parse(Post(body=body, headers={}, integration=integration, received_at=received_at))


def _items(value: Any) -> list[Any]:  # noqa: ANN401 - any JSON value
    """The alerts in a decoded body; ItemError for whatever the slow path has to explain."""
    if isinstance(value, dict):
        inner = value.get(LIST_FIELD)
        if not isinstance(inner, list) and ("title" in value or LIST_FIELD not in value):
            return [value]
        value = inner
    if isinstance(value, list) and value:
        check_count(len(value))
        return value
    raise ItemError("no alert")


def _parse_each(body: bytes) -> Parsed:
    outer = split_any(body)
    if isinstance(outer, list):
        if not outer:
            raise PayloadError(422, "the list is empty: there is no alert in this post")
        return [*read_each(Outer(outer, {}, ()), _read)]
    if LIST_FIELD in outer and (outer[LIST_FIELD].startswith(b"[") or "title" not in outer):
        return [*read_each(items_of_member(outer, field=LIST_FIELD), _read)]
    return read_one(body, signal_of)


def _read(raw: bytes) -> Signal:
    try:
        return signal_of(decode_value(raw))
    except PayloadError as error:
        raise ItemError(error.message, error.path) from error


def signal_of(item: Any) -> Signal:  # noqa: ANN401 - any JSON value
    """The signal of one object of the fields above. Raises ItemError naming the field that is missing or wrong."""
    if not isinstance(item, dict):
        raise ItemError(f"must be an object, not {kind_of(item)}")
    title = required_text(item.get("title"), ("title",))
    service = optional_text(item.get("service"), ("service",))
    source = optional_text(item.get("source"), ("source",)) or DEFAULT_SOURCE
    labels = without_empty(text_map(item.get("labels"), ("labels",)))
    status = status_of(item.get("status"), ("status",))
    own_key = optional_text(item.get("dedup_key"), ("dedup_key",))
    warnings: list[str] = []
    metadata = _metadata(item, warnings)
    ended_at = moment(item.get("ended_at"), ("ended_at",))
    return Signal(
        title=title,
        source=source,
        dedup_key=dedup_key("gen", 1, own_key or _hash(labels, title=title, source=source, service=service)),
        dedup_recipe=RECIPE if own_key else RECIPE_HASH,
        status=status,
        description=optional_text(item.get("description"), ("description",)),
        severity_text=optional_text(item.get("severity"), ("severity",)),
        service_name=service,
        labels=labels,
        metadata=metadata,
        started_at=moment(item.get("started_at"), ("started_at",)),
        ended_at=ended_at if status is SignalStatus.RESOLVED else None,
        warnings=tuple(warnings),
    )


def _metadata(item: Mapping[str, Any], warnings: list[str]) -> dict[str, Any]:
    """`metadata`, the link, and every field that has no meaning of its own."""
    given = item.get("metadata")
    if given is not None and not isinstance(given, dict):
        raise ItemError(f"must be an object, not {kind_of(given)}", ("metadata",))
    metadata: dict[str, Any] = {}
    for name, value in item.items():
        if name not in READ_FIELDS:
            put_json(metadata, warnings, name=name, value=value)
    for name, value in (given or {}).items():
        put_json(metadata, warnings, name=name, value=value)
    put_link(metadata, warnings, name="url", value=item.get("url"))
    return metadata


def _hash(labels: Mapping[str, str], *, title: str, source: str, service: str | None) -> str:
    """A digest of what tells one problem from another when the payload names no key."""
    parts = "\xff".join((title, source, service or "", labels_payload(labels)))
    return "#" + blake2b(parts.encode(), digest_size=16).hexdigest()
