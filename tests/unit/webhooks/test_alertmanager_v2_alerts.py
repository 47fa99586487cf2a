"""Do Prometheus' and amtool's own pushes become the right signals, under the keys Alertmanager's webhook would give?"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.alerts.signal import RejectedItem, Signal, SignalStatus
from graphql_api.webhooks import alertmanager_v2_alerts, prometheus
from graphql_api.webhooks.alert_labels import fingerprint, labels_key
from graphql_api.webhooks.contract import PayloadError
from tests.unit.webhooks.posts import RECEIVED_AT, make_post, only_rejection, only_signal, sample

FIRING = "alertmanager_api_v2-prometheus_firing.json"
DURING = datetime(2026, 11, 24, 4, 23, 20, tzinfo=UTC)
ALERT: dict[str, Any] = {
    "labels": {"alertname": "DiskFull", "instance": "db-01"},
    "annotations": {},
    "startsAt": "2026-11-24T04:20:00Z",
    "endsAt": "2026-11-24T04:29:00Z",
}


def test_prometheus_fires_with_an_end_in_the_future() -> None:
    signal = only_signal(alertmanager_v2_alerts.parse(make_post(sample(FIRING), received_at=DURING)))
    assert signal.status is SignalStatus.FIRING
    assert signal.title == "Error rate above 5% on checkout"
    assert signal.started_at == datetime(2026, 11, 24, 4, 23, 18, 841000, tzinfo=UTC)
    assert signal.expires_at == datetime(2026, 11, 24, 4, 23, 38, 841000, tzinfo=UTC)
    assert signal.ended_at is None
    assert signal.metadata["runbook"] == "https://runbooks.example.test/checkout"


def test_prometheus_resolves_with_an_end_in_the_past() -> None:
    signal = only_signal(alertmanager_v2_alerts.parse(make_post(sample(FIRING), received_at=RECEIVED_AT)))
    assert signal.status is SignalStatus.RESOLVED
    assert signal.ended_at == datetime(2026, 11, 24, 4, 23, 38, 841000, tzinfo=UTC)
    assert signal.expires_at is None


def test_both_doors_give_one_alert_one_key() -> None:
    by_webhook = only_signal(prometheus.parse(make_post(sample("alertmanager-v4-firing.json"))))
    by_push = only_signal(alertmanager_v2_alerts.parse(make_post(sample(FIRING))))
    assert by_push.labels == by_webhook.labels
    assert by_push.dedup_key == by_webhook.dedup_key == "am:1:bfd2591f3f21e96b"


def test_amtool_names_no_start() -> None:
    signal = only_signal(alertmanager_v2_alerts.parse(make_post(sample("alertmanager_api_v2-amtool_add.json"))))
    assert signal.started_at is None
    assert signal.expires_at == datetime(2027, 1, 1, tzinfo=UTC)
    assert (signal.title, signal.severity_text, signal.service_name) == ("disk 95%", "critical", None)


@pytest.mark.parametrize("end", [{}, {"endsAt": None}, {"endsAt": "0001-01-01T00:00:00Z"}])
def test_without_an_end_it_ends_after_the_resolve_timeout(end: dict[str, object]) -> None:
    alert = {name: value for name, value in ALERT.items() if name != "endsAt"}
    signal = only_signal(alertmanager_v2_alerts.parse(make_post([{**alert, **end}])))
    assert signal.status is SignalStatus.FIRING
    assert signal.expires_at == RECEIVED_AT + timedelta(minutes=5)


@pytest.mark.parametrize("replica", ["replica", "prometheus_replica"])
def test_the_two_replicas_of_a_prometheus_report_one_problem(replica: str) -> None:
    keys = {
        only_signal(
            alertmanager_v2_alerts.parse(make_post([{**ALERT, "labels": {**ALERT["labels"], replica: name}}]))
        ).dedup_key
        for name in "ab"
    }
    assert keys == {labels_key(ALERT["labels"])}


def test_labels_that_are_replicas_only_still_tell_alerts_apart() -> None:
    assert labels_key({"replica": "a"}) != labels_key({"replica": "b"})


def test_empty_labels_are_dropped_before_hashing() -> None:
    alert = {**ALERT, "labels": {**ALERT["labels"], "team": ""}}
    signal = only_signal(alertmanager_v2_alerts.parse(make_post([alert])))
    assert signal.labels == ALERT["labels"]
    assert signal.dedup_key == labels_key(ALERT["labels"])


@pytest.mark.parametrize(
    "labels",
    [{}, {"a": "b"}, {"b": "1", "a": "x" * 301}, {"a": "é", "b": "", "c": "odd"}, {"dump": "y" * 100_000}],
    ids=["empty", "one", "long", "odd", "huge"],
)
def test_fingerprint_is_fnv1a_of_the_sorted_labels(labels: dict[str, str]) -> None:
    state = 0xCBF29CE484222325
    for byte in b"".join(f"{name}\0{labels[name]}\0".encode().replace(b"\0", b"\xff") for name in sorted(labels)):
        state = (state ^ byte) * 0x100000001B3 % 2**64
    assert fingerprint(labels) == f"{state:016x}"


def test_an_empty_list_is_fine() -> None:
    assert alertmanager_v2_alerts.parse(make_post(b"[]")) == []


@pytest.mark.parametrize(
    ("change", "path", "message"),
    [
        ({"labels": {}}, ("labels",), "at least one label"),
        ({"labels": {"alertname": ""}}, ("labels",), "at least one label"),
        ({"labels": None}, ("labels",), "at least one label"),
        ({"labels": {"": "x"}}, ("labels", ""), "name must not be empty"),
        ({"labels": {"a": [1]}}, ("labels", "a"), "must be text"),
        ({"startsAt": "2026-11-24T04:30:00Z"}, ("endsAt",), "must not be before the start"),
        ({"endsAt": "soon"}, ("endsAt",), "Invalid RFC3339"),
        ({"generatorURL": 1}, ("generatorURL",), "Expected `str | null`, got `int`"),
        ({"annotations": {"a": "\x00"}}, ("annotations", "a"), "NUL"),
        ({"annotations": {"a": "\udfff"}}, ("annotations", "a"), "lone surrogate"),
    ],
)
def test_a_bad_alert_is_rejected_alone(change: dict[str, object], path: tuple[str, ...], message: str) -> None:
    bad = {**ALERT, **change}
    first, rejected, last = alertmanager_v2_alerts.parse(make_post([ALERT, bad, ALERT]))
    assert isinstance(first, Signal)
    assert first == last
    assert isinstance(rejected, RejectedItem)
    assert rejected.path == ("1", *path)
    assert message in rejected.message
    assert json.loads(rejected.raw) == bad


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b"", 400, "empty"),
        (b"nope", 400, "not valid JSON"),
        (b"[{]", 400, "not valid JSON"),
        (b"{}", 422, "must be a list"),
        (b'"x"', 422, "must be a JSON object or list"),
    ],
)
def test_a_body_that_is_no_list(body: bytes, status: int, message: str) -> None:
    with pytest.raises(PayloadError, match=message) as caught:
        alertmanager_v2_alerts.parse(make_post(body))
    assert caught.value.status == status


def test_an_alert_nested_too_deeply_is_rejected_alone() -> None:
    deep = b'{"labels": {"a": "b"}, "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    good = json.dumps(ALERT).encode()
    first, rejected, last = alertmanager_v2_alerts.parse(make_post(b"[" + good + b"," + deep + b"," + good + b"]"))
    assert isinstance(first, Signal)
    assert first == last
    assert only_rejection([rejected]) == RejectedItem(message="is nested too deeply", path=("1",), raw=deep)
