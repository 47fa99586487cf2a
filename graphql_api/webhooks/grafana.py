"""What does Grafana's webhook contact point say (`POST /webhooks/grafana`)?

    {"receiver": "on-call", "status": "firing", "orgId": 1, "truncatedAlerts": 0, "state": "alerting",
     "alerts": [{"status": "firing", "labels": {"alertname": "p99"}, "annotations": {"summary": "…"},
       "startsAt": "2026-03-04T11:20:00Z", "endsAt": "0001-01-01T00:00:00Z", "fingerprint": "c6eadffa33fcdf37",
       "ruleUID": "bd3q0z", "values": {"B": 2.31}, "generatorURL": "…", "silenceURL": "…", "panelURL": "…"}]}

It is Alertmanager's format with more fields. Posts of Grafana's alerting before version 9 (grafana_legacy.py) come to
the same address. When the integration has a secret, every post must be signed with it (grafana_signature.py).
"""

from datetime import datetime, timedelta
from typing import Any

import msgspec

from domain.alerts.dedup import dedup_key, labels_payload
from domain.alerts.signal import Signal, SignalStatus
from graphql_api.webhooks import grafana_legacy
from graphql_api.webhooks.alert_labels import (
    REPLICA_LABELS,
    description_of,
    runbook_of,
    service_of,
    severity_text_of,
    title_of,
)
from graphql_api.webhooks.contract import Parsed, PayloadError, Post
from graphql_api.webhooks.decode import Outer, decode_item, items_of_member, read_each, read_one, split_any
from graphql_api.webhooks.diagnosis import ItemError
from graphql_api.webhooks.fields import (
    put_json,
    put_link,
    put_texts,
    status_of,
    text,
    utc,
    without_empty,
)
from graphql_api.webhooks.grafana_signature import verify

SOURCE = "grafana"
TEXT_MAPS = ("labels", "annotations")
# A contact point's test button sends a firing alert and never its end.
TEST_ALERT_LIFETIME = timedelta(minutes=10)

# What Grafana fires in a rule's place when the rule could not be evaluated; `rulename` then names the rule.
_INSTEAD_OF_RULE = {"DatasourceNoData": "No data", "DatasourceError": "Evaluation failed"}
_LINKS = ("generatorURL", "silenceURL", "dashboardURL", "panelURL", "imageURL")


class _Alert(msgspec.Struct, rename="camel", gc=False):
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    status: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    fingerprint: str | None = None
    generator_url: str | None = msgspec.field(default=None, name="generatorURL")
    silence_url: str | None = msgspec.field(default=None, name="silenceURL")
    dashboard_url: str | None = msgspec.field(default=None, name="dashboardURL")
    panel_url: str | None = msgspec.field(default=None, name="panelURL")
    image_url: str | None = msgspec.field(default=None, name="imageURL")
    rule_uid: str | None = msgspec.field(default=None, name="ruleUID")
    values: Any = None
    value_string: str | None = None
    org_id: Any = None


_ALERT = msgspec.json.Decoder(_Alert)


def parse(post: Post) -> Parsed:
    """The post's alerts. Raises PayloadError 401 for a bad signature, 400/422 for a body that Grafana did not write."""
    verify(post)
    members = split_any(post.body)
    if isinstance(members, list):
        raise PayloadError(422, "the body must be an object with a list 'alerts', not a list", ("alerts",))
    if "alerts" not in members and grafana_legacy.FIELDS & members.keys():
        return read_one(post.body, lambda body: grafana_legacy.signal(body, post.received_at))
    outer = items_of_member(members, field="alerts")
    group_status = text(outer.member("status"))
    shared, warnings = _shared(outer)

    def read(raw: bytes) -> Signal:
        alert = decode_item(raw, _ALERT, text_maps=TEXT_MAPS)
        return _signal(alert, group_status, shared=shared, shared_warnings=warnings, received_at=post.received_at)

    return [*read_each(outer, read)]


