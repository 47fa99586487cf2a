"""Does Alertmanager's webhook (payload version 4) become the right signals?"""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from domain.alerts.signal import RejectedItem, Signal, SignalStatus
from graphql_api.webhooks import prometheus
from graphql_api.webhooks.contract import PayloadError
from tests.unit.webhooks.posts import make_post, only_rejection, only_signal, sample

NANOSECONDS_IN_UTC = datetime(2026, 11, 24, 4, 24, 3, 123457, tzinfo=UTC)
ALERT: dict[str, Any] = {
    "status": "firing",
    "labels": {"alertname": "DiskFull", "severity": "warning", "job": "node"},
    "annotations": {"summary": "Disk 95%"},
    "startsAt": "2026-11-24T04:24:03.841Z",
    "endsAt": "0001-01-01T00:00:00Z",
    "fingerprint": "a1b2c3d4e5f60718",
}


def group(*alerts: object, **envelope: object) -> dict[str, object]:
    return {"version": "4", "receiver": "hook", "status": "firing", "alerts": list(alerts), **envelope}


def test_the_firing_sample() -> None:
    signal = only_signal(prometheus.parse(make_post(sample("alertmanager-v4-firing.json"))))
    assert signal == Signal(
        title="Error rate above 5% on checkout",
        source="prometheus",
        dedup_key="am:1:bfd2591f3f21e96b",
        dedup_recipe="Alertmanager's fingerprint of the alert's labels",
        status=SignalStatus.FIRING,
        severity_text="critical",
        service_name="checkout",
        labels={
            "alertname": "HighErrorRate",
            "cluster": "eu-1",
            "service": "checkout",
            "severity": "critical",
            "team": "payments",
        },
        metadata={
            "receiver": "hook",
            "groupKey": '{}:{alertname="HighErrorRate", service="checkout"}',
            "externalURL": "http://am.example.test:9093",
            "generatorURL": "http://prom-a.example.test:9090/graph?g0.expr=vector%281%29+%3E+0&g0.tab=1",
            "runbook": "https://runbooks.example.test/checkout",
            "annotations": {
                "runbook_url": "https://runbooks.example.test/checkout",
                "summary": "Error rate above 5% on checkout",
            },
        },
        started_at=datetime(2026, 11, 24, 4, 24, 3, 841000, tzinfo=UTC),
    )


def test_the_resolved_sample_has_the_same_key_and_an_end() -> None:
    signal = only_signal(prometheus.parse(make_post(sample("alertmanager-v4-resolved.json"))))
    assert signal.status is SignalStatus.RESOLVED
    assert signal.dedup_key == "am:1:bfd2591f3f21e96b"
    assert signal.ended_at == datetime(2026, 11, 24, 4, 24, 12, 841000, tzinfo=UTC)


def test_each_alert_has_its_own_status_whatever_the_group_says() -> None:
    gone = {**ALERT, "status": "resolved", "endsAt": "2026-11-24T04:24:30Z", "fingerprint": "0000000000000002"}
    parsed = prometheus.parse(make_post(group(ALERT, gone, status="firing")))
    assert [item.status for item in parsed if isinstance(item, Signal)] == [SignalStatus.FIRING, SignalStatus.RESOLVED]


