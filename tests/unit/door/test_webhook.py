"""Is every post answered clearly: taken with its receipt, or refused with the reason and the field?"""

import asyncio
import base64
import gzip
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from domain.alerts.signal import RejectedItem, Signal
from domain.alerts.submission import QueueFull, StoreUnavailable
from domain.ids import id_time
from domain.integrations.model import IntegrationSource
from graphql_api.webhooks import app as app_module
from graphql_api.webhooks import contract, intake
from graphql_api.webhooks.app import IngestApp, ingest_app
from graphql_api.webhooks.contract import Parsed, Post
from graphql_api.webhooks.receiving import Message
from graphql_api.webhooks.sources import SOURCES
from tests.door import FakeDirectory, FakeIngest, FakeState, call, door_of, knock, scope_of
from tests.unit.webhooks.posts import sample

FIRING = sample("alertmanager-v4-firing.json")
BEARER = {"authorization": "Bearer prom", "content-type": "application/json"}
URL = "/webhooks/prometheus"
KEPT = 100_000


@pytest.fixture
def door() -> tuple[IngestApp, FakeState]:
    return door_of(prom=IntegrationSource.PROMETHEUS, graf=IntegrationSource.GRAFANA)


def ingest_of(state: FakeState) -> FakeIngest:
    assert isinstance(state.ingest, FakeIngest)
    return state.ingest


def group(*alerts: object) -> bytes:
    return json.dumps({"version": "4", "status": "firing", "alerts": alerts}).encode()


def alert(**labels: str) -> dict[str, Any]:
    return {"status": "firing", "labels": labels, "annotations": {}, "startsAt": "2026-11-24T04:24:03.841Z"}


async def test_a_post_is_answered_with_its_receipt(door: tuple[IngestApp, FakeState]) -> None:
    app, state = door
    answer = await call(app, "POST", URL, body=FIRING, headers=BEARER)
    (submission,) = ingest_of(state).submissions
    assert answer.status == 202
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-length"] == str(len(answer.body))
    assert answer.receipt_id == submission.receipt_id
    told = answer.json
    assert told["receiptId"] == str(submission.receipt_id)
    assert (told["accepted"], told["rejected"], told["errors"]) == (1, 0, [])
    (item,) = submission.items
    assert isinstance(item, Signal)
    assert told["alerts"][0]["dedupKey"] == item.dedup_key
    assert told["alerts"][0]["outcome"] == "opened"
    assert told["alerts"][0]["index"] == 0
    assert abs((id_time(submission.receipt_id) - submission.received_at).total_seconds()) < 1


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({"authorization": "Bearer prom"}, ""),
        ({"authorization": "bearer  prom "}, ""),
        ({"authorization": basic("anyone", "prom")}, ""),
        ({"authorization": basic("prom", "")}, ""),
        ({"x-api-key": "prom"}, ""),
        ({}, "key=prom"),
        ({}, "a=b&key=prom&c=d"),
        ({}, "key=pr%6Fm"),
    ],
)
async def test_the_key_may_stand_in_any_of_these_places(
    door: tuple[IngestApp, FakeState], headers: Mapping[str, str], query: str
) -> None:
    assert (await call(door[0], "POST", URL, body=FIRING, headers=headers, query=query)).status == 202


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({}, ""),
        ({"authorization": "Bearer wrong"}, ""),
        ({"authorization": "Bearer "}, ""),
        ({"authorization": "Basic ???"}, ""),
        ({"authorization": "Basic " + base64.b64encode(b"\xff\xfe").decode()}, ""),
        ({"authorization": "Digest prom"}, ""),
        ({"authorization": "Bearer " + "x" * 5000}, ""),
        ({"x-api-key": ""}, ""),
        ({}, "key="),
        ({}, "monkey=prom"),
        ({"x-api-key": "caf\xe9"}, ""),
    ],
)
async def test_a_post_without_a_good_key_is_401_and_nothing_of_it_is_kept(
    door: tuple[IngestApp, FakeState], headers: Mapping[str, str], query: str
) -> None:
    app, state = door
    answer = await call(app, "POST", URL, body=b"not even json", headers=headers, query=query)
    assert answer.status == 401
    assert answer.json["error"]["code"] == "UNAUTHENTICATED"
    assert "Bearer" in answer.headers["www-authenticate"]
    assert ingest_of(state).submissions == []


