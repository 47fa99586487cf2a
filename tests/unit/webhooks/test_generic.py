"""Does any tool's JSON become an alert by the generic source's own field names?"""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from domain.alerts.signal import RejectedItem, Signal, SignalStatus
from graphql_api.webhooks import generic
from graphql_api.webhooks.contract import PayloadError
from tests.unit.webhooks.posts import RECEIVED_AT, make_integration, make_post, only_rejection, only_signal, sample

ALERT: dict[str, Any] = json.loads(sample("generic-alert.json"))


def test_the_sample() -> None:
    assert only_signal(generic.parse(make_post(ALERT))) == Signal(
        title="Queue depth high",
        source="orders-worker",
        dedup_key="gen:1:orders/queue-depth",
        dedup_recipe="the payload's dedup_key",
        status=SignalStatus.FIRING,
        severity_text="high",
        service_name="orders",
        labels={"queue": "orders", "region": "eu-1"},
        metadata={
            "environment": "prod",
            "annotations": {"runbook_url": "https://runbooks.example.test/queue"},
            "value": 18231,
            "url": "https://dash.example.test/orders",
        },
        started_at=datetime(2026, 3, 4, 11, 20, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    "body", [[ALERT, ALERT], {"alerts": [ALERT, ALERT]}, {"alerts": [ALERT, ALERT], "title": "group", "n": 1}]
)
def test_several_alerts_in_one_post(body: object) -> None:
    one = only_signal(generic.parse(make_post(ALERT)))
    assert generic.parse(make_post(body)) == [one, one]


def test_an_alert_may_have_a_field_called_alerts() -> None:
    signal = only_signal(generic.parse(make_post({"title": "x", "alerts": 3})))
    assert signal.metadata == {"alerts": 3}


@pytest.mark.parametrize(
    ("word", "status"),
    [
        *(
            (word, SignalStatus.FIRING)
            for word in ("firing", "ALERTING", "Open", "triggered", "problem", "no data", "")
        ),
        *((word, SignalStatus.RESOLVED) for word in ("resolved", "OK", "closed", "Recovered", "normal", "cleared")),
        *((word, SignalStatus.ACKNOWLEDGED) for word in ("acknowledged", "ack", "Acked")),
        (None, SignalStatus.FIRING),
        ("re-triggered", SignalStatus.FIRING),
    ],
)
def test_words_for_the_status(word: str | None, status: SignalStatus) -> None:
    assert only_signal(generic.parse(make_post({"title": "x", "status": word}))).status is status


@pytest.mark.parametrize(
    ("change", "field", "expected"),
    [
        ({"title": 5}, "title", "5"),
        ({"source": None}, "source", "generic"),
        ({"description": " "}, "description", None),
        ({"severity": 1}, "severity_text", "1"),
        ({"labels": {"a": 1, "b": False, "c": "", "d": None}}, "labels", {"a": "1", "b": "false"}),
        ({"dedup_key": 17}, "dedup_key", "gen:1:17"),
        ({"started_at": 1772623298}, "started_at", datetime(2026, 3, 4, 11, 21, 38, tzinfo=UTC)),
        ({"started_at": 1772623298123}, "started_at", datetime(2026, 3, 4, 11, 21, 38, 123000, tzinfo=UTC)),
        ({"started_at": "1772623298123456"}, "started_at", datetime(2026, 3, 4, 11, 21, 38, 123456, tzinfo=UTC)),
        ({"started_at": 1772623298000000000}, "started_at", datetime(2026, 3, 4, 11, 21, 38, tzinfo=UTC)),
        ({"started_at": "2026-03-04 12:20:00+0100"}, "started_at", datetime(2026, 3, 4, 11, 20, tzinfo=UTC)),
        ({"started_at": "2026-03-04T11:20:00"}, "started_at", datetime(2026, 3, 4, 11, 20, tzinfo=UTC)),
        ({"started_at": "2099-01-01T00:00:00Z"}, "started_at", datetime(2099, 1, 1, tzinfo=UTC)),
        ({"started_at": 0}, "started_at", None),
        ({"ended_at": "2026-03-04T11:30:00Z"}, "ended_at", None),
        (
            {"ended_at": "2026-03-04T11:30:00Z", "status": "ok"},
            "ended_at",
            datetime(2026, 3, 4, 11, 30, tzinfo=UTC),
        ),
    ],
)
def test_fields(change: dict[str, object], field: str, expected: object) -> None:
    assert getattr(only_signal(generic.parse(make_post({**ALERT, **change}))), field) == expected


def test_without_a_key_the_key_is_made_of_what_tells_problems_apart() -> None:
    base = {"title": "x", "service": "s", "source": "y", "labels": {"a": "b"}}
    first = only_signal(generic.parse(make_post(base)))
    assert first.dedup_recipe == "hash of title, source, service and labels: the payload named no dedup_key"
    assert first.dedup_key == "gen:1:#6ea5d2b040bcbf912fe8e9d767bbc9d2"
    same = {**base, "severity": "low", "description": "d", "value": 3, "status": "resolved", "started_at": 12}
    assert only_signal(generic.parse(make_post(same))).dedup_key == first.dedup_key
    others: list[dict[str, object]] = [
        {"title": "z"},
        {"service": "z"},
        {"source": "z"},
        {"labels": {"a": "z"}},
        {"labels": {}},
    ]
    for other in others:
        assert only_signal(generic.parse(make_post({**base, **other}))).dedup_key != first.dedup_key


def test_metadata_of_its_own_goes_before_other_fields_and_a_script_is_no_link() -> None:
    body = {"title": "x", "value": 1, "metadata": {"value": 2, "u": "javascript:x"}, "url": "javascript:x"}
    signal = only_signal(generic.parse(make_post(body)))
    assert signal.metadata == {"value": 2}
    assert [warning.split(" ")[0] for warning in signal.warnings] == ["u", "url"]


@pytest.mark.parametrize(
    ("change", "path", "message"),
    [
        ({"title": None}, ("title",), "is missing"),
        ({"title": ""}, ("title",), "is missing"),
        ({"title": " \t"}, ("title",), "not blank"),
        ({"title": {}}, ("title",), "must be text"),
        ({"status": "exploded"}, ("status",), "must be firing, acknowledged or resolved"),
        ({"status": True}, ("status",), "must be firing, acknowledged or resolved"),
        ({"labels": ["a"]}, ("labels",), "must be an object of texts, not a list"),
        ({"labels": {"severity": []}}, ("labels", "severity"), "must be text"),
        ({"metadata": "x"}, ("metadata",), "must be an object, not text"),
        ({"severity": {"level": 1}}, ("severity",), "must be text"),
        ({"service": []}, ("service",), "must be text"),
        ({"source": {}}, ("source",), "must be text"),
        ({"description": []}, ("description",), "must be text"),
        ({"dedup_key": []}, ("dedup_key",), "must be text"),
        ({"started_at": "soon"}, ("started_at",), "ISO 8601"),
        ({"started_at": True}, ("started_at",), "ISO 8601"),
        ({"started_at": 10**25}, ("started_at",), "out of the range"),
        ({"title": "a\x00"}, ("title",), "NUL"),
        ({"x": {"y": ["\x00"]}}, ("x", "y", "0"), "NUL"),
        ({"labels": {"a": "\ud800"}}, ("labels", "a"), "lone surrogate"),
    ],
)
def test_a_bad_alert_is_rejected_alone(change: dict[str, object], path: tuple[str, ...], message: str) -> None:
    bad = {**ALERT, **change}
    rejected = only_rejection(generic.parse(make_post(bad)))
    assert rejected.path == path
    assert message in rejected.message
    assert json.loads(rejected.raw) == bad
    first, second, third = generic.parse(make_post({"alerts": [ALERT, bad, ALERT]}))
    assert isinstance(first, Signal)
    assert first == third
    assert isinstance(second, RejectedItem)
    assert second.path == ("alerts", "1", *path)
    assert json.loads(second.raw) == bad


@pytest.mark.parametrize(
    ("number", "message"),
    [(b"1e999", "out of range"), (b"9" * 5000, "5000 digits is out of range"), (b"NaN", "NaN is not a JSON number")],
)
def test_a_number_that_cannot_be_kept_is_named(number: bytes, message: str) -> None:
    body = b'[{"title": "a"}, {"title": "b", "value": ' + number + b"}]"
    first, rejected = generic.parse(make_post(body))
    assert isinstance(first, Signal)
    assert isinstance(rejected, RejectedItem)
    assert rejected.path == ("1", "value")
    assert message in rejected.message


@pytest.mark.parametrize(
    ("bad", "path"),
    [
        (b'{"title": "\xff\xfe"}', ("1", "title")),
        (b'{"title": "\xed\xa0\x80"}', ("1", "title")),
        (b'{"title": "a\x00b"}', ("1", "title")),
        (b'{"title": "a\tb", "x": 1}', ("1",)),
        (b'{"title": nope}', ("1",)),
        (b'{"title": "x",}', ("1",)),
        (b"{", None),
    ],
)
def test_bytes_that_are_no_json_cost_only_their_own_alert(bad: bytes, path: tuple[str, ...] | None) -> None:
    body = b'[{"title": "a"},' + bad + b',{"title": "c"}]'
    if path is None:
        with pytest.raises(PayloadError, match="not valid JSON"):
            generic.parse(make_post(body))
        return
    first, rejected, last = generic.parse(make_post(body))
    assert isinstance(first, Signal)
    assert isinstance(last, Signal)
    assert isinstance(rejected, RejectedItem)
    assert (rejected.path, rejected.raw) == (path, bad)


def test_of_two_fields_of_one_name_the_last_counts() -> None:
    assert only_signal(generic.parse(make_post(b'{"title": "a", "title": "b"}'))).title == "b"


def test_firing_and_resolved_in_one_post_keep_their_order() -> None:
    parsed = generic.parse(make_post([ALERT, {**ALERT, "status": "resolved"}, ALERT]))
    assert [item.status for item in parsed if isinstance(item, Signal)] == [
        SignalStatus.FIRING,
        SignalStatus.RESOLVED,
        SignalStatus.FIRING,
    ]


def test_a_text_of_megabytes_is_left_to_be_cut_by_the_ingest() -> None:
    signal = only_signal(generic.parse(make_post({"title": "x" * 10_000_000})))
    assert len(signal.title) == 10_000_000


@pytest.mark.parametrize(
    ("body", "status", "path"),
    [
        (b"", 400, ()),
        (b"nope", 400, ()),
        (b'{"title": "x"', 400, ()),
        (b'{"title": "x"} trailing', 400, ()),
        (b"null", 422, ()),
        (b"1", 422, ()),
        (b'"x"', 422, ()),
        (b"[]", 422, ()),
        (b'{"alerts": []}', 422, ("alerts",)),
        (b'{"alerts": [ ]}', 422, ("alerts",)),
        (b'{"alerts": {}}', 422, ("alerts",)),
        (b'{"alerts" : "x"}', 422, ("alerts",)),
        (b'{"alerts":\n[1, 2', 400, ()),
    ],
)
def test_a_body_that_holds_no_alert(body: bytes, status: int, path: tuple[str, ...]) -> None:
    with pytest.raises(PayloadError) as caught:
        generic.parse(make_post(body))
    assert (caught.value.status, caught.value.path) == (status, path)


def test_an_empty_object_lacks_a_title() -> None:
    assert only_rejection(generic.parse(make_post({}))).path == ("title",)


def test_a_preview_is_what_a_post_would_become() -> None:
    body = json.dumps([ALERT, {}]).encode()
    previewed = generic.preview(make_integration(), body, received_at=RECEIVED_AT)
    assert previewed == generic.parse(make_post(body))
