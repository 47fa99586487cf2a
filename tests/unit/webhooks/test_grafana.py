"""Do Grafana's posts, of unified and of the older alerting, become the right signals, and only when they are signed?"""

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.alerts.signal import RejectedItem, Signal, SignalStatus
from domain.integrations.model import IntegrationSource
from graphql_api.webhooks import grafana
from graphql_api.webhooks.contract import PayloadError
from tests.unit.webhooks.posts import RECEIVED_AT, make_integration, make_post, only_rejection, only_signal, sample

SAMPLE = sample("grafana-unified_firing.json")
ALERT: dict[str, Any] = json.loads(SAMPLE)["alerts"][0]
LEGACY: dict[str, Any] = {
    "dashboardId": 2,
    "evalMatches": [{"metric": "host-1", "value": 97.1, "tags": {"host": "1"}}],
    "imageUrl": "https://grafana.example.test/img.png",
    "message": "Look at it",
    "orgId": 1,
    "panelId": 3,
    "ruleId": 42,
    "ruleName": "CPU high",
    "ruleUrl": "https://grafana.example.test/d/x?viewPanel=3",
    "state": "alerting",
    "tags": {"team": "payments", "severity": "critical", "service": "checkout"},
    "title": "[Alerting] CPU high",
}


def post_of(*alerts: object, **envelope: object) -> dict[str, object]:
    return {"receiver": "hook", "status": "firing", "alerts": list(alerts), **envelope}


def test_the_sample() -> None:
    signal = only_signal(grafana.parse(make_post(SAMPLE)))
    assert signal.title == "p99 above 1.5s for 5m"
    assert signal.description == "p99 is 2.31s"
    assert signal.source == "grafana"
    assert signal.dedup_key == "gf:1:bd3q0z:c6eadffa33fcdf37"
    assert (signal.severity_text, signal.service_name) == ("critical", "checkout")
    assert signal.started_at == datetime(2026, 3, 4, 11, 20, tzinfo=UTC)
    assert (signal.ended_at, signal.expires_at, signal.warnings) == (None, None, ())
    assert signal.metadata["values"] == {"B": 2.31, "C": 1}
    assert signal.metadata["valueString"].startswith("[ var='B'")
    assert signal.metadata["imageURL"] == "https://grafana.example.test/render/img-1.png"
    assert signal.metadata["runbook"] == "https://runbooks.example.test/latency"
    assert {"silenceURL", "dashboardURL", "panelURL", "generatorURL", "externalURL", "annotations"} <= set(
        signal.metadata
    )


def test_resolved() -> None:
    alert = {**ALERT, "status": "resolved", "endsAt": "2026-03-04T11:30:00Z"}
    signal = only_signal(grafana.parse(make_post(post_of(alert))))
    assert signal.status is SignalStatus.RESOLVED
    assert signal.dedup_key == "gf:1:bd3q0z:c6eadffa33fcdf37"
    assert signal.ended_at == datetime(2026, 3, 4, 11, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"ruleUID": None}, "gf:1:c6eadffa33fcdf37"),
        ({"ruleUID": None, "labels": {"a": "b", "__alert_rule_uid__": "r1"}}, "gf:1:r1:c6eadffa33fcdf37"),
        ({"fingerprint": None, "labels": {"a": "b"}}, "gf:1:labels:0518b2cdcb9c716334776740"),
        ({"fingerprint": None, "labels": {"a": "b", "replica": "x"}}, "gf:1:labels:0518b2cdcb9c716334776740"),
    ],
)
def test_keys(change: dict[str, object], expected: str) -> None:
    assert only_signal(grafana.parse(make_post(post_of({**ALERT, **change})))).dedup_key == expected


@pytest.mark.parametrize(
    ("name", "title"), [("DatasourceNoData", "No data: p99"), ("DatasourceError", "Evaluation failed: p99")]
)
def test_a_rule_that_could_not_be_evaluated_does_not_read_like_its_own_alarm(name: str, title: str) -> None:
    alert = {
        **ALERT,
        "labels": {"alertname": name, "rulename": "p99", "datasource_uid": "P1"},
        "annotations": {"summary": "p99 above 1.5s", "Error": "no such host"},
        "values": None,
    }
    signal = only_signal(grafana.parse(make_post(post_of(alert))))
    assert signal.title == title
    assert signal.description == "no such host\np99 above 1.5s"
    assert signal.status is SignalStatus.FIRING