async def test_a_key_in_the_address_is_taken_out_before_anything_can_log_it(door: tuple[IngestApp, FakeState]) -> None:
    scope = scope_of("POST", URL, query="x=1&key=prom&key=other")
    assert (await knock(door[0], scope, body=FIRING)).status == 202
    assert scope["query_string"] == b"x=1&key=redacted&key=redacted"


async def test_a_key_of_another_source_is_403_and_says_so(door: tuple[IngestApp, FakeState]) -> None:
    answer = await call(door[0], "POST", URL, body=FIRING, headers={"x-api-key": "graf"})
    assert answer.status == 403
    assert "grafana" in answer.json["error"]["message"]


async def test_an_unknown_source_is_404_and_names_the_known(door: tuple[IngestApp, FakeState]) -> None:
    answer = await call(door[0], "POST", "/webhooks/nagios", body=FIRING, headers=BEARER)
    assert answer.status == 404
    assert all(name in answer.json["error"]["message"] for name in SOURCES)
    assert answer.json["error"]["path"] == ["source"]


@pytest.mark.parametrize("path", ["/webhooks/", "/webhooks/prometheus/x", "/webhooks/pagerduty", "/v2/enqueue/x"])
async def test_other_addresses_are_404(door: tuple[IngestApp, FakeState], path: str) -> None:
    assert (await call(door[0], "POST", path, body=FIRING, headers=BEARER)).status == 404


async def test_a_slash_at_the_end_does_no_harm(door: tuple[IngestApp, FakeState]) -> None:
    assert (await call(door[0], "POST", URL + "/", body=FIRING, headers=BEARER)).status == 202


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD", "OPTIONS", "BREW"])
async def test_another_method_is_405_and_names_the_right_one(door: tuple[IngestApp, FakeState], method: str) -> None:
    answer = await call(door[0], method, URL, headers=BEARER)
    assert answer.status == 405
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 202),
        ("application/json; charset=utf-8", 202),
        ("APPLICATION/JSON", 202),
        ("text/json", 202),
        ("application/vnd.alerts+json", 202),
        (None, 202),
        ("", 202),
        ("text/plain", 415),
        ("application/xml", 415),
        ("application/x-www-form-urlencoded", 415),
        ("json", 415),
    ],
)
async def test_a_body_that_says_it_is_not_json_is_415(
    door: tuple[IngestApp, FakeState], content_type: str | None, status: int
) -> None:
    headers = {"x-api-key": "prom"} | ({} if content_type is None else {"content-type": content_type})
    answer = await call(door[0], "POST", URL, body=FIRING, headers=headers)
    assert answer.status == status
    assert status == 202 or answer.json["error"]["path"] == ["content-type"]


LARGE = b" " * 100_001


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (LARGE, {}),
        (LARGE, {"content-length": str(len(LARGE))}),
        ([LARGE[:50_000], LARGE[50_000:]], {}),
        ([b"", b"x", LARGE, LARGE], {}),
        ([b"x"], {"content-length": "999999999999999999999"}),
        (gzip.compress(LARGE), {"content-encoding": "gzip"}),
        (gzip.compress(LARGE[:60_000]) + gzip.compress(LARGE[:60_000]), {"content-encoding": "gzip"}),
    ],
)
async def test_a_body_that_is_too_large_is_413(
    door: tuple[IngestApp, FakeState], body: bytes | Sequence[bytes], headers: Mapping[str, str]
) -> None:
    app, state = door
    answer = await call(app, "POST", URL, body=body, headers={**BEARER, **headers})
    assert answer.status == 413
    assert "100000" in answer.json["error"]["message"]
    assert answer.headers["connection"] == "close"
    assert ingest_of(state).submissions == []


async def test_a_body_of_exactly_the_limit_is_read(door: tuple[IngestApp, FakeState]) -> None:
    body = FIRING + b" " * (100_000 - len(FIRING))
    assert (await call(door[0], "POST", URL, body=[body[:7], body[7:]], headers=BEARER)).status == 202


async def test_a_compressed_body_is_read(door: tuple[IngestApp, FakeState]) -> None:
    answer = await call(
        door[0], "POST", URL, body=gzip.compress(FIRING), headers={**BEARER, "content-encoding": "gzip"}
    )
    assert answer.status == 202


@pytest.mark.parametrize(
    ("body", "encoding", "status"),
    [
        (FIRING, "gzip", 400),
        (gzip.compress(FIRING)[:-9], "gzip", 400),
        (zlib.compress(FIRING), "deflate", 415),
        (FIRING, "br", 415),
    ],
)
async def test_a_body_in_an_encoding_that_cannot_be_read_is_refused(
    door: tuple[IngestApp, FakeState], body: bytes, encoding: str, status: int
) -> None:
    answer = await call(door[0], "POST", URL, body=body, headers={**BEARER, "content-encoding": encoding})
    assert answer.status == status


