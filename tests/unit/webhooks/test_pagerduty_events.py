"""Do PagerDuty Events v2 become the right signals, and are the others refused as PagerDuty refuses them?"""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from domain.alerts.signal import SignalStatus
from graphql_api.webhooks import pagerduty_events
from graphql_api.webhooks.pagerduty_events import EventError, routing_key
from tests.unit.webhooks.posts import make_post, sample

TRIGGER: dict[str, Any] = json.loads(sample("pagerduty_v2-trigger.json"))


def with_payload(**change: object) -> dict[str, Any]:
    return {**TRIGGER, "payload": {**TRIGGER["payload"], **change}}


def test_the_trigger_sample() -> None:
    (signal,) = pagerduty_events.parse(make_post(TRIGGER))
    assert signal.title == "Disk 95% on db-01"
    assert signal.source == "db-01.eu-1"
    assert signal.dedup_key == "pd:1:checkout/disk/db-01"
    assert (signal.status, signal.severity_text, signal.service_name) == (
        SignalStatus.FIRING,
        "critical",
        "payments-db",
    )
    assert signal.labels == {"component": "postgres", "group": "payments-db", "class": "disk"}
    assert signal.started_at == datetime(2026, 3, 4, 11, 20, tzinfo=UTC)
    assert signal.metadata == {
        "dedup_key": "checkout/disk/db-01",
        "client": "homegrown-monitor",
        "client_url": "https://monitor.example.test/db-01",
        "custom_details": {"free_gb": 12, "mount": "/var/lib/postgresql"},
        "links": [{"href": "https://runbooks.example.test/disk", "text": "Runbook"}],
        "images": [
            {
                "src": "https://monitor.example.test/g.png",
                "href": "https://monitor.example.test/g",
                "alt": "disk graph",
            }
        ],
    }
    assert pagerduty_events.client_key(signal) == "checkout/disk/db-01"


@pytest.mark.parametrize(
    ("action", "status"), [("resolve", SignalStatus.RESOLVED), ("acknowledge", SignalStatus.ACKNOWLEDGED)]
)
def test_what_follows_needs_no_payload(action: str, status: SignalStatus) -> None:
    body = {**json.loads(sample("pagerduty_v2-resolve.json")), "event_action": action}
    (signal,) = pagerduty_events.parse(make_post(body))
    assert (signal.status, signal.dedup_key, signal.started_at) == (status, "pd:1:checkout/disk/db-01", None)


@pytest.mark.parametrize("missing", [{}, {"dedup_key": None}, {"dedup_key": ""}])
def test_a_trigger_without_a_key_gets_a_new_one_each_time(missing: dict[str, object]) -> None:
    body = {name: value for name, value in TRIGGER.items() if name != "dedup_key"} | missing
    keys = {pagerduty_events.client_key(pagerduty_events.parse(make_post(body))[0]) for _ in range(3)}
    assert len(keys) == 3
    assert all(len(key) == 32 for key in keys)


def test_a_long_key_is_answered_as_it_came() -> None:
    key = "x" * 255
    (signal,) = pagerduty_events.parse(make_post({**TRIGGER, "dedup_key": key}))
    assert signal.dedup_key.startswith("pd:1:#")
    assert pagerduty_events.client_key(signal) == key


@pytest.mark.parametrize(
    ("body", "field", "expected"),
    [
        (with_payload(custom_details={"service": "checkout"}), "service_name", "checkout"),
        (with_payload(group=None), "service_name", "postgres"),
        (with_payload(custom_details="in words"), "description", "in words"),
        (with_payload(severity="WARNING"), "severity_text", "WARNING"),
        (with_payload(timestamp="2015-07-17T08:42:58Z"), "started_at", datetime(2015, 7, 17, 8, 42, 58, tzinfo=UTC)),
        (with_payload(timestamp=None), "started_at", None),
        (with_payload(timestamp="2026-03-04T11:20:00+00:00Z"), "started_at", None),
    ],
)
def test_variants(body: dict[str, Any], field: str, expected: object) -> None:
    assert getattr(pagerduty_events.parse(make_post(body))[0], field) == expected


