"""What does Alertmanager's webhook say (`POST /webhooks/prometheus`, payload version 4)?

    {"version": "4", "receiver": "hook", "status": "firing", "truncatedAlerts": 0, "groupLabels": {…},
     "groupKey": "{}:{alertname='HighErrorRate'}", "externalURL": "http://am:9093", "commonLabels": {…},
     "alerts": [{"status": "firing", "labels": {"alertname": "HighErrorRate", "severity": "critical"},
                 "annotations": {"summary": "Error rate above 5%"}, "fingerprint": "bfd2591f3f21e96b",
                 "startsAt": "2026-11-24T04:24:03.841Z", "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "http://…"}]}

A group's `status` is firing while one of its alerts is: only the alert's own counts. `endsAt` in year 1 means open.
"""

from datetime import datetime
from typing import Any

import msgspec

from domain.alerts.signal import Signal, SignalStatus
from graphql_api.webhooks.alert_labels import (
    RECIPE_FINGERPRINT,
    RECIPE_LABELS,
    description_of,
    fingerprint_key,
    labels_key,
    runbook_of,
    service_of,
    severity_text_of,
    title_of,
)
from graphql_api.webhooks.contract import Parsed, Post, check_count
from graphql_api.webhooks.decode import REFUSED, Outer, decode_item, read_each, split_object
from graphql_api.webhooks.diagnosis import ItemError, may_hold_nul
from graphql_api.webhooks.fields import put_link, put_texts, status_of, text, utc, without_empty

SOURCE = "prometheus"
TEXT_MAPS = ("labels", "annotations")


class _Alert(msgspec.Struct, rename="camel", gc=False):
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    status: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    generator_url: str | None = msgspec.field(default=None, name="generatorURL")
    fingerprint: str | None = None


class _Group(msgspec.Struct, rename="camel", gc=False):
    alerts: list[_Alert]
    status: str | None = None
    receiver: str | None = None
    group_key: str | None = None
    external_url: str | None = msgspec.field(default=None, name="externalURL")
    truncated_alerts: int = 0


_GROUP = msgspec.json.Decoder(_Group)
_ALERT = msgspec.json.Decoder(_Alert)


def parse(post: Post) -> Parsed:
    """The post's alerts. Raises PayloadError for a body that is no Alertmanager notification at all."""
    if not may_hold_nul(post.body):
        try:
            group = _GROUP.decode(post.body)
            if group.alerts:
                check_count(len(group.alerts))
                shared, warnings = _shared(group)
                return [_signal(alert, group.status, shared, warnings) for alert in group.alerts]
        except (ItemError, *REFUSED):
            pass  # something in it is wrong: find out what, item by item
    return _parse_each(split_object(post.body, field="alerts"))


def _parse_each(outer: Outer) -> Parsed:
    truncated = outer.member("truncatedAlerts")
    group = _Group(
        alerts=[],
        status=text(outer.member("status")),
        receiver=text(outer.member("receiver")),
        group_key=text(outer.member("groupKey")),
        external_url=text(outer.member("externalURL")),
        truncated_alerts=truncated if isinstance(truncated, int) else 0,
    )
    shared, warnings = _shared(group)
    return [
        *read_each(
            outer, lambda raw: _signal(decode_item(raw, _ALERT, text_maps=TEXT_MAPS), group.status, shared, warnings)
        )
    ]


def _shared(group: _Group) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The metadata and warnings that every alert of the group carries."""
    metadata: dict[str, Any] = {}
    warnings: list[str] = []
    if group.receiver:
        metadata["receiver"] = group.receiver
    if group.group_key:
        metadata["groupKey"] = group.group_key
    put_link(metadata, warnings, name="externalURL", value=group.external_url)
    if group.truncated_alerts > 0:
        warnings.append(
            f"Alertmanager left {group.truncated_alerts} more alerts of this group out of its notification (max_alerts)"
        )
    return metadata, tuple(warnings)


def _signal(
    alert: _Alert, group_status: str | None, shared: dict[str, Any], shared_warnings: tuple[str, ...]
) -> Signal:
    labels = without_empty(alert.labels or {})
    annotations = alert.annotations or {}
    if not labels and not alert.fingerprint:
        raise ItemError("an alert needs at least one label", ("labels",))
    status = status_of(alert.status or group_status, ("status",))
    metadata = {**shared}
    warnings = [*shared_warnings]
    put_texts(metadata, warnings, name="annotations", values=annotations)
    put_link(metadata, warnings, name="generatorURL", value=alert.generator_url)
    put_link(metadata, warnings, name="runbook", value=runbook_of(annotations))
    return Signal(
        title=title_of(labels, annotations),
        source=SOURCE,
        dedup_key=fingerprint_key(alert.fingerprint) if alert.fingerprint else labels_key(labels),
        dedup_recipe=RECIPE_FINGERPRINT if alert.fingerprint else RECIPE_LABELS,
        status=status,
        description=description_of(annotations),
        severity_text=severity_text_of(labels),
        service_name=service_of(labels),
        labels=labels,
        metadata=metadata,
        started_at=utc(alert.starts_at),
        ended_at=utc(alert.ends_at) if status is SignalStatus.RESOLVED else None,
        warnings=tuple(warnings),
    )