def test_the_test_button_opens_an_alert_that_closes_by_itself() -> None:
    alert = {
        "status": "firing",
        "labels": {"alertname": "TestAlert", "instance": "Grafana"},
        "annotations": {"summary": "Notification test"},
        "startsAt": "2026-11-24T04:25:00.0Z",
        "fingerprint": "57c6d9296de2ad39",
        "generatorURL": "",
        "dashboardURL": "",
        "values": {},
    }
    signal = only_signal(grafana.parse(make_post(post_of(alert, receiver="test"))))
    assert signal.title == "Notification test"
    assert signal.severity_text == "info"
    assert signal.expires_at == RECEIVED_AT + timedelta(minutes=10)
    assert signal.warnings == ("a test of the contact point: it closes by itself",)
    assert "values" not in signal.metadata


def test_truncated_alerts_leave_a_warning() -> None:
    signal = only_signal(grafana.parse(make_post(post_of(ALERT, truncatedAlerts=3))))
    assert "left 3 more alerts" in signal.warnings[0]


def test_values_are_made_fit_to_be_kept() -> None:
    deep: object = 1
    for _ in range(300):
        deep = {"a": deep}
    alert = {**ALERT, "values": {"huge": 10**30, "deep": deep}, "panelURL": "javascript:x"}
    signal = only_signal(grafana.parse(make_post(post_of(alert))))
    assert signal.metadata["values"]["huge"] == str(10**30)
    assert "panelURL" not in signal.metadata
    assert len(signal.warnings) == 2


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"labels": {"severity": []}}, ("labels", "severity")),
        ({"labels": {}, "fingerprint": None}, ("labels",)),
        ({"status": "odd"}, ("status",)),
        ({"startsAt": 5e30}, ("startsAt",)),
        ({"values": {"B": "\x00"}}, ("values", "B")),
        ({"valueString": "\ud800"}, ("valueString",)),
    ],
)
def test_a_bad_alert_is_rejected_alone(change: dict[str, object], path: tuple[str, ...]) -> None:
    first, rejected, last = grafana.parse(make_post(post_of(ALERT, {**ALERT, **change}, ALERT)))
    assert isinstance(first, Signal)
    assert first == last
    assert isinstance(rejected, RejectedItem)
    assert rejected.path == ("alerts", "1", *path)


# -- alerting before version 9 -----------------------------------------------------------------------------------------


def test_legacy_alerting() -> None:
    signal = only_signal(grafana.parse(make_post(LEGACY)))
    assert signal.title == "CPU high"
    assert signal.description == "Look at it"
    assert signal.dedup_key == "gf:1:rule:1:42"
    assert (signal.severity_text, signal.service_name) == ("critical", "checkout")
    assert signal.labels == LEGACY["tags"]
    assert signal.metadata["ruleUrl"] == LEGACY["ruleUrl"]
    assert signal.metadata["imageUrl"] == LEGACY["imageUrl"]
    assert signal.metadata["evalMatches"] == LEGACY["evalMatches"]
    assert signal.status is SignalStatus.FIRING


@pytest.mark.parametrize(
    ("state", "status", "warnings"),
    [
        ("alerting", SignalStatus.FIRING, 0),
        ("ok", SignalStatus.RESOLVED, 0),
        ("no_data", SignalStatus.FIRING, 1),
        ("paused", SignalStatus.RESOLVED, 1),
    ],
)
def test_legacy_states(state: str, status: SignalStatus, warnings: int) -> None:
    signal = only_signal(grafana.parse(make_post({**LEGACY, "state": state, "title": f"[{state}] CPU high"})))
    assert (signal.status, len(signal.warnings), signal.dedup_key) == (status, warnings, "gf:1:rule:1:42")


def test_the_oldest_legacy_shape() -> None:
    body = {
        "title": "[Alerting] Test",
        "ruleId": 7,
        "state": "alerting",
        "evalMatches": None,
        "rule_url": "http://g/x",
        "image_url": "http://g/y",
    }
    signal = only_signal(grafana.parse(make_post(body)))
    assert signal.title == "Test"
    assert signal.dedup_key == "gf:1:rule:7"
    assert signal.metadata == {
        "ruleUrl": "http://g/x",
        "imageUrl": "http://g/y",
        "title": "[Alerting] Test",
        "state": "alerting",
    }


