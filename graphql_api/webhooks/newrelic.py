"""What does New Relic say (`POST /webhooks/newrelic`)? A workflow's issue, or an incident of the legacy channel.

    {"id": "4d6f9a55-…", "state": "ACTIVATED", "trigger": "STATE_CHANGE", "priority": "CRITICAL", "totalIncidents": 2,
     "title": "checkout-api query result is > 5.0 on 'Error rate'", "impactedEntities": ["checkout-api"],
     "createdAt": 1772623298123, "updatedAt": 1772623301456, "issueUrl": "https://…", "alertPolicyNames": ["…"],
     "alertConditionNames": ["Error rate"], "workflowName": "payments-to-oncall"}

    {"incident_id": 123, "current_state": "open", "condition_name": "Error rate", "policy_name": "Golden signals",
     "severity": "CRITICAL", "details": "…", "timestamp": 1772623298123, "incident_url": "https://…", "targets": [{…}]}

A template is the user's to edit: lists also come as text, and a key may be spelt in either way.
"""

from typing import Any

import msgspec

from domain.alerts.dedup import dedup_key
from domain.alerts.signal import Signal, SignalStatus
from graphql_api.webhooks.contract import Parsed, Post
from graphql_api.webhooks.decode import read_one, text_map
from graphql_api.webhooks.diagnosis import ItemError
from graphql_api.webhooks.fields import first_of, first_text, moment, put_json, put_link, status_of, text, without_empty

SOURCE = "newrelic"

_ISSUE_STATES = {
    "created": SignalStatus.FIRING,
    "activated": SignalStatus.FIRING,
    "deactivated": SignalStatus.RESOLVED,
    "closed": SignalStatus.RESOLVED,
    "resolved": SignalStatus.RESOLVED,
    "acknowledged": SignalStatus.ACKNOWLEDGED,
}
_LEGACY_FIELDS = frozenset({"current_state", "incident_id", "condition_name"})
# Fields that have become part of the signal; whatever else a template sends is kept as metadata.
_READ = frozenset({
    "id", "issueId", "issue_id", "title", "description", "issueUrl", "issuePageUrl", "incident_url", "incidentUrl",
    "policy_url", "runbook_url", "runbookUrl", "incident_acknowledge_url", "violation_callback_url",
    "violation_chart_url", "issueAckUrl", "issueCloseUrl", "labels", "details", "severity", "priority",
})  # fmt: skip
_LINKS = (
    ("issueUrl", ("issueUrl", "issuePageUrl")),
    ("incident_url", ("incident_url", "incidentUrl")),
    ("policy_url", ("policy_url",)),
    ("runbook", ("runbook_url", "runbookUrl")),
    ("acknowledge", ("incident_acknowledge_url", "issueAckUrl")),
    ("close", ("issueCloseUrl",)),
    ("violation", ("violation_callback_url",)),
    ("chart", ("violation_chart_url",)),
)


def parse(post: Post) -> Parsed:
    """The post's one alert. Raises PayloadError for a body that is not a JSON object."""
    return read_one(post.body, _signal)


def _signal(body: dict[str, Any]) -> Signal:
    return _incident(body) if "state" not in body and _LEGACY_FIELDS & body.keys() else _issue(body)


def _issue(body: dict[str, Any]) -> Signal:
    """An issue of a workflow."""
    issue = first_text(body.get("id"), body.get("issueId"), body.get("issue_id"))
    if issue is None:
        raise ItemError("is missing", ("id",))
    conditions, policies = _texts(body, "alertConditionNames"), _texts(body, "alertPolicyNames")
    entities = _texts(body, "impactedEntities")
    title = first_text(_first(_texts(body, "title")), _first(conditions), _first(policies))
    if title is None:
        raise ItemError("is missing", ("title",))
    status = _issue_status(body)
    metadata, warnings = _metadata(body)
    labels = _labels(body, condition=_first(conditions), policy=_first(policies))
    closed_at = moment(body.get("closedAt"), ("closedAt",)) or moment(body.get("updatedAt"), ("updatedAt",))
    return Signal(
        title=title,
        source=SOURCE,
        dedup_key=dedup_key("nr", 1, issue),
        dedup_recipe="New Relic's issue id",
        status=status,
        description=first_text(body.get("description"), body.get("details")),
        severity_text=text(body.get("priority")),
        service_name=first_of(labels, ("service", "service_name", "app")) or _first(entities),
        labels=labels,
        metadata=metadata,
        started_at=moment(body.get("createdAt"), ("createdAt",)),
        ended_at=closed_at if status is SignalStatus.RESOLVED else None,
        warnings=warnings,
    )