async def test_a_body_that_never_ends_is_given_up(door: tuple[IngestApp, FakeState]) -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        await asyncio.sleep(0.015)
        return {"type": "http.request", "body": b" ", "more_body": True}

    async def send(message: Message) -> None:
        sent.append(message)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(app_module, "BODY_SECONDS", 0.03)
        app = ingest_app(door[1])
    await app(scope_of("POST", URL, headers=BEARER), receive, send)
    assert sent[0]["status"] == 408
    # The door is open for others meanwhile and after.
    assert (await call(app, "POST", URL, body=FIRING, headers=BEARER)).status == 202


async def test_nobody_is_answered_who_went_away_before_the_body_was_whole(door: tuple[IngestApp, FakeState]) -> None:
    app, state = door
    answer = await call(app, "POST", URL, body=FIRING[:50], headers=BEARER, goes_away=True)
    assert answer.status == 0
    assert ingest_of(state).submissions == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"not json", 400),
        (b'{"alerts": [', 400),
        (b"[]", 422),
        (b"null", 422),
        (b"{}", 422),
        (b'{"alerts": []}', 422),
        (b'{"alerts": {}}', 422),
        (b'{"alerts": "many"}', 422),
        (b"[" * 30_000 + b"]" * 30_000, None),
        (b'{"alerts":[' + b'{"labels":' * 9_000 + b"1" + b"}" * 9_000 + b"]}", None),
        (b'{"alerts": [{"labels": {"a": "\\ud800"}}]}', None),
        (b'{"alerts": [{"labels": {"a": "\\u0000"}}]}', None),
        (b'{"alerts": [{"labels": {"a": "b"}, "startsAt": 1e999}]}', None),
        (b'{"alerts": [{"labels": {"a": "b"}, "startsAt": ' + b"9" * 5000 + b"}]}", None),
        (b"\xff\xfe\x00", 400),
        (b'{"alerts": [\xff]}', None),
        (b'{"alerts": [1, null, "x", []]}', 422),
    ],
)
async def test_a_body_that_cannot_be_read_is_refused_and_kept(
    door: tuple[IngestApp, FakeState], body: bytes, status: int | None
) -> None:
    app, state = door
    answer = await call(app, "POST", URL, body=body, headers=BEARER)
    assert answer.status == status if status else answer.status in (400, 422)
    told = answer.json
    messages = [told["error"]["message"]] if "error" in told else [error["message"] for error in told["errors"]]
    assert messages
    assert all(messages)
    (submission,) = ingest_of(state).submissions
    assert submission.receipt_id == answer.receipt_id
    assert all(isinstance(item, RejectedItem) for item in submission.items)
    if "error" in told:
        (kept,) = submission.items
        assert isinstance(kept, RejectedItem)
        assert kept.raw == body


async def test_one_bad_item_never_sinks_its_neighbours(door: tuple[IngestApp, FakeState]) -> None:
    body = group(alert(alertname="A"), {"labels": 7}, alert(alertname="C"))
    answer = await call(door[0], "POST", URL, body=body, headers=BEARER)
    told = answer.json
    assert answer.status == 202
    assert (told["accepted"], told["rejected"]) == (2, 1)
    assert [item["index"] for item in told["alerts"]] == [0, 2]
    assert told["errors"][0]["index"] == 1
    assert told["errors"][0]["path"][:2] == ["alerts", "1"]


async def test_a_post_with_too_many_items_is_refused(
    door: tuple[IngestApp, FakeState], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contract, "MAX_ITEMS", 2)
    answer = await call(door[0], "POST", URL, body=group(*[alert(a=str(n)) for n in range(3)]), headers=BEARER)
    assert answer.status == 413


@pytest.mark.parametrize(
    ("refusal", "code", "retry_after"),
    [(QueueFull(3), "QUEUE_FULL", "3"), (StoreUnavailable(7), "UNAVAILABLE", "7")],
)
@pytest.mark.parametrize("body", [FIRING, b"not json"])
async def test_what_cannot_be_kept_now_is_503_with_a_time(
    door: tuple[IngestApp, FakeState], body: bytes, refusal: Exception, code: str, retry_after: str
) -> None:
    app, state = door
    ingest_of(state).refusal = refusal
    answer = await call(app, "POST", URL, body=body, headers=BEARER)
    assert answer.status == 503
    assert answer.json["error"]["code"] == code
    assert answer.headers["retry-after"] == retry_after


