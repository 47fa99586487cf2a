"""What do Prometheus and amtool push to Alertmanager's own API (`POST /api/v2/alerts`)?

    [{"labels": {"alertname": "DiskFull", "instance": "db-01"}, "annotations": {"summary": "disk 95%"},
      "startsAt": "2026-11-24T04:23:18.841Z", "endsAt": "2026-11-24T04:27:18.841Z", "generatorURL": "http://prom/graph"}]

There is no status: `endsAt` says it. Prometheus sends it in the future while the alert fires and moves it on with each
re-send, so an alert that is not sent again ends by itself; once resolved it lies in the past. Without one, the alert
ends after Alertmanager's default `resolve_timeout`. amtool's `startsAt` in year 1 means "not given". The rules of
validity are Alertmanager's: empty labels are dropped, at least one must be left, the end is not before the start.
"""

from datetime import datetime, timedelta
from typing import Any

import msgspec

from domain.alerts.signal import Signal, SignalStatus
from graphql_api.webhooks.alert_labels import (
    RECIPE_LABELS,
    description_of,
    labels_key,
    runbook_of,
    service_of,
    severity_text_of,
    title_of,
)
from graphql_api.webhooks.contract import Parsed, Post, check_count
from graphql_api.webhooks.decode import REFUSED, decode_item, read_each, split_list
from graphql_api.webhooks.diagnosis import ItemError, may_hold_nul
from graphql_api.webhooks.fields import put_link, put_texts, utc, without_empty
from graphql_api.webhooks.prometheus import SOURCE, TEXT_MAPS

RESOLVE_TIMEOUT = timedelta(minutes=5)


class _Alert(msgspec.Struct, rename="camel", gc=False):
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    generator_url: str | None = msgspec.field(default=None, name="generatorURL")


_ALERTS = msgspec.json.Decoder(list[_Alert])
_ALERT = msgspec.json.Decoder(_Alert)


def parse(post: Post) -> Parsed:
    """The post's alerts; an empty list is fine, as with Alertmanager. PayloadError for a body that is no list."""
    if not may_hold_nul(post.body):
        try:
            alerts = _ALERTS.decode(post.body)
            check_count(len(alerts))
            return [_signal(alert, post.received_at) for alert in alerts]
        except (ItemError, *REFUSED):
            pass  # something in it is wrong: find out what, item by item
    outer = split_list(post.body)
    return [*read_each(outer, lambda raw: _signal(decode_item(raw, _ALERT, text_maps=TEXT_MAPS), post.received_at))]


def _signal(alert: _Alert, received_at: datetime) -> Signal:
    labels = without_empty(alert.labels or {})
    if not labels:
        raise ItemError("an alert needs at least one label with a value", ("labels",))
    if "" in labels:
        raise ItemError("a label's name must not be empty", ("labels", ""))
    annotations = alert.annotations or {}
    starts_at, ends_at = utc(alert.starts_at), utc(alert.ends_at)
    if starts_at is not None and ends_at is not None and ends_at < starts_at:
        raise ItemError("the end must not be before the start", ("endsAt",))
    is_over = ends_at is not None and ends_at <= received_at
    metadata: dict[str, Any] = {}
    warnings: list[str] = []
    put_texts(metadata, warnings, name="annotations", values=annotations)
    put_link(metadata, warnings, name="generatorURL", value=alert.generator_url)
    put_link(metadata, warnings, name="runbook", value=runbook_of(annotations))
    return Signal(
        title=title_of(labels, annotations),
        source=SOURCE,
        dedup_key=labels_key(labels),
        dedup_recipe=RECIPE_LABELS,
        status=SignalStatus.RESOLVED if is_over else SignalStatus.FIRING,
        description=description_of(annotations),
        severity_text=severity_text_of(labels),
        service_name=service_of(labels),
        labels=labels,
        metadata=metadata,
        started_at=starts_at,
        ended_at=ends_at if is_over else None,
        expires_at=None if is_over else ends_at or received_at + RESOLVE_TIMEOUT,
        warnings=tuple(warnings),
    )