def _issue_status(body: dict[str, Any]) -> SignalStatus:
    """An acknowledgement does not change the issue's state: it is told by the trigger."""
    state = text(body.get("state"))
    if state is None:
        raise ItemError("is missing", ("state",))
    status = _ISSUE_STATES.get(state.strip().lower())
    if status is None:
        raise ItemError(f"must be CREATED, ACTIVATED or CLOSED, not {state[:60]!r}", ("state",))
    trigger = (text(body.get("trigger")) or "").upper()
    if status is SignalStatus.FIRING and "ACKNOWLEDGED" in trigger and "UNACKNOWLEDGED" not in trigger:
        return SignalStatus.ACKNOWLEDGED
    return status


def _incident(body: dict[str, Any]) -> Signal:
    """An incident of the legacy webhook channel."""
    incident = text(body.get("incident_id"))
    condition, policy = text(body.get("condition_name")), text(body.get("policy_name"))
    if incident is None:
        raise ItemError("is missing", ("incident_id",))
    title = first_text(condition, policy, body.get("details"))
    if title is None:
        raise ItemError("is missing", ("condition_name",))
    if text(body.get("current_state")) is None:
        raise ItemError("is missing", ("current_state",))
    status = status_of(body.get("current_state"), ("current_state",))
    targets = body.get("targets")
    target = targets[0] if isinstance(targets, list) and targets and isinstance(targets[0], dict) else {}
    metadata, warnings = _metadata(body)
    labels = _labels({"labels": target.get("labels")}, condition=condition, policy=policy)
    happened_at = moment(body.get("timestamp"), ("timestamp",))
    return Signal(
        title=title,
        source=SOURCE,
        dedup_key=dedup_key("nr", 1, f"incident:{incident}"),
        dedup_recipe="New Relic's incident id (legacy webhook channel)",
        status=status,
        description=text(body.get("details")),
        severity_text=text(body.get("severity")),
        service_name=first_of(labels, ("service", "service_name", "app")) or text(target.get("name")),
        labels=labels,
        metadata=metadata,
        started_at=None if status is SignalStatus.RESOLVED else happened_at,
        ended_at=happened_at if status is SignalStatus.RESOLVED else None,
        warnings=warnings,
    )


def _metadata(body: dict[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Links, and every field that did not become part of the signal."""
    metadata: dict[str, Any] = {}
    warnings: list[str] = []
    for name, spellings in _LINKS:
        value = next((body[spelling] for spelling in spellings if body.get(spelling)), None)
        put_link(metadata, warnings, name=name, value=_first(value) if isinstance(value, list) else value)
    for name, value in body.items():
        if name not in _READ:
            put_json(metadata, warnings, name=name, value=value)
    return metadata, tuple(warnings)


def _labels(body: dict[str, Any], *, condition: str | None, policy: str | None) -> dict[str, str]:
    given = body.get("labels")
    labels = without_empty(text_map(given, ("labels",))) if isinstance(given, dict) else {}
    if condition is not None:
        labels.setdefault("condition", condition)
    if policy is not None:
        labels.setdefault("policy", policy)
    return labels


def _texts(body: dict[str, Any], name: str) -> list[str]:
    """A list of names; a template may send it as JSON in a text, or as one name."""
    value = body.get(name)
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = msgspec.json.decode(value)
        except (ValueError, RecursionError):
            return [value] if isinstance(value, str) else []
    entries = value if isinstance(value, list) else [value]
    return [found for found in map(text, entries) if found is not None]


def _first(values: list[Any]) -> str | None:
    return text(values[0]) if values else None