def _shared(outer: Outer) -> tuple[dict[str, Any], list[str]]:
    """The metadata and warnings that every alert of the post carries."""
    metadata: dict[str, Any] = {}
    warnings: list[str] = []
    for name in ("receiver", "groupKey", "orgId", "appVersion"):
        value = text(outer.member(name))
        if value is not None:
            metadata[name] = value
    put_link(metadata, warnings, name="externalURL", value=outer.member("externalURL"))
    truncated = outer.member("truncatedAlerts")
    if isinstance(truncated, int) and truncated > 0:
        warnings.append(f"Grafana left {truncated} more alerts of this group out of its notification (max alerts)")
    return metadata, warnings


def _signal(
    alert: _Alert,
    group_status: str | None,
    *,
    shared: dict[str, Any],
    shared_warnings: list[str],
    received_at: datetime,
) -> Signal:
    labels = without_empty(alert.labels or {})
    annotations = alert.annotations or {}
    if not labels and not alert.fingerprint:
        raise ItemError("an alert needs at least one label", ("labels",))
    status = status_of(alert.status or group_status, ("status",))
    metadata = {**shared}
    warnings = [*shared_warnings]
    _put_details(alert, metadata, warnings)
    is_test = labels.get("alertname") == "TestAlert" and labels.get("instance") == "Grafana"
    if is_test:
        warnings.append("a test of the contact point: it closes by itself")
    key, recipe = _key(alert, labels)
    title, description = _texts(labels, annotations)
    return Signal(
        title=title,
        source=SOURCE,
        dedup_key=key,
        dedup_recipe=recipe,
        status=status,
        description=description,
        severity_text=severity_text_of(labels) or ("info" if is_test else None),
        service_name=service_of(labels),
        labels=labels,
        metadata=metadata,
        started_at=utc(alert.starts_at),
        ended_at=utc(alert.ends_at) if status is SignalStatus.RESOLVED else None,
        expires_at=received_at + TEST_ALERT_LIFETIME if is_test and status is SignalStatus.FIRING else None,
        warnings=tuple(warnings),
    )


def _put_details(alert: _Alert, metadata: dict[str, Any], warnings: list[str]) -> None:
    put_texts(metadata, warnings, name="annotations", values=alert.annotations or {})
    urls = (alert.generator_url, alert.silence_url, alert.dashboard_url, alert.panel_url, alert.image_url)
    for name, url in zip(_LINKS, urls, strict=True):
        put_link(metadata, warnings, name=name, value=url)
    put_link(metadata, warnings, name="runbook", value=runbook_of(alert.annotations or {}))
    put_json(metadata, warnings, name="values", value=alert.values)
    put_json(metadata, warnings, name="valueString", value=alert.value_string)
    put_json(metadata, warnings, name="ruleUID", value=alert.rule_uid)
    if alert.org_id is not None and "orgId" not in metadata:
        put_json(metadata, warnings, name="orgId", value=text(alert.org_id))


def _key(alert: _Alert, labels: dict[str, str]) -> tuple[str, str]:
    """The rule and the label set: two rules may give their alerts the same labels, and so the same fingerprint."""
    rule = alert.rule_uid or labels.get("__alert_rule_uid__")
    if alert.fingerprint and rule:
        return dedup_key("gf", 1, f"{rule}:{alert.fingerprint}"), "Grafana's rule UID and fingerprint of the labels"
    if alert.fingerprint:
        return dedup_key("gf", 1, alert.fingerprint), "Grafana's fingerprint of the alert's labels"
    digest = labels_payload(labels, ignore=frozenset(REPLICA_LABELS))
    return dedup_key("gf", 1, f"labels:{digest}"), "hash of all labels but replica and prometheus_replica"


def _texts(labels: dict[str, str], annotations: dict[str, str]) -> tuple[str, str | None]:
    """Title and description. A rule that could not be evaluated must not read like one that has crossed its limit."""
    what = _INSTEAD_OF_RULE.get(labels.get("alertname", ""))
    if what is None:
        return title_of(labels, annotations), description_of(annotations)
    rule = labels.get("rulename") or title_of(labels, annotations)
    parts = (annotations.get("Error"), annotations.get("summary"), description_of(annotations))
    return f"{what}: {rule}", "\n".join(part for part in parts if part) or None
