"""Do Datadog's webhooks become the right signals: from our template, from its own, and as a form?"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from domain.alerts.signal import SignalStatus
from graphql_api.webhooks import datadog
from graphql_api.webhooks.contract import PayloadError
from tests.unit.webhooks.posts import RECEIVED_AT, make_post, only_rejection, only_signal, sample

OURS: dict[str, Any] = json.loads(sample("datadog-triggered.json"))
AT = datetime(2026, 3, 4, 11, 21, 38, tzinfo=UTC)
# The payload Datadog sends when no template is set.
DEFAULTS: dict[str, Any] = {
    "id": "7412905542109374561",
    "title": "[P1] [Triggered on {host:web-07}] CPU high",
    "last_updated": "1772623300000",
    "event_type": "query_alert_monitor",
    "body": (
        "%%%\nsee also https://app.datadoghq.com/monitors/1\n\n**system.cpu.user** was **> 90**\n\n- - -\n\n"
        "[[Monitor Status](https://app.datadoghq.com/monitors/90217?to_ts=1)] · "
        "[[Edit Monitor](https://app.datadoghq.com/monitors#90217/edit)]\n%%%"
    ),
    "org": {"id": "381002", "name": "Example Org"},
    "date": "1772623298000",
}


def test_the_sample() -> None:
    signal = only_signal(datadog.parse(make_post(OURS)))
    assert signal.title == "CPU high on web-07"
    assert signal.description == "CPU on web-07 is 96.4%"
    assert signal.source == "datadog"
    assert signal.dedup_key == "dd:1:90217:host:web-07,env:prod"
    assert (signal.status, signal.severity_text, signal.service_name) == (SignalStatus.FIRING, "P2", "checkout")
    assert signal.labels == {"env": "prod", "host": "web-07", "service": "checkout", "team": "payments"}
    assert (signal.started_at, signal.ended_at) == (AT, None)
    assert signal.metadata["link"] == "https://app.datadoghq.example/monitors/90217?group=host%3Aweb-07"
    assert signal.metadata["snapshot"] == "https://p.datadoghq.example/snapshot/view/x.png"
    assert signal.metadata["org"] == {"id": "381002", "name": "Example Org"}


@pytest.mark.parametrize(
    ("transition", "status", "severity_text"),
    [
        ("Triggered", SignalStatus.FIRING, "P2"),
        ("Re-Triggered", SignalStatus.FIRING, "P2"),
        ("Renotify", SignalStatus.FIRING, "P2"),
        ("No Data", SignalStatus.FIRING, "P2"),
        ("Re-No Data", SignalStatus.FIRING, "P2"),
        ("Warn", SignalStatus.FIRING, "warning"),
        ("Re-Warn", SignalStatus.FIRING, "warning"),
        ("Recovered", SignalStatus.RESOLVED, "P2"),
        ("recovered ", SignalStatus.RESOLVED, "P2"),
    ],
)
def test_every_transition_keeps_the_key(transition: str, status: SignalStatus, severity_text: str) -> None:
    signal = only_signal(datadog.parse(make_post({**OURS, "alert_transition": transition, "title": "CPU high"})))
    assert (signal.status, signal.severity_text) == (status, severity_text)
    assert signal.dedup_key == "dd:1:90217:host:web-07,env:prod"
    assert (signal.started_at, signal.ended_at) == ((None, AT) if status is SignalStatus.RESOLVED else (AT, None))


@pytest.mark.parametrize(
    ("prefix", "status", "severity_text"),
    [
        ("[P1] [Triggered on {host:web-07}]", SignalStatus.FIRING, "P1"),
        ("[P1] [Re-Triggered on {host:web-07}]", SignalStatus.FIRING, "P1"),
        ("[Warn on {host:web-07}]", SignalStatus.FIRING, "warning"),
        ("[P1] [No Data on {host:web-07}]", SignalStatus.FIRING, "P1"),
        ("[P1] [Re-No Data on {host:web-07}]", SignalStatus.FIRING, "P1"),
        ("[P1] [Renotify on {host:web-07}]", SignalStatus.FIRING, "P1"),
        ("[P1] [Recovered on {host:web-07}]", SignalStatus.RESOLVED, "P1"),
    ],
)
def test_the_default_template_tells_its_state_in_the_title(
    prefix: str, status: SignalStatus, severity_text: str
) -> None:
    signal = only_signal(datadog.parse(make_post({**DEFAULTS, "title": f"{prefix} CPU high"})))
    assert (signal.status, signal.severity_text) == (status, severity_text)
    assert signal.title == "CPU high"
    assert signal.dedup_key == "dd:1:90217:host:web-07"
    assert signal.description is not None
    assert "%%%" not in signal.description


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"alert_scope": "$ALERT_SCOPE"}, "dd:1:90217:host:web-07"),
        ({"alert_scope": "$ALERT_SCOPE", "title": "CPU"}, "dd:1:90217:5f0d3c1a9b7e4d2288aa6c10b3f4e5d6"),
        ({"alert_scope": "", "aggreg_key": "", "title": "CPU"}, "dd:1:90217"),
        ({"alert_id": "$ALERT_ID"}, "dd:1:aggreg:5f0d3c1a9b7e4d2288aa6c10b3f4e5d6"),
    ],
)
def test_keys_of_partly_filled_templates(change: dict[str, str], expected: str) -> None:
    assert only_signal(datadog.parse(make_post({**OURS, **change}))).dedup_key == expected


def test_without_any_id_the_key_is_the_title_without_its_prefix() -> None:
    keys = {
        only_signal(datadog.parse(make_post({"title": f"[{state}] CPU high"}))).dedup_key
        for state in ("Triggered", "Recovered", "Warn")
    }
    assert keys == {"dd:1:title::CPU high"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"title": "Deployed", "alert_type": "success"}, SignalStatus.RESOLVED),
        ({"title": "Deployed", "alert_type": "info"}, SignalStatus.FIRING),
        ({"title": "Something happened"}, SignalStatus.FIRING),
    ],
)
def test_an_event_without_a_transition(body: dict[str, str], status: SignalStatus) -> None:
    assert only_signal(datadog.parse(make_post(body))).status is status


def test_a_strange_transition_costs_no_alert() -> None:
    signal = only_signal(datadog.parse(make_post({**OURS, "alert_transition": "Exploded"})))
    assert signal.status is SignalStatus.FIRING
    assert signal.warnings == ("alert_transition is no transition of a monitor: 'exploded'",)


def test_variables_left_as_they_are_count_as_missing() -> None:
    rejected = only_rejection(datadog.parse(make_post(sample("datadog-template.json"))))
    assert rejected.path == ("title",)


def test_tags() -> None:
    body = {"title": "x", "tags": "env:prod, bare,url:http://a:80/x,service:a,service:b,service:a,:odd,empty:"}
    signal = only_signal(datadog.parse(make_post(body)))
    assert signal.labels == {"env": "prod", "url": "http://a:80/x", "service": "a,b"}
    assert only_signal(datadog.parse(make_post({"title": "x", "tags": ["a:b", 3]}))).labels == {"a": "b"}


def test_a_test_notification_closes_by_itself() -> None:
    signal = only_signal(datadog.parse(make_post({**DEFAULTS, "title": "[TEST] [Triggered on {host:a}] CPU high"})))
    assert signal.expires_at == RECEIVED_AT + timedelta(minutes=10)
    assert signal.title == "CPU high"


def test_encoded_as_a_form() -> None:
    flat = {name: value for name, value in OURS.items() if isinstance(value, str)}
    post = make_post(urlencode(flat).encode(), headers={"content-type": "application/x-www-form-urlencoded; charset=x"})
    assert only_signal(datadog.parse(post)).dedup_key == "dd:1:90217:host:web-07,env:prod"


def test_a_form_of_too_many_fields() -> None:
    post = make_post(b"a=1&" * 300, headers={"content-type": "application/x-www-form-urlencoded"})
    with pytest.raises(PayloadError, match="more than 200 fields"):
        datadog.parse(post)


def test_a_script_is_never_kept_as_a_link() -> None:
    signal = only_signal(datadog.parse(make_post({**OURS, "link": "javascript:x", "snapshot": "x"})))
    assert not {"link", "snapshot"} & set(signal.metadata)
    assert len(signal.warnings) == 2


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"title": "", "alert_title": ""}, ("title",)),
        ({"title": ["x"], "alert_title": None}, ("title",)),
        ({"date": "noon"}, ("date",)),
        ({"date": {"a": 1}}, ("date",)),
        ({"body": "a\x00b"}, ("body",)),
        ({"org": {"name": "\ud800"}}, ("org", "name")),
        ({"date": 10**400}, ("date",)),
    ],
)
def test_bad_fields(change: dict[str, object], path: tuple[str, ...]) -> None:
    rejected = only_rejection(datadog.parse(make_post({**OURS, **change})))
    assert rejected.path == path
    assert json.loads(rejected.raw) == {**OURS, **change}


@pytest.mark.parametrize(("body", "status"), [(b"", 400), (b"x", 400), (b"[]", 422), (b"null", 422), (b'"a"', 422)])
def test_a_body_that_is_no_object(body: bytes, status: int) -> None:
    with pytest.raises(PayloadError) as caught:
        datadog.parse(make_post(body))
    assert caught.value.status == status