@pytest.mark.parametrize(
    ("change", "field", "expected"),
    [
        ({"annotations": {"title": "From title"}}, "title", "From title"),
        ({"annotations": {"summary": "  "}}, "title", "DiskFull"),
        ({"annotations": None}, "title", "DiskFull"),
        ({"annotations": {}, "labels": {"instance": "a", "job": "b"}}, "title", '{instance="a", job="b"}'),
        ({"labels": {}, "annotations": {}}, "title", "alert without a name"),
        ({"annotations": {"description": "long"}}, "description", "long"),
        ({"annotations": {"message": "from message"}}, "description", "from message"),
        ({"labels": {"service": "a", "app": "b"}}, "service_name", "a"),
        ({"labels": {"service_name": "a", "app": "b"}}, "service_name", "a"),
        ({"labels": {"app": "b", "job": "c"}}, "service_name", "b"),
        ({}, "service_name", "node"),
        ({"labels": {"alertname": "x", "priority": "P2"}}, "severity_text", "P2"),
        ({"labels": {"alertname": "x"}}, "severity_text", None),
        ({"labels": {"alertname": "x", "empty": ""}}, "labels", {"alertname": "x"}),
        ({"labels": {"a": 1, "b": True, "c": 1.5, "d": None}}, "labels", {"a": "1", "b": "true", "c": "1.5"}),
        ({"startsAt": "2026-11-24T09:54:03.123456789+05:30"}, "started_at", NANOSECONDS_IN_UTC),
        ({"startsAt": "0001-01-01T00:00:00+05:00"}, "started_at", None),
        ({"startsAt": "9999-12-31T23:59:59-05:00"}, "started_at", None),
        ({"startsAt": "2099-01-01T00:00:00Z"}, "started_at", datetime(2099, 1, 1, tzinfo=UTC)),
        ({"startsAt": None}, "started_at", None),
        ({"endsAt": "2026-11-24T05:00:00Z"}, "ended_at", None),
        ({"status": None}, "status", SignalStatus.FIRING),
        ({"status": "resolved", "endsAt": "0001-01-01T00:00:00Z"}, "ended_at", None),
        ({"fingerprint": None, "labels": {"a": "b"}}, "dedup_key", "am:1:d2b371819297f98a"),
        ({"fingerprint": "", "labels": {"a": "b", "replica": "r1"}}, "dedup_key", "am:1:d2b371819297f98a"),
    ],
)  # fmt: skip
def test_fields(change: dict[str, object], field: str, expected: object) -> None:
    signal = only_signal(prometheus.parse(make_post(group({**ALERT, **change}))))
    assert getattr(signal, field) == expected


def test_a_missing_status_is_the_groups() -> None:
    alert = {name: value for name, value in ALERT.items() if name != "status"}
    assert only_signal(prometheus.parse(make_post(group(alert, status="resolved")))).status is SignalStatus.RESOLVED


def test_truncated_alerts_leave_a_warning_on_each_signal() -> None:
    parsed = prometheus.parse(make_post(group(ALERT, {**ALERT, "fingerprint": "b"}, truncatedAlerts=7)))
    assert [len(item.warnings) for item in parsed if isinstance(item, Signal)] == [1, 1]
    assert isinstance(parsed[0], Signal)
    assert "left 7 more alerts of this group out" in parsed[0].warnings[0]


def test_the_same_alert_twice_is_two_signals_of_one_key() -> None:
    parsed = prometheus.parse(make_post(group(ALERT, ALERT)))
    assert [item.dedup_key for item in parsed if isinstance(item, Signal)] == ["am:1:a1b2c3d4e5f60718"] * 2


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", " JavaScript:alert(1)", "java\nscript:alert(1)", "data:text/html,x"]
)
def test_a_script_is_never_kept_as_a_link(url: str) -> None:
    alert = {**ALERT, "generatorURL": url, "annotations": {"runbook_url": url, "summary": "x"}}
    signal = only_signal(prometheus.parse(make_post(group(alert, externalURL=url))))
    assert signal.metadata == {"receiver": "hook", "annotations": {"summary": "x"}}
    assert [warning.split(" ")[0] for warning in signal.warnings] == [
        "externalURL",
        "annotations.runbook_url",
        "generatorURL",
        "runbook",
    ]


