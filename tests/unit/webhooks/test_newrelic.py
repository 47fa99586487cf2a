"""Do New Relic's workflows, and its legacy webhook channel, become the right signals?"""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from domain.alerts.signal import SignalStatus
from graphql_api.webhooks import newrelic
from graphql_api.webhooks.contract import PayloadError
from tests.unit.webhooks.posts import make_post, only_rejection, only_signal, sample

ISSUE: dict[str, Any] = json.loads(sample("newrelic-workflow_activated.json"))
INCIDENT: dict[str, Any] = {
    "account_id": 204117,
    "account_name": "Example",
    "condition_id": 77,
    "condition_name": "Error rate",
    "current_state": "open",
    "details": "Error rate > 5 for at least 5 minutes",
    "event_type": "INCIDENT",
    "incident_acknowledge_url": "https://alerts.newrelic.example/ack",
    "incident_id": 123,
    "incident_url": "https://alerts.newrelic.example/incidents/123",
    "owner": "",
    "policy_name": "Golden signals",
    "policy_url": "https://alerts.newrelic.example/policies/1",
    "runbook_url": "https://runbooks.example.test/errors",
    "severity": "CRITICAL",
    "targets": [{"id": "1", "name": "checkout-api", "type": "Application", "labels": {"env": "prod"}}],
    "timestamp": 1772623298123,
}
AT = datetime(2026, 3, 4, 11, 21, 38, 123000, tzinfo=UTC)


def test_the_sample() -> None:
    signal = only_signal(newrelic.parse(make_post(ISSUE)))
    assert signal.title == "checkout-api query result is > 5.0 on 'Error rate'"
    assert signal.source == "newrelic"
    assert signal.dedup_key == "nr:1:4d6f9a55-2e37-4a8e-9b73-7b9d06f54c2e"
    assert (signal.severity_text, signal.service_name) == ("CRITICAL", "checkout-api")
    assert signal.labels == {"condition": "Error rate", "policy": "Checkout golden signals"}
    assert (signal.started_at, signal.ended_at) == (AT, None)
    assert signal.metadata["issueUrl"].startswith("https://radar-api.service.newrelic.example/")
    assert signal.metadata["impactedEntities"] == ["checkout-api", "payments-db"]
    assert signal.metadata["workflowName"] == "payments-to-oncall"


@pytest.mark.parametrize(
    ("state", "trigger", "status"),
    [
        ("CREATED", "STATE_CHANGE", SignalStatus.FIRING),
        ("ACTIVATED", "STATE_CHANGE", SignalStatus.FIRING),
        ("activated", None, SignalStatus.FIRING),
        ("ACTIVATED", "ISSUE_ACKNOWLEDGED", SignalStatus.ACKNOWLEDGED),
        ("ACTIVATED", "ISSUE_UNACKNOWLEDGED", SignalStatus.FIRING),
        ("ACKNOWLEDGED", "", SignalStatus.ACKNOWLEDGED),
        ("CLOSED", "STATE_CHANGE", SignalStatus.RESOLVED),
        ("CLOSED", "ISSUE_ACKNOWLEDGED", SignalStatus.RESOLVED),
        ("RESOLVED", "STATE_CHANGE", SignalStatus.RESOLVED),
        ("DEACTIVATED", "STATE_CHANGE", SignalStatus.RESOLVED),
    ],
)
def test_states_of_an_issue(state: str, trigger: str | None, status: SignalStatus) -> None:
    signal = only_signal(newrelic.parse(make_post({**ISSUE, "state": state, "trigger": trigger})))
    assert signal.status is status
    assert signal.dedup_key == "nr:1:4d6f9a55-2e37-4a8e-9b73-7b9d06f54c2e"


