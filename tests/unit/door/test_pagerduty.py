"""Does `/v2/enqueue` speak PagerDuty's words, also when it refuses?"""

import json
from typing import Any

import pytest

from domain.alerts.signal import Signal
from domain.alerts.submission import StoreUnavailable
from domain.integrations.model import IntegrationSource
from graphql_api.webhooks.app import IngestApp
from tests.door import FakeIngest, FakeState, call, door_of
from tests.unit.webhooks.posts import sample

URL = "/v2/enqueue"
KEY = "0123456789abcdef0123456789abcdef"
TRIGGER = sample("pagerduty_v2-trigger.json")


@pytest.fixture
def door() -> tuple[IngestApp, FakeState]:
    app, state = door_of(**{KEY: IntegrationSource.PAGERDUTY, "prom": IntegrationSource.PROMETHEUS})
    return app, state


def trigger(**changes: object) -> bytes:
    event: dict[str, Any] = json.loads(TRIGGER)
    return json.dumps({**event, **changes}).encode()


async def test_an_event_is_taken_and_its_dedup_key_repeated(door: tuple[IngestApp, FakeState]) -> None:
    app, state = door
    answer = await call(app, "POST", URL, body=TRIGGER, headers={"content-type": "application/json"})
    assert answer.status == 202
    assert answer.json == {"status": "success", "message": "Event processed", "dedup_key": "checkout/disk/db-01"}
    assert isinstance(state.ingest, FakeIngest)
    (submission,) = state.ingest.submissions
    assert submission.receipt_id == answer.receipt_id
    (signal,) = submission.items
    assert isinstance(signal, Signal)
    assert signal.title == "Disk 95% on db-01"


async def test_a_trigger_without_a_dedup_key_is_given_one(door: tuple[IngestApp, FakeState]) -> None:
    first = await call(door[0], "POST", URL, body=trigger(dedup_key=None))
    second = await call(door[0], "POST", URL, body=trigger(dedup_key=None))
    assert first.json["dedup_key"]
    assert first.json["dedup_key"] != second.json["dedup_key"]


async def test_the_key_may_stand_in_a_header(door: tuple[IngestApp, FakeState]) -> None:
    answer = await call(door[0], "POST", URL, body=trigger(routing_key=None), headers={"x-routing-key": KEY})
    assert answer.status == 202


@pytest.mark.parametrize("routing_key", [None, "", "unknown", "prom", 7])
async def test_a_key_of_nobody_is_400_as_at_pagerduty(door: tuple[IngestApp, FakeState], routing_key: object) -> None:
    app, state = door
    answer = await call(app, "POST", URL, body=trigger(routing_key=routing_key))
    assert answer.status == 400
    assert answer.json["status"] == "invalid event"
    says = "is invalid" if routing_key in ("unknown", "prom") else "is missing or blank"
    assert answer.json["errors"][0].startswith(f"'routing_key' {says}")
    assert isinstance(state.ingest, FakeIngest)
    assert state.ingest.submissions == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (trigger(event_action="explode"), "event_action"),
        (trigger(payload=None), "payload"),
        (trigger(payload={"source": "a", "severity": "info"}), "payload.summary"),
        (trigger(payload={"summary": "a", "source": "b", "severity": "worst"}), "payload.severity"),
        (trigger(dedup_key="x" * 300), "dedup_key"),
        (trigger(event_action="resolve", dedup_key=None), "dedup_key"),
        (trigger(dedup_key="a\x00b"), "dedup_key"),
    ],
)
async def test_an_event_that_is_wrong_is_400_naming_the_field(
    door: tuple[IngestApp, FakeState], body: bytes, field: str
) -> None:
    answer = await call(door[0], "POST", URL, body=body)
    assert answer.status == 400
    assert answer.json["message"] == "Event object is invalid"
    assert any(field in sentence for sentence in answer.json["errors"])


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 50_000])
async def test_a_body_that_is_no_event_is_400(door: tuple[IngestApp, FakeState], body: bytes) -> None:
    answer = await call(door[0], "POST", URL, body=body, headers={"x-routing-key": KEY})
    assert answer.status == 400
    assert answer.json["errors"]


async def test_other_refusals_keep_their_status(door: tuple[IngestApp, FakeState]) -> None:
    app, state = door
    assert (await call(app, "GET", URL)).status == 405
    assert (await call(app, "POST", URL, body=TRIGGER, headers={"content-type": "text/plain"})).status == 415
    assert (await call(app, "POST", URL, body=b" " * 600_000)).status == 413
    assert isinstance(state.ingest, FakeIngest)
    state.ingest.refusal = StoreUnavailable(4)
    down = await call(app, "POST", URL, body=TRIGGER)
    assert (down.status, down.headers["retry-after"]) == (503, "4")
    state.directory.is_down = True
    assert (await call(app, "POST", URL, body=trigger(routing_key="new"))).status == 503