@pytest.mark.parametrize(
    ("change", "path", "message"),
    [
        ({"labels": {"severity": ["critical"]}}, ("labels", "severity"), "must be text, not a list"),
        ({"labels": {"severity": {"a": 1}}}, ("labels", "severity"), "must be text, not an object"),
        ({"labels": "x"}, ("labels",), "must be an object of texts, not text"),
        ({"annotations": [1]}, ("annotations",), "must be an object of texts, not a list"),
        ({"labels": {}, "fingerprint": ""}, ("labels",), "an alert needs at least one label"),
        ({"startsAt": "yesterday"}, ("startsAt",), "Invalid RFC3339 encoded datetime"),
        ({"startsAt": {}}, ("startsAt",), "Expected `datetime | null`, got `object`"),
        ({"status": "suppressed"}, ("status",), "must be firing, acknowledged or resolved"),
        ({"status": 3}, ("status",), "Expected `str | null`, got `int`"),
        ({"annotations": {"summary": "a\x00b"}}, ("annotations", "summary"), "the character NUL"),
        ({"labels": {"a\x00b": "x"}}, ("labels", "a\ufffdb"), "the character NUL"),
        ({"labels": {"x": "\ud800"}}, ("labels", "x"), "lone surrogate"),
    ],
)  # fmt: skip
def test_a_bad_alert_is_rejected_alone(change: dict[str, object], path: tuple[str, ...], message: str) -> None:
    bad = {**ALERT, **change}
    parsed = prometheus.parse(make_post(group(ALERT, bad, ALERT)))
    first, rejected, last = parsed
    assert isinstance(first, Signal)
    assert first == last
    assert isinstance(rejected, RejectedItem)
    assert rejected.path == ("alerts", "1", *path)
    assert message in rejected.message
    assert json.loads(rejected.raw) == bad


def test_an_item_that_is_no_object_is_rejected_alone() -> None:
    parsed = prometheus.parse(make_post(group(ALERT, 7)))
    assert isinstance(parsed[0], Signal)
    assert only_rejection(parsed[1:]) == RejectedItem(
        message="must be an object, not a number", path=("alerts", "1"), raw=b"7"
    )


@pytest.mark.parametrize("envelope", [{"groupKey": 666}, {"truncatedAlerts": "many"}, {"receiver": {"a": "\x00"}}])
def test_an_odd_envelope_costs_no_alert(envelope: dict[str, object]) -> None:
    assert only_signal(prometheus.parse(make_post(group(ALERT, **envelope)))).title == "Disk 95%"


@pytest.mark.parametrize(
    ("body", "status", "path", "message"),
    [
        (b"", 400, (), "empty"),
        (b"  \n", 400, (), "empty"),
        (b"hello", 400, (), "not valid JSON"),
        (b'{"alerts": [{"labels"', 400, (), "not valid JSON"),
        (b"\xff\xfe[\x00]\x00", 400, (), "UTF-16"),
        (b"null", 422, (), "must be a JSON object or list"),
        (b"3", 422, (), "must be a JSON object or list"),
        (b"[]", 422, ("alerts",), "must be an object"),
        (b"{}", 422, ("alerts",), "'alerts' is missing"),
        (b'{"alerts": []}', 422, ("alerts",), "'alerts' is empty"),
        (b'{"alerts": {}}', 422, ("alerts",), "must be a list"),
        (b'{"alerts": null}', 422, ("alerts",), "must be a list"),
        (b'{"alerts": "x"}', 422, ("alerts",), "must be a list"),
        (b'{"alerts": [nope]}', 400, (), "not valid JSON"),
        (b"[" * 100_000, 400, (), "not valid JSON"),
        (b"[" * 100_000 + b"]" * 100_000, 422, ("alerts",), "must be an object"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, 422, ("alerts",), "'alerts' is missing"),
    ],
)
def test_a_body_that_is_no_notification(body: bytes, status: int, path: tuple[str, ...], message: str) -> None:
    with pytest.raises(PayloadError, match=message) as caught:
        prometheus.parse(make_post(body))
    assert (caught.value.status, caught.value.path) == (status, path)


def test_a_byte_order_mark_is_no_error() -> None:
    body = b"\xef\xbb\xbf" + json.dumps(group(ALERT)).encode()
    assert only_signal(prometheus.parse(make_post(body))).title == "Disk 95%"
