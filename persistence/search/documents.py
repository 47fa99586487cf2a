"""What of an alert is in the index? One document, whose number grows with each change, so that an older never wins."""

from typing import Any

from domain.alerts.model import MAX_LABEL_VALUE, Alert

_KEYWORD = {"type": "keyword", "ignore_above": 1024}
# Asked for, never counted or sorted by: without the columns that only that needs.
_ASKED = {**_KEYWORD, "doc_values": False}
_FLAG = {"type": "boolean", "doc_values": False}
_WORDS = {"type": "keyword", "ignore_above": 1024, "fields": {"text": {"type": "text"}}}
_TEXT = {"type": "text"}
_TIME = {"type": "date"}

MAPPING: dict[str, Any] = {
    # A field nobody named is kept out: labels are a client's, and each name would be a field for ever.
    "dynamic": False,
    "properties": {
        "id": _KEYWORD,
        "title": _TEXT,
        "description": _TEXT,
        "service": _WORDS,
        "source": _WORDS,
        "label_text": _TEXT,
        # Elasticsearch counts what is beyond the first 65,536 characters as two.
        "labels": {"type": "flattened", "ignore_above": 2 * MAX_LABEL_VALUE},
        "dedup_key": _ASKED,
        "severity": _KEYWORD,
        "status": _KEYWORD,
        "team_id": _KEYWORD,
        "assigned_to": _ASKED,
        "integration_id": _ASKED,
        "group_id": _ASKED,
        "created_at": _TIME,
        "updated_at": _TIME,
        "resolved_at": _TIME,
        "is_snoozed": _FLAG,
        "is_suppressed": _FLAG,
        "is_flapping": _FLAG,
        "is_false_positive": _FLAG,
    },
}
# One shard holds tens of millions of alerts; with one, a relevance is the same whichever answers.
SETTINGS: dict[str, Any] = {"number_of_shards": 1, "number_of_replicas": 0, "refresh_interval": "1s"}


def number_of(alert: Alert) -> int:
    """The document's number. A change moves `version`, a repeat only `occurrences`, and neither ever falls."""
    return alert.version + alert.occurrences


def document_of(alert: Alert) -> dict[str, Any]:
    """The document of an alert, to be encoded. What is not there, and what is not so, is left out."""
    fields = {
        "id": alert.id,
        "title": alert.title,
        "description": alert.description,
        "service": alert.service_name,
        "source": alert.source,
        "label_text": " ".join([f"{name} {value}" for name, value in alert.labels.items()]),
        "labels": alert.labels,
        "dedup_key": alert.dedup_key,
        "severity": alert.severity,
        "status": alert.status,
        "team_id": alert.team_id,
        "assigned_to": alert.assigned_to,
        "integration_id": alert.integration_id,
        "group_id": alert.group_id,
        "created_at": alert.created_at,
        "updated_at": alert.updated_at,
        "resolved_at": alert.resolved_at,
        "is_snoozed": alert.snoozed_until is not None,
        "is_suppressed": bool(alert.suppressed_by),
        "is_flapping": alert.flapping_since is not None,
        "is_false_positive": alert.is_false_positive,
    }
    return {name: value for name, value in fields.items() if value is not None and value is not False}
