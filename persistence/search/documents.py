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
# Ranges of it are asked for, nothing is sorted by it.
_ASKED_TIME = {**_TIME, "doc_values": False}

MAPPING: dict[str, Any] = {
    # A field nobody named is kept out: labels are a client's, and each name would be a field for ever.
    "dynamic": False,
    "properties": {
        # To sort by alone: who asks for some asks by the documents' own ids.
        "id": {**_KEYWORD, "index": False},
        "title": _TEXT,
        "description": _TEXT,
        "service": _WORDS,
        "source": _WORDS,
        "label_text": _TEXT,
        # Elasticsearch counts what is beyond the first 65,536 characters as two.
        "labels": {"type": "flattened", "ignore_above": 2 * MAX_LABEL_VALUE, "doc_values": False},
        "dedup_key": _ASKED,
        "severity": _KEYWORD,
        "status": _KEYWORD,
        "team_id": _KEYWORD,
        "assigned_to": _ASKED,
        "integration_id": _ASKED,
        "group_id": _ASKED,
        "created_at": _TIME,
        "updated_at": _ASKED_TIME,
        "resolved_at": _ASKED_TIME,
        "is_snoozed": _FLAG,
        "is_suppressed": _FLAG,
        "is_flapping": _FLAG,
        "is_false_positive": _FLAG,
    },
}
# One shard holds tens of millions of alerts; with one, a relevance is the same whichever answers.
# To mark what was found by asking the whole query of each text anew takes ten times as long as all the rest.
SETTINGS: dict[str, Any] = {
    "number_of_shards": 1,
    "number_of_replicas": 0,
    "refresh_interval": "1s",
    "highlight.weight_matches_mode.enabled": False,
}


def number_of(alert: Alert) -> int:
    """The document's number. A change moves `version`, a repeat only `occurrences`, and neither ever falls."""
    return alert.version + alert.occurrences


def document_of(alert: Alert) -> dict[str, Any]:
    """The document of an alert, to be encoded. What is not there, and what is not so, is left out.

    Ids are text: asyncpg's are of a type of its own, which the encoder does not know.
    """
    labels = alert.labels
    document: dict[str, Any] = {
        "id": str(alert.id),
        "title": alert.title,
        "source": alert.source,
        "label_text": " ".join([f"{name} {value}" for name, value in labels.items()]),
        "labels": labels,
        "dedup_key": alert.dedup_key,
        "severity": alert.severity,
        "status": alert.status,
        "integration_id": str(alert.integration_id),
        "created_at": alert.created_at,
        "updated_at": alert.updated_at,
    }
    if alert.description is not None:
        document["description"] = alert.description
    if alert.service_name is not None:
        document["service"] = alert.service_name
    if alert.resolved_at is not None:
        document["resolved_at"] = alert.resolved_at
    _add_ids(document, alert)
    _add_flags(document, alert)
    return document


def _add_ids(document: dict[str, Any], alert: Alert) -> None:
    if alert.team_id is not None:
        document["team_id"] = str(alert.team_id)
    if alert.assigned_to is not None:
        document["assigned_to"] = str(alert.assigned_to)
    if alert.group_id is not None:
        document["group_id"] = str(alert.group_id)


def _add_flags(document: dict[str, Any], alert: Alert) -> None:
    if alert.snoozed_until is not None:
        document["is_snoozed"] = True
    if alert.suppressed_by:
        document["is_suppressed"] = True
    if alert.flapping_since is not None:
        document["is_flapping"] = True
    if alert.is_false_positive:
        document["is_false_positive"] = True
