"""Does whoever runs Tocsin read in the log which tool's posts are refused, without keys, payloads or a flood?"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from domain.alerts.submission import StoreUnavailable
from domain.integrations.model import IntegrationSource
from graphql_api.webhooks import refused_posts
from graphql_api.webhooks.app import IngestApp
from tests.door import FakeIngest, FakeState, call, door_of, knock, scope_of

GENERIC = "/webhooks/generic"
GOOD = {"authorization": "Bearer generic"}
SECRET = "tcs_not-for-the-log"


class MovableClock:
    """A clock the test moves."""

    def __init__(self) -> None:
        self.time = datetime(2026, 3, 4, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def door(clock: MovableClock) -> tuple[IngestApp, FakeState]:
    app, state = door_of(generic=IntegrationSource.GENERIC, prom=IntegrationSource.PROMETHEUS)
    state.clock = clock
    return app, state


async def test_a_taken_post_leaves_no_line(door: tuple[IngestApp, FakeState]) -> None:
    with capture_logs() as lines:
        assert (await call(door[0], "POST", GENERIC, body=b'{"title": "t"}', headers=GOOD)).status == 202
    assert lines == []


async def test_a_refused_post_is_told_with_its_integration_and_without_its_payload(
    door: tuple[IngestApp, FakeState],
) -> None:
    app, state = door
    integration = state.directory.integrations["generic"]
    with capture_logs() as lines:
        answer = await call(app, "POST", GENERIC, body=b'{"titel": "my password"}', headers=GOOD)
    assert answer.status == 422
    assert lines == [
        {
            "event": "a post was refused",
            "log_level": "warning",
            "receipt_id": str(answer.receipt_id),
            "source": "generic",
            "integration": integration.name,
            "integration_id": str(integration.id),
            "status": 422,
            "reason": "INVALID_PAYLOAD",
        }
    ]


async def test_a_body_that_is_no_json_is_told_without_a_piece_of_it(door: tuple[IngestApp, FakeState]) -> None:
    with capture_logs() as lines:
        await call(door[0], "POST", GENERIC, body=b'{"hidden-word', headers=GOOD)
    (line,) = lines
    assert line["reason"] == "BAD_REQUEST"
    assert "hidden-word" not in json.dumps(line)


async def test_a_post_without_a_live_key_is_told_by_its_address(door: tuple[IngestApp, FakeState]) -> None:
    with capture_logs() as lines:
        await call(door[0], "POST", GENERIC, body=b"{}", headers={"authorization": f"Bearer {SECRET}"})
        await call(door[0], "POST", "/v2/enqueue", body=json.dumps({"routing_key": SECRET}).encode())
        await call(door[0], "GET", "/api/v2/alerts", query=f"key={SECRET}")
    assert [(line["source"], line["client"], line["status"], line["reason"]) for line in lines] == [
        ("generic", "127.0.0.1", 401, "UNAUTHENTICATED"),
        ("pagerduty", "127.0.0.1", 400, "UNAUTHENTICATED"),
        ("alertmanager_v2", "127.0.0.1", 401, "UNAUTHENTICATED"),
    ]
    assert lines[0]["message"] == "the key is unknown, expired or revoked"
    assert SECRET not in json.dumps(lines)


async def test_another_sources_key_is_told_with_whose_it_is(door: tuple[IngestApp, FakeState]) -> None:
    with capture_logs() as lines:
        await call(door[0], "POST", GENERIC, body=b"{}", headers={"authorization": "Bearer prom"})
    (line,) = lines
    assert (line["integration"], line["status"], line["reason"]) == ("prometheus", 403, "FORBIDDEN")
    assert "source prometheus" in line["message"]


async def test_a_line_a_minute_for_each_reason_and_the_rest_counted(
    door: tuple[IngestApp, FakeState], clock: MovableClock
) -> None:
    app, state = door

    async def post(body: bytes) -> None:
        await call(app, "POST", GENERIC, body=body, headers=GOOD)

    with capture_logs() as lines:
        for _ in range(5):
            await post(b"{")
            await post(b'{"titel": "?"}')
    assert [line["reason"] for line in lines] == ["BAD_REQUEST", "INVALID_PAYLOAD"]
    assert isinstance(state.ingest, FakeIngest)
    state.ingest.refusal = StoreUnavailable(retry_after_seconds=1)
    with capture_logs() as lines:
        await post(b'{"title": "t"}')
    assert [(line["status"], line["reason"]) for line in lines] == [(503, "UNAVAILABLE")]
    state.ingest.refusal = None
    clock.time += timedelta(seconds=60)
    with capture_logs() as lines:
        await post(b"{")
    assert [(line["event"], line["reason"], line.get("left_out")) for line in lines] == [
        ("more posts were refused", "BAD_REQUEST", 4),
        ("more posts were refused", "INVALID_PAYLOAD", 4),
        ("a post was refused", "BAD_REQUEST", None),
    ]


async def test_a_flood_from_many_addresses_fills_neither_the_log_nor_the_memory(
    door: tuple[IngestApp, FakeState], clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refused_posts, "MOST_ADDRESSES", 10)
    app, _ = door

    async def post(address: str) -> None:
        scope: dict[str, Any] = scope_of("POST", GENERIC)
        scope["client"] = (address, 1)
        await knock(app, scope, body=b"{}")

    with capture_logs() as lines:
        for number in range(100):
            await post(f"10.0.0.{number}")
        await call(app, "POST", GENERIC, body=b"{", headers=GOOD)
    assert len(lines) == 12
    assert lines[10]["client"] == "others"
    assert lines[11]["integration"] == "generic"
    clock.time += timedelta(minutes=2)
    with capture_logs() as lines:
        await post("10.0.0.1")
    assert [line.get("left_out") for line in lines] == [89, None]


async def test_a_client_that_hangs_up_leaves_no_line(door: tuple[IngestApp, FakeState]) -> None:
    with capture_logs() as lines:
        await call(door[0], "POST", GENERIC, body=b"{", headers=GOOD, goes_away=True)
    assert lines == []
