"""Can any bytes at all make a parser fail, lose a good neighbour, or hand on what the ingest cannot store?"""

import json
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from domain.alerts.normalise import normalise
from domain.alerts.signal import RejectedItem, Signal
from domain.integrations.model import FieldMapping, Integration, IntegrationSource
from graphql_api.webhooks import (
    alertmanager_v2_alerts,
    cloudwatch,
    datadog,
    generic,
    grafana,
    newrelic,
    pagerduty_events,
    prometheus,
)
from graphql_api.webhooks.contract import MAX_ITEMS, PayloadError, Post
from graphql_api.webhooks.diagnosis import unstorable_path
from graphql_api.webhooks.json_scanner import MAX_TOKENS, Unsplittable, split_outer
from tests.unit.webhooks.posts import RECEIVED_AT, SAMPLES, make_integration, make_post
from tests.unit.webhooks.sns_signer import signed

Parse = Callable[[Post], Sequence[Signal | RejectedItem]]
MAPPED = make_integration(
    mapping=FieldMapping(title="item.title", severity="item.severity", labels={"size": "string(size(payload))"})
)
SELECTED = make_integration(mapping=FieldMapping(items="payload.alerts", title="item.title + ''"))
PLAIN = make_integration()

PARSERS: dict[str, tuple[Parse, Integration]] = {
    "prometheus": (prometheus.parse, make_integration(IntegrationSource.PROMETHEUS)),
    "alertmanager_v2": (alertmanager_v2_alerts.parse, make_integration(IntegrationSource.PROMETHEUS)),
    "grafana": (grafana.parse, make_integration(IntegrationSource.GRAFANA)),
    "datadog": (datadog.parse, make_integration(IntegrationSource.DATADOG)),
    "newrelic": (newrelic.parse, make_integration(IntegrationSource.NEWRELIC)),
    "cloudwatch": (cloudwatch.parse, make_integration(IntegrationSource.CLOUDWATCH)),
    "pagerduty": (pagerduty_events.parse, make_integration(IntegrationSource.PAGERDUTY)),
    "generic": (generic.parse, PLAIN),
    "mapped": (generic.parse, MAPPED),
    "selected": (generic.parse, SELECTED),
}
every_parser = pytest.mark.parametrize("name", PARSERS)
fuzz = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])

# Values that formats care about, so that the walk gets past the first check.
WORDS = [
    "firing", "resolved", "ok", "ALARM", "Triggered", "CLOSED", "open", "trigger", "critical", "2026-03-04T11:20:00Z",
    "0001-01-01T00:00:00Z", "1772623298000", "javascript:x", "https://example.test", "a=b", "$ALERT_ID", "host:a,env:b",
    "[Triggered on {a}] x", "", " ", "\x00", "\ud800", "\ufdd0", "{}", '{"AlarmName": "x", "NewStateValue": "OK"}',
]  # fmt: skip
FIELDS = [
    "alerts", "labels", "annotations", "status", "state", "startsAt", "endsAt", "fingerprint", "generatorURL", "title",
    "severity", "values", "ruleId", "ruleName", "tags", "evalMatches", "alert_id", "alert_transition", "date", "body",
    "id", "priority", "createdAt", "current_state", "incident_id", "condition_name", "targets", "Type", "TopicArn",
    "Message", "detail", "source", "event_action", "dedup_key", "payload", "summary", "custom_details", "links",
    "images", "metadata", "started_at", "url", "truncatedAlerts", "groupKey", "externalURL", "receiver",
]  # fmt: skip
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=10**18, max_value=10**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(), max_size=20)
    | st.sampled_from(WORDS)
)
NAMES = st.sampled_from(FIELDS) | st.text(st.characters(), max_size=8)
JSON_VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=6),
    max_leaves=25,
)


def read(name: str, body: bytes) -> Sequence[Signal | RejectedItem]:
    """What a parser makes of a body; a PayloadError is its only way to say no."""
    parse, integration = PARSERS[name]
    refused: PayloadError | None = None
    try:
        parsed = parse(make_post(body, integration=integration))
    except PayloadError as error:
        refused = error
        parsed = []
    if refused is not None:
        assert refused.status in {400, 401, 413, 422}
        check_words(refused.message, refused.path)
    for item in parsed:
        check_item(item, integration)
    return parsed


def check_item(item: Signal | RejectedItem, integration: Integration) -> None:
    """What a parser hands on must pass the ingest and its encoders."""
    if isinstance(item, RejectedItem):
        check_words(item.message, item.path)
        assert isinstance(item.raw, bytes)
        return
    normal = normalise(item, integration, RECEIVED_AT)
    stored = orjson.dumps([normal.labels, normal.metadata, normal.title, normal.description, item.dedup_key])
    assert unstorable_path(orjson.loads(stored)) is None
    for label in item.labels.values():
        assert isinstance(label, str)
    for moment in (item.started_at, item.ended_at, item.expires_at):
        assert moment is None or isinstance(moment, datetime)
        assert moment is None or moment.utcoffset() is not None
    json.dumps(item.warnings).encode()


def check_words(message: str, path: tuple[str, ...]) -> None:
    text = message + "".join(path)
    assert "\x00" not in text
    text.encode()


@every_parser
@fuzz
@given(body=st.binary(max_size=200))
def test_any_bytes(name: str, body: bytes) -> None:
    read(name, body)


@every_parser
@fuzz
@given(value=JSON_VALUES)
def test_any_json(name: str, value: object) -> None:
    read(name, json.dumps(value).encode())