async def test_a_key_that_cannot_be_judged_is_503_and_never_401() -> None:
    state = FakeState(directory=FakeDirectory(is_down=True))
    answer = await call(ingest_app(state), "POST", URL, body=FIRING, headers=BEARER)
    assert answer.status == 503
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize("missing", ["ingest", "directory"])
async def test_a_process_that_is_still_opening_answers_503(door: tuple[IngestApp, FakeState], missing: str) -> None:
    app, state = door
    setattr(state, missing, None)
    assert (await call(app, "POST", URL, body=FIRING, headers=BEARER)).status == 503


async def test_bodies_in_flight_are_bounded(door: tuple[IngestApp, FakeState], monkeypatch: pytest.MonkeyPatch) -> None:
    app, state = door
    ingest_of(state).gate = asyncio.Event()
    monkeypatch.setattr(intake, "MAX_BYTES_IN_FLIGHT", len(FIRING) + 10)
    first = asyncio.create_task(call(app, "POST", URL, body=FIRING, headers=BEARER))
    await asyncio.sleep(0.01)
    assert (await call(app, "POST", URL, body=FIRING, headers=BEARER)).status == 503
    ingest_of(state).gate.set()  # type: ignore[union-attr]
    assert (await first).status == 202
    assert (await call(app, "POST", URL, body=FIRING, headers=BEARER)).status == 202


async def test_a_fault_of_ours_says_nothing_but_its_reference_and_keeps_the_post(
    door: tuple[IngestApp, FakeState], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_post: Post) -> Parsed:
        raise RuntimeError("secret detail")

    app, state = door
    source = SOURCES["prometheus"]
    monkeypatch.setitem(SOURCES, "prometheus", replace(source, parse=broken))
    answer = await call(app, "POST", URL, body=FIRING, headers=BEARER)
    assert answer.status == 500
    assert answer.json["error"]["code"] == "INTERNAL"
    assert str(answer.receipt_id) in answer.json["error"]["message"]
    assert b"secret detail" not in answer.body
    (kept,) = ingest_of(state).submissions[0].items
    assert isinstance(kept, RejectedItem)
    assert kept.raw == FIRING


async def test_a_fault_beyond_the_parser_says_nothing_but_its_reference(door: tuple[IngestApp, FakeState]) -> None:
    app, state = door
    ingest_of(state).refusal = RuntimeError("secret detail")
    answer = await call(app, "POST", URL, body=FIRING, headers=BEARER)
    assert answer.status == 500
    assert answer.json["error"]["message"] == f"internal error; reference {answer.receipt_id}"


async def test_a_rejected_item_never_waits_in_line_with_megabytes(door: tuple[IngestApp, FakeState]) -> None:
    app, state = door
    state.settings = state.settings.model_copy(update={"max_body_bytes": 2 * KEPT, "rejected_max_bytes": KEPT})
    await call(app, "POST", URL, body=b"x" * 2 * KEPT, headers=BEARER)
    (kept,) = ingest_of(state).submissions[0].items
    assert isinstance(kept, RejectedItem)
    assert len(kept.raw) == KEPT + 1  # one more than is stored: so the store knows that it is cut


async def test_a_tool_gone_mad_cannot_fill_the_disk(door: tuple[IngestApp, FakeState]) -> None:
    _, state = door
    state.settings = state.settings.model_copy(update={"rejected_max_per_integration": 2})
    app = ingest_app(state)
    for _ in range(3):
        await call(app, "POST", URL, body=b"rubbish", headers=BEARER)
    kept = [submission.items[0] for submission in ingest_of(state).submissions]
    assert [item.raw for item in kept if isinstance(item, RejectedItem)] == [b"rubbish", b"rubbish", b""]
    assert isinstance(kept[2], RejectedItem)
    assert "not kept" in kept[2].message


async def test_a_post_whose_signature_is_wrong_is_not_kept(door: tuple[IngestApp, FakeState]) -> None:
    app, state = door
    directory = state.directory
    unsigned = directory.integrations["graf"]
    directory.integrations["graf"] = replace(unsigned, hmac_secret="s3cret")
    answer = await call(
        app, "POST", "/webhooks/grafana", body=sample("grafana-unified_firing.json"), headers={"x-api-key": "graf"}
    )
    assert answer.status == 401
    assert ingest_of(state).submissions == []
