"""What of an alert is in the index? One document, whose number grows with each change, so that an older never wins."""

from typing import Any

from domain.alerts.model import Alert

_KEYWORD = {"type": "keyword", "ignore_above": 1024}
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
        "labels": {"type": "flattened", "ignore_above": 1024},
        "dedup_key": _KEYWORD,
        "severity": _KEYWORD,
        "status": _KEYWORD,
        "team_id": _KEYWORD,
        "assigned_to": _KEYWORD,
        "integration_id": _KEYWORD,
        "group_id": _KEYWORD,
        "created_at": _TIME,
        "updated_at": _TIME,
        "resolved_at": _TIME,
        "is_snoozed": {"type": "boolean"},
        "is_suppressed": {"type": "boolean"},
        "is_flapping": {"type": "boolean"},
        "is_false_positive": {"type": "boolean"},
    },
}
# One shard holds tens of millions of alerts; with one, a relevance is the same whichever answers.
SETTINGS: dict[str, Any] = {"number_of_shards": 1, "number_of_replicas": 0, "refresh_interval": "1s"}


def number_of(alert: Alert) -> int:
    """The document's number. A change moves `version`, a repeat only `occurrences`, and neither ever falls."""
    return alert.version + alert.occurrences


def document_of(alert: Alert) -> dict[str, Any]:
    """The document of an alert."""
    return {
        "id": str(alert.id),
        "title": alert.title,
        "description": alert.description,
        "service": alert.service_name,
        "source": alert.source,
        "label_text": " ".join(f"{name} {value}" for name, value in alert.labels.items()),
        "labels": alert.labels,
        "dedup_key": alert.dedup_key,
        "severity": alert.severity.value,
        "status": alert.status.value,
        "team_id": _text(alert.team_id),
        "assigned_to": _text(alert.assigned_to),
        "integration_id": str(alert.integration_id),
        "group_id": _text(alert.group_id),
        "created_at": alert.created_at.isoformat(),
        "updated_at": alert.updated_at.isoformat(),
        "resolved_at": None if alert.resolved_at is None else alert.resolved_at.isoformat(),
        "is_snoozed": alert.snoozed_until is not None,
        "is_suppressed": bool(alert.suppressed_by),
        "is_flapping": alert.flapping_since is not None,
        "is_false_positive": alert.is_false_positive,
    }


def _text(value: object) -> str | None:
    return None if value is None else str(value)