def test_links_that_are_none_are_left_out() -> None:
    body = {
        **TRIGGER,
        "client_url": "javascript:x",
        "links": [{"href": "javascript:x"}, "x", {"href": "http://a", "text": 3}],
        "images": [{"src": "http://a/i.png", "href": "data:text/html,x"}, {"alt": "nothing"}],
    }
    (signal,) = pagerduty_events.parse(make_post(body))
    assert "client_url" not in signal.metadata
    assert signal.metadata["links"] == [{"href": "http://a", "text": "3"}]
    assert signal.metadata["images"] == [{"src": "http://a/i.png"}]
    assert len(signal.warnings) == 4


@pytest.mark.parametrize(
    ("body", "path", "errors"),
    [
        ({}, ("event_action",), ["'event_action' is missing or blank"]),
        (
            {"event_action": "explode"},
            ("event_action",),
            ["'event_action' is invalid (must be one of the following: 'trigger', 'acknowledge' or 'resolve')"],
        ),
        ({"event_action": "resolve"}, ("dedup_key",), ["'dedup_key' is missing or blank"]),
        ({"event_action": "acknowledge", "dedup_key": ""}, ("dedup_key",), ["'dedup_key' is missing or blank"]),
        ({"event_action": "trigger"}, ("payload",), ["'payload' is missing or blank"]),
        ({"event_action": "trigger", "payload": 3}, ("payload",), ["'payload' is invalid (must be an object)"]),
        (
            {"event_action": "trigger", "payload": {}},
            ("payload", "summary"),
            [
                "'payload.summary' is missing or blank",
                "'payload.source' is missing or blank",
                "'payload.severity' is missing or blank",
            ],
        ),
        (
            with_payload(severity="awful"),
            ("payload", "severity"),
            ["'payload.severity' is invalid (must be one of the following: 'critical', 'error', 'warning' or 'info')"],
        ),
        (with_payload(summary=["x"]), ("payload", "summary"), ["'payload.summary' is invalid (must be a string)"]),
        (
            {**TRIGGER, "dedup_key": "x" * 256},
            ("dedup_key",),
            ["'dedup_key' is invalid (must have at most 255 characters)"],
        ),
        ({**TRIGGER, "dedup_key": 7}, ("dedup_key",), ["'dedup_key' is invalid (must be a string)"]),
        (
            with_payload(summary="\x00"),
            ("payload", "summary"),
            ["'payload.summary' contains the character NUL, which cannot be stored"],
        ),
        (
            with_payload(source="\ud800"),
            ("payload", "source"),
            ["'payload.source' contains bytes that are not UTF-8, or a lone surrogate, which cannot be stored"],
        ),
    ],
)
def test_refusals_have_pagerdutys_shape(body: dict[str, Any], path: tuple[str, ...], errors: list[str]) -> None:
    with pytest.raises(EventError) as caught:
        pagerduty_events.parse(make_post(body))
    assert caught.value.status == 400
    assert caught.value.path == path
    assert caught.value.answer == {
        "status": "invalid event",
        "message": "Event object is invalid",
        "errors": errors,
    }


@pytest.mark.parametrize(
    ("body", "message"),
    [(b"", "empty"), (b"x", "not valid JSON"), (b"[]", "must be a JSON object"), (b"[" * 10**5, "nested too deeply")],
)
def test_a_body_that_is_no_event(body: bytes, message: str) -> None:
    with pytest.raises(EventError, match=message) as caught:
        pagerduty_events.parse(make_post(body))
    assert len(caught.value.errors) == 1


@pytest.mark.parametrize(
    ("body", "headers", "expected"),
    [
        (json.dumps(TRIGGER).encode(), {}, "0123456789abcdef0123456789abcdef"),
        (b'{"routing_key": "a", "x": "\\ud800"}', {}, "a"),
        (b'{"x": ' + b"[" * 10**5 + b"]" * 10**5 + b', "routing_key": "a"}', {}, "a"),
        (b"{}", {"x-routing-key": "b"}, "b"),
        (b'{"routing_key": 3}', {}, None),
        (b'{"routing_key": "\\ud800"}', {}, None),
        (b"[]", {}, None),
        (b"", {}, None),
        (b"\xff", {"x-routing-key": "b"}, "b"),
    ],
)
def test_the_routing_key_is_found_whatever_else_is_wrong(
    body: bytes, headers: dict[str, str], expected: str | None
) -> None:
    assert routing_key(body, headers) == expected