def test_the_legacy_test_button() -> None:
    body = {**LEGACY, "ruleId": 0, "ruleName": "Test notification", "tags": {}}
    signal = only_signal(grafana.parse(make_post(body)))
    assert signal.expires_at == RECEIVED_AT + timedelta(minutes=10)
    assert signal.severity_text == "info"


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"ruleId": None}, ("ruleId",)),
        ({"ruleName": "", "title": "[Alerting]"}, ("ruleName",)),
        ({"state": None}, ("state",)),
        ({"state": "pending"}, ("state",)),
        ({"tags": ["a"]}, ("tags",)),
        ({"message": "\x00"}, ("message",)),
    ],
)
def test_bad_legacy_posts(change: dict[str, object], path: tuple[str, ...]) -> None:
    assert only_rejection(grafana.parse(make_post({**LEGACY, **change}))).path == path


@pytest.mark.parametrize(
    ("body", "status", "path"),
    [
        (b"", 400, ()),
        (b"x", 400, ()),
        (b"[]", 422, ("alerts",)),
        (b"{}", 422, ("alerts",)),
        (b'{"alerts": []}', 422, ("alerts",)),
        (b'{"alerts": 1, "ruleId": 3}', 422, ("alerts",)),
    ],
)
def test_a_body_that_grafana_did_not_write(body: bytes, status: int, path: tuple[str, ...]) -> None:
    with pytest.raises(PayloadError) as caught:
        grafana.parse(make_post(body))
    assert (caught.value.status, caught.value.path) == (status, path)


# -- signatures --------------------------------------------------------------------------------------------------------

SIGNED = make_integration(IntegrationSource.GRAFANA, hmac_secret="test-secret")
SIGNED_AT = datetime.fromtimestamp(1772623230, tz=UTC)
HEADERS = {
    name.lower(): value
    for name, value in json.loads(sample("grafana-unified_firing.headers.json")).items()
    if name.startswith("X-")
}


@pytest.mark.parametrize("later", [timedelta(0), timedelta(minutes=5), timedelta(minutes=-5)])
def test_the_signed_sample(later: timedelta) -> None:
    post = make_post(SAMPLE, integration=SIGNED, headers=HEADERS, received_at=SIGNED_AT + later)
    assert only_signal(grafana.parse(post)).title == "p99 above 1.5s for 5m"


def test_a_signature_over_the_body_alone() -> None:
    signature = hmac.new(b"test-secret", SAMPLE, hashlib.sha256).hexdigest().upper()
    headers = {"x-grafana-alerting-signature": signature, "x-proxy-timestamp": "12"}
    signal = only_signal(grafana.parse(make_post(SAMPLE, integration=SIGNED, headers=headers)))
    assert signal.dedup_key == "gf:1:bd3q0z:c6eadffa33fcdf37"


@pytest.mark.parametrize(
    ("headers", "body", "later", "message"),
    [
        ({}, SAMPLE, timedelta(0), "not signed"),
        (HEADERS, SAMPLE + b" ", timedelta(0), "does not fit"),
        ({**HEADERS, "x-grafana-alerting-signature": "0" * 64}, SAMPLE, timedelta(0), "does not fit"),
        ({**HEADERS, "x-grafana-alerting-signature": "é"}, SAMPLE, timedelta(0), "does not fit"),
        ({**HEADERS, "x-grafana-alerting-timestamp": "1772623231"}, SAMPLE, timedelta(0), "does not fit"),
        (HEADERS, SAMPLE, timedelta(minutes=5, seconds=1), "too far from now"),
        (HEADERS, SAMPLE, timedelta(minutes=-6), "too far from now"),
    ],
)
def test_a_post_without_a_good_signature_is_refused(
    headers: dict[str, str], body: bytes, later: timedelta, message: str
) -> None:
    post = make_post(body, integration=SIGNED, headers=headers, received_at=SIGNED_AT + later)
    with pytest.raises(PayloadError, match=message) as caught:
        grafana.parse(post)
    assert caught.value.status == 401


def test_a_signed_timestamp_that_is_no_time_is_refused() -> None:
    signature = hmac.new(b"test-secret", b"soon:" + SAMPLE, hashlib.sha256).hexdigest()
    headers = {"x-grafana-alerting-signature": signature, "x-grafana-alerting-timestamp": "soon"}
    with pytest.raises(PayloadError, match="not a Unix time"):
        grafana.parse(make_post(SAMPLE, integration=SIGNED, headers=headers))