@every_parser
@fuzz
@given(data=st.data())
def test_any_damage_to_a_sample(name: str, data: st.DataObject) -> None:
    """Every member of a real payload, replaced by anything."""
    files = {
        "alertmanager_v2": "alertmanager_api_v2-*",
        "prometheus": "alertmanager-v4-*",
        "cloudwatch": "aws_sns*json",
    }
    files |= {"mapped": "generic*", "selected": "generic*", "pagerduty": "pagerduty*"}
    paths = sorted(path for path in SAMPLES.glob(files.get(name, f"{name}*")) if "headers" not in path.name)
    body: Any = json.loads(data.draw(st.sampled_from(paths)).read_bytes())
    place = body
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        if isinstance(place[key], dict | list) and place[key] and data.draw(st.booleans()):
            place = place[key]
            continue
        place[key] = data.draw(JSON_VALUES)
        break
    read(name, json.dumps(body).encode())


@fuzz
@given(message=JSON_VALUES)
def test_any_json_within_sns(message: object) -> None:
    read("cloudwatch", json.dumps({**TEMPLATE, "Message": json.dumps(message)}).encode())


TEMPLATE = signed("x")

GOOD: dict[str, tuple[str, dict[str, Any]]] = {
    "prometheus": ("alerts", {"status": "firing", "labels": {"alertname": "good"}, "fingerprint": "f"}),
    "alertmanager_v2": ("", {"labels": {"alertname": "good"}}),
    "grafana": ("alerts", {"status": "firing", "labels": {"alertname": "good"}, "fingerprint": "f"}),
    "generic": ("alerts", {"title": "good"}),
    "mapped": ("", {"title": "good", "severity": "low"}),
    "selected": ("alerts", {"title": "good"}),
}


def neighbours(name: str, bad: bytes) -> bytes:
    field, good = GOOD[name]
    one = json.dumps(good).encode()
    items = b"[" + one + b" ,\n" + bad + b", " + one + b"]"
    return b'{"' + field.encode() + b'": ' + items + b"}" if field else items


def check_neighbours(name: str, body: bytes) -> None:
    parsed = read(name, body)
    assert len(parsed) == 3
    assert all(isinstance(parsed[index], Signal) and parsed[index].title == "good" for index in (0, 2))  # type: ignore[union-attr]


@pytest.mark.parametrize("name", GOOD)
@fuzz
@given(bad=JSON_VALUES)
def test_a_good_alert_is_never_lost_to_its_neighbour(name: str, bad: object) -> None:
    check_neighbours(name, neighbours(name, json.dumps(bad).encode()))


@pytest.mark.parametrize("name", GOOD)
@fuzz
@given(text=st.binary(max_size=30))
def test_a_good_alert_is_never_lost_to_bytes_in_its_neighbours_text(name: str, text: bytes) -> None:
    """Whatever stands between quotes, short of ending the text itself."""
    assume(b'"' not in text)
    assume(not text.endswith(b"\\"))
    check_neighbours(name, neighbours(name, b'{"title": "' + text + b'", "labels": {"a": "' + text + b'"}}'))


@pytest.mark.parametrize("name", GOOD)
def test_a_good_alert_is_never_lost_to_depth(name: str) -> None:
    check_neighbours(name, neighbours(name, b'{"title": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"))


# -- the scanner behind it ---------------------------------------------------------------------------------------------


@fuzz
@given(items=st.lists(JSON_VALUES, max_size=6))
def test_the_scanner_splits_lists_as_json_does(items: list[object]) -> None:
    split = split_outer(json.dumps(items, indent=1).encode())
    assert [json.loads(raw) for raw in split] == items


@fuzz
@given(members=st.dictionaries(st.text(max_size=6), JSON_VALUES, max_size=6))
def test_the_scanner_splits_objects_as_json_does(members: dict[str, object]) -> None:
    split = split_outer(json.dumps(members).encode())
    assert isinstance(split, dict)
    assert {json.loads(name): json.loads(raw) for name, raw in split.items()} == members


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"3",
        b"[",
        b"[1",
        b'["a]',
        b"[1,]",
        b"[,1]",
        b"[1] 2",
        b"{1}",
        b'{"a"}',
        b'{"a": 1,}',
        b"[" + b"[]" * MAX_TOKENS + b"]",
        b'["' + b"a" * 1_000_000,
        b'["' + b"\\" * 1_000_001,
    ],
)
def test_what_the_scanner_cannot_split(body: bytes) -> None:
    with pytest.raises(Unsplittable):
        split_outer(body)


# -- sizes -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("is_good", [True, False])
def test_more_alerts_than_a_post_may_hold_are_refused_before_they_are_read(name: str, is_good: bool) -> None:
    field, good = GOOD[name]
    items = [good if is_good else {"title": "\x00"}] * (MAX_ITEMS + 1)
    parse, integration = PARSERS[name]
    body = json.dumps({field: items} if field else items)
    with pytest.raises(PayloadError, match="10000 alerts, this one holds 10001") as caught:
        parse(make_post(body.encode(), integration=integration))
    assert caught.value.status == 413


@pytest.mark.parametrize(
    "body",
    [
        b'{"title":"x","a":[' + b"0," * 500_000 + b"0]}",
        b'{"title":"x","a":[' + b"0," * 500_000 + b'"\\ud800"]}',
        b"[" + b"[]," * 400_000 + b'"\\ud800"]',
        b'[{"title":"' + b"\\u0000" * 200_000 + b'"}]',
        b'{"title":"x","a":' + b"[" * 500_000 + b"]" * 500_000 + b"}",
        b"[" * 1_000_000,
        b'["' * 500_000,
    ],
    ids=["zeros", "zeros and a surrogate", "empty lists", "escapes", "depth", "openings", "quotes"],
)
def test_megabytes_of_anything_cost_no_more_than_their_length(body: bytes) -> None:
    started = time.process_time()
    read("generic", body)
    # A second or two. The limit tells that from work that grows with the square: hours, at this length.
    assert time.process_time() - started < 120.0
