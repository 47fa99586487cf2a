"""What does the floor read and write? The same bytes and the same rows as Tocsin, by the shortest way."""

from typing import Any

import msgspec
import uuid_utils


class Alert(msgspec.Struct, rename="camel", gc=False):
    """One alert of `POST /api/v2/alerts` or of Alertmanager's webhook."""

    labels: dict[str, str]
    annotations: dict[str, str] = {}
    starts_at: str | None = None
    ends_at: str | None = None
    generator_url: str = msgspec.field(default="", name="generatorURL")
    fingerprint: str = ""


class Group(msgspec.Struct, gc=False):
    """Alertmanager's webhook."""

    alerts: list[Alert]


class Generic(msgspec.Struct, gc=False):
    """One alert of the generic source."""

    title: str
    severity: str
    dedup_key: str
    source: str
    service: str
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    started_at: str | None = None
    url: str = ""


class AlertRow(msgspec.Struct, gc=False):
    """A row of `alerts`."""

    id: str
    title: str
    severity: str
    source: str
    service_name: str
    metadata: dict[str, Any]
    labels: dict[str, str]
    dedup_key: str
    dedup_recipe: str
    started_at: str
    expires_at: str | None
    occurrences: int = 1


class SignalRow(msgspec.Struct, gc=False):
    """A row of `signals`; `reason` and outcome follow from whether the alert is new."""

    receipt_id: str
    item: int
    dedup_key: str
    body: dict[str, Any]


class EventRow(msgspec.Struct, gc=False):
    """A row of `alert_events`, written if the alert is new."""

    id: str
    alert_id: str
    data: dict[str, Any]


# Everything in one statement, and a transaction of its own. With one array a column (unnest) the same write took as
# long and twice the client's CPU (docs/decisions); a COPY a table has not been tried.
WRITE_SQL = """
WITH incoming AS MATERIALIZED (
  SELECT * FROM json_to_recordset($1::json) AS u(id uuid, title text, severity alert_severity, source text,
    service_name text, metadata jsonb, labels jsonb, dedup_key text, dedup_recipe text, started_at timestamptz,
    expires_at timestamptz, occurrences bigint)
), folded AS (
  INSERT INTO alerts AS a (id, title, severity, status, source, service_name, created_at, updated_at, metadata, labels,
    integration_id, dedup_key, dedup_recipe, occurrences, version, content_hash, started_at, last_seen_at, source_time,
    repeat_logged_at, expires_at)
  SELECT u.id, u.title, u.severity, 'active', u.source, u.service_name, $4, $4, u.metadata, u.labels, $5, u.dedup_key,
    u.dedup_recipe, u.occurrences, 1, 7311018252, u.started_at, $4, u.started_at, $4, u.expires_at
  FROM incoming u
  ON CONFLICT (integration_id, dedup_key) WHERE status IN ('active','acknowledged','investigating')
  DO UPDATE SET occurrences = a.occurrences + excluded.occurrences, last_seen_at = excluded.last_seen_at,
    expires_at = excluded.expires_at
  RETURNING id, dedup_key
), logged AS (
  INSERT INTO alert_events (recorded_at, id, alert_id, kind, occurred_at, actor_kind, actor_id, version, severity,
    status, data)
  SELECT $4, e.id, e.alert_id, 'opened', $4, 'integration', $5, 1, 'critical', 'active', e.data
  FROM json_to_recordset($2::json) AS e(id uuid, alert_id uuid, data jsonb) JOIN folded f ON f.id = e.alert_id
), kept AS (
  INSERT INTO signals (received_at, receipt_id, item, integration_id, alert_id, outcome, reason, body)
  SELECT $4, s.receipt_id, s.item, $5, f.id, 'opened', 'no alert of this key is known', s.body
  FROM json_to_recordset($3::json) AS s(receipt_id uuid, item integer, dedup_key text, body jsonb)
  JOIN folded f ON f.dedup_key = s.dedup_key
)
INSERT INTO receipts (received_at, id, integration_id, accepted, rejected)
SELECT $4, r.id, $5, r.accepted, 0 FROM unnest($6::uuid[], $7::int[]) AS r(id, accepted)
"""

_api = msgspec.json.Decoder(list[Alert])
_webhook = msgspec.json.Decoder(Group)
_generic = msgspec.json.Decoder(list[Generic])


def new_id() -> str:
    """A fresh UUIDv7 as text."""
    return str(uuid_utils.uuid7())


def _from_alertmanager(alert: Alert) -> AlertRow:
    labels = alert.labels
    return AlertRow(
        id=new_id(),
        title=alert.annotations["summary"],
        severity=labels["severity"],
        source="prometheus",
        service_name=labels["service"],
        metadata={"annotations": alert.annotations, "generatorURL": alert.generator_url},
        labels=labels,
        dedup_key="labels:1:" + (alert.fingerprint or labels["instance"]),
        dedup_recipe="the labels of the alert",
        started_at=alert.starts_at or "",
        expires_at=None if alert.fingerprint else alert.ends_at,
    )


def _from_generic(alert: Generic) -> AlertRow:
    return AlertRow(
        id=new_id(),
        title=alert.title,
        severity=alert.severity,
        source=alert.source,
        service_name=alert.service,
        metadata={"annotations": alert.annotations, "url": alert.url},
        labels=alert.labels,
        dedup_key="generic:1:" + alert.dedup_key,
        dedup_recipe="the field dedup_key",
        started_at=alert.started_at or "",
        expires_at=None,
    )


def parse(path: str, body: bytes) -> list[AlertRow]:
    """The alerts of a body; anything else than what the bench posts raises."""
    if path == "/api/v2/alerts":
        return [_from_alertmanager(alert) for alert in _api.decode(body)]
    if path == "/webhooks/prometheus":
        return [_from_alertmanager(alert) for alert in _webhook.decode(body).alerts]
    return [_from_generic(alert) for alert in _generic.decode(body)]


def event_data(row: AlertRow) -> dict[str, Any]:
    """What Tocsin keeps on the opening event: its decisions."""
    return {
        "decisions": [
            {"kind": "dedup_key", "reason": row.dedup_recipe, "inputs": {"key": row.dedup_key}},
            {
                "kind": "severity",
                "reason": "the built-in table",
                "inputs": {"severity": row.severity, "word": row.severity},
            },
            {"kind": "fold", "reason": "no alert of this key is known", "inputs": {"outcome": "opened"}},
        ]
    }


def signal_body(row: AlertRow) -> dict[str, Any]:
    """The signal as Tocsin keeps it for replay."""
    return {
        "status": "firing",
        "title": row.title,
        "description": None,
        "severity": row.severity,
        "severityText": row.severity,
        "source": row.source,
        "serviceName": row.service_name,
        "labels": row.labels,
        "metadata": row.metadata,
        "dedupKey": row.dedup_key,
        "dedupRecipe": row.dedup_recipe,
        "startedAt": row.started_at,
        "endedAt": None,
        "expiresAt": row.expires_at,
        "warnings": [],
    }