def test_a_closed_issue_ends_when_it_was_closed() -> None:
    updated = only_signal(newrelic.parse(make_post({**ISSUE, "state": "CLOSED"})))
    assert updated.ended_at == datetime(2026, 3, 4, 11, 21, 41, 456000, tzinfo=UTC)
    closed = only_signal(newrelic.parse(make_post({**ISSUE, "state": "CLOSED", "closedAt": "2026-03-04T11:30:00Z"})))
    assert closed.ended_at == datetime(2026, 3, 4, 11, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("change", "field", "expected"),
    [
        ({"impactedEntities": '["a", "b"]'}, "service_name", "a"),
        ({"impactedEntities": "a"}, "service_name", "a"),
        ({"impactedEntities": "[broken"}, "service_name", "[broken"),
        ({"impactedEntities": []}, "service_name", None),
        ({"labels": {"service": "pay", "n": 1}}, "service_name", "pay"),
        ({"title": ["first", "second"]}, "title", "first"),
        ({"title": ""}, "title", "Error rate"),
        ({"title": None, "alertConditionNames": None}, "title", "Checkout golden signals"),
        ({"id": None, "issueId": "i-1"}, "dedup_key", "nr:1:i-1"),
        ({"description": "why"}, "description", "why"),
        ({"priority": "HIGH"}, "severity_text", "HIGH"),
    ],
)
def test_variants_of_an_issue(change: dict[str, object], field: str, expected: object) -> None:
    assert getattr(only_signal(newrelic.parse(make_post({**ISSUE, **change}))), field) == expected


def test_the_legacy_channel() -> None:
    signal = only_signal(newrelic.parse(make_post(INCIDENT)))
    assert signal.title == "Error rate"
    assert signal.description == "Error rate > 5 for at least 5 minutes"
    assert signal.dedup_key == "nr:1:incident:123"
    assert (signal.severity_text, signal.service_name) == ("CRITICAL", "checkout-api")
    assert signal.labels == {"env": "prod", "condition": "Error rate", "policy": "Golden signals"}
    assert (signal.started_at, signal.ended_at) == (AT, None)
    assert signal.metadata["runbook"] == "https://runbooks.example.test/errors"
    assert signal.metadata["incident_url"] == "https://alerts.newrelic.example/incidents/123"
    assert signal.metadata["account_id"] == 204117


@pytest.mark.parametrize(
    ("state", "status", "ended_at"),
    [
        ("open", SignalStatus.FIRING, None),
        ("OPEN", SignalStatus.FIRING, None),
        ("acknowledged", SignalStatus.ACKNOWLEDGED, None),
        ("closed", SignalStatus.RESOLVED, AT),
    ],
)
def test_states_of_an_incident(state: str, status: SignalStatus, ended_at: datetime | None) -> None:
    signal = only_signal(newrelic.parse(make_post({**INCIDENT, "current_state": state})))
    assert (signal.status, signal.ended_at, signal.dedup_key) == (status, ended_at, "nr:1:incident:123")


def test_a_script_is_never_kept_as_a_link() -> None:
    signal = only_signal(newrelic.parse(make_post({**ISSUE, "issueUrl": "javascript:x", "extra": {"u": "vbscript:x"}})))
    assert "issueUrl" not in signal.metadata
    assert signal.metadata["extra"] == {"u": None}
    assert len(signal.warnings) == 2


@pytest.mark.parametrize(
    ("body", "change", "path"),
    [
        (ISSUE, {"id": None}, ("id",)),
        (ISSUE, {"state": None}, ("state",)),
        (ISSUE, {"state": "ODD"}, ("state",)),
        (ISSUE, {"title": None, "alertConditionNames": [], "alertPolicyNames": []}, ("title",)),
        (ISSUE, {"createdAt": "then"}, ("createdAt",)),
        (ISSUE, {"createdAt": 10**30}, ("createdAt",)),
        (ISSUE, {"labels": {"a": []}}, ("labels", "a")),
        (ISSUE, {"title": "\x00"}, ("title",)),
        (ISSUE, {"sources": ["\udc00"]}, ("sources", "0")),
        (INCIDENT, {"incident_id": None}, ("incident_id",)),
        (INCIDENT, {"current_state": ""}, ("current_state",)),
        (INCIDENT, {"current_state": "odd"}, ("current_state",)),
        (INCIDENT, {"condition_name": None, "policy_name": None, "details": None}, ("condition_name",)),
        ({}, {}, ("id",)),
    ],
)
def test_bad_fields(body: dict[str, object], change: dict[str, object], path: tuple[str, ...]) -> None:
    rejected = only_rejection(newrelic.parse(make_post({**body, **change})))
    assert rejected.path == path
    assert json.loads(rejected.raw) == {**body, **change}


@pytest.mark.parametrize(("body", "status"), [(b"", 400), (b"x", 400), (b"[]", 422), (b"null", 422)])
def test_a_body_that_is_no_object(body: bytes, status: int) -> None:
    with pytest.raises(PayloadError) as caught:
        newrelic.parse(make_post(body))
    assert caught.value.status == status
