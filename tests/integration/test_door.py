"""Does the door hold on real stores? Posts over sockets, tools that hang up, a database that goes and comes back."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx2
import pytest

from domain.integrations.keys import new_secret
from domain.integrations.model import IntegrationSource
from graphql_api.webhooks.app import IngestApp
from persistence.locks import SILENCES_LOCK
from tests.door import Answer, call
from tests.gate import Gate
from tests.served_door import DoorState, add_key, make_integration, opened_door, served
from tests.unit.webhooks.posts import sample
from tests.waiting import until_true

FIRING = sample("alertmanager-v4-firing.json")
URL = "/webhooks/prometheus"
Door = tuple[IngestApp, DoorState]


@pytest.fixture
async def key(database: asyncpg.Connection) -> str:
    _, made = await make_integration(database, IntegrationSource.PROMETHEUS)
    return made


@pytest.fixture
async def door(database_url: str, key: str) -> AsyncIterator[Door]:
    async with opened_door(database_url) as opened:
        yield opened


@pytest.fixture
async def gate(database_url: str, key: str) -> AsyncIterator[Gate]:
    gate = Gate(database_url)
    await gate.open()
    yield gate
    await gate.close()


def headers(key: str, **more: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}", "content-type": "application/json", **more}


async def test_an_answered_post_is_in_the_store_with_its_receipt(
    door: Door, key: str, database: asyncpg.Connection
) -> None:
    answer = await call(door[0], "POST", URL, body=FIRING, headers=headers(key))
    assert answer.status == 202
    (told,) = answer.json["alerts"]
    row = await database.fetchrow("SELECT id, dedup_key, status FROM alerts")
    assert row is not None
    assert (str(row["id"]), row["dedup_key"], row["status"]) == (told["alertId"], told["dedupKey"], "active")
    assert await database.fetchval("SELECT accepted FROM receipts WHERE id = $1", answer.receipt_id) == 1
    repeat = await call(door[0], "POST", URL, body=FIRING, headers=headers(key))
    assert repeat.json["alerts"][0]["outcome"] == "repeated"


async def test_what_cannot_be_read_is_in_the_store_byte_by_byte(
    door: Door, key: str, database: asyncpg.Connection
) -> None:
    body = b'{"alerts": [\x00\xff nonsense \\ud800'
    answer = await call(door[0], "POST", URL, body=body, headers=headers(key))
    assert answer.status == 400
    row = await database.fetchrow("SELECT receipt_id, raw, message FROM rejected_items")
    assert row is not None
    assert (row["receipt_id"], row["raw"]) == (answer.receipt_id, body)
    assert row["message"] == answer.json["error"]["message"]


async def test_nothing_of_a_stranger_is_in_the_store(door: Door, database: asyncpg.Connection) -> None:
    answer = await call(door[0], "POST", URL, body=b"rubbish", headers=headers("tcs_stranger"))
    assert answer.status == 401
    for table in ("receipts", "rejected_items", "signals", "alerts"):
        assert await database.fetchval(f"SELECT count(*) FROM {table}") == 0


async def until_it_waits(database: asyncpg.Connection) -> None:
    """Wait until a writer stands before the lock that the test holds: the post has come as far as that."""

    async def is_waiting() -> bool:
        return bool(
            await database.fetchval("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        )

    await until_true(is_waiting)


async def test_a_tool_that_hangs_up_while_it_waits_loses_nothing(
    door: Door, key: str, database: asyncpg.Connection
) -> None:
    holder = database.transaction()
    await holder.start()
    await database.execute("SELECT pg_advisory_xact_lock($1)", SILENCES_LOCK)  # the writer waits, so the tool does
    async with served(door[0]) as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(url).port)
        writer.write(
            f"POST {URL} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\n"
            f"content-length: {len(FIRING)}\r\n\r\n".encode()
            + FIRING
        )
        await writer.drain()
        await until_it_waits(database)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await reader.read(1)
        writer.transport.abort()
        await asyncio.sleep(0.1)
        await holder.rollback()

        async def is_there() -> bool:
            return bool(await database.fetchval("SELECT count(*) FROM alerts") == 1)

        await until_true(is_there)


async def test_a_cancelled_request_loses_nothing(door: Door, key: str, database: asyncpg.Connection) -> None:
    holder = database.transaction()
    await holder.start()
    await database.execute("SELECT pg_advisory_xact_lock($1)", SILENCES_LOCK)
    request = asyncio.create_task(call(door[0], "POST", URL, body=FIRING, headers=headers(key)))
    await until_it_waits(database)
    request.cancel()
    await asyncio.gather(request, return_exceptions=True)
    await holder.rollback()

    async def is_there() -> bool:
        return bool(await database.fetchval("SELECT count(*) FROM alerts") == 1)

    await until_true(is_there)


async def test_a_large_body_is_answered_413_to_a_client_that_is_still_sending(door: Door, key: str) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(120):
            yield b" " * 65_536

    async with served(door[0]) as url, httpx2.AsyncClient() as client:
        for content in (b" " * 6_000_000, endless()):
            answer = await client.post(url + URL, content=content, headers=headers(key))
            assert answer.status_code == 413
        again = await client.post(url + URL, content=FIRING, headers=headers(key))
        assert again.status_code == 202


async def test_while_the_database_is_away_posts_are_503_at_once_and_taken_after(
    gate: Gate, key: str, database: asyncpg.Connection
) -> None:
    async with opened_door(gate.url) as (app, _):
        assert (await call(app, "POST", URL, body=FIRING, headers=headers(key))).status == 202
        await gate.close()

        async def is_refused() -> bool:
            return (await call(app, "POST", URL, body=FIRING, headers=headers(key))).status == 503

        await until_true(is_refused)
        for path, used in ((URL, key), (URL, new_secret()), ("/api/v2/alerts", key)):
            started = asyncio.get_running_loop().time()
            answer = await call(app, "POST", path, body=FIRING, headers=headers(used))
            assert answer.status == 503, answer.body
            assert int(answer.headers["retry-after"]) > 0
            assert asyncio.get_running_loop().time() - started < 0.5
        for method, path in (("GET", "/api/v2/alerts"), ("GET", "/api/v2/silences")):
            read = await call(app, method, path, headers=headers(key))
            assert (read.status, "retry-after" in read.headers) == (503, True)
        await gate.open()

        async def is_taken() -> bool:
            return (await call(app, "POST", URL, body=FIRING, headers=headers(key))).status == 202

        await until_true(is_taken)
    accepted = await database.fetchval("SELECT count(*) FROM receipts")
    assert accepted >= 2
    assert await database.fetchval("SELECT occurrences FROM alerts") == accepted


async def test_a_key_is_rotated_without_a_refused_post_and_ends_when_it_is_revoked(
    door: Door, key: str, database: asyncpg.Connection
) -> None:
    async def status(used: str) -> int:
        return (await call(door[0], "POST", URL, body=FIRING, headers=headers(used))).status

    integration_id = await database.fetchval("SELECT integration_id FROM integration_keys")
    new = new_secret()
    await add_key(database, integration_id, new)
    assert [await status(key), await status(new)] == [202, 202]
    await database.execute("UPDATE integration_keys SET revoked_at = now() WHERE prefix = $1", key[:10])

    async def is_ended() -> bool:
        return await status(key) == 401

    await until_true(is_ended)
    assert await status(new) == 202


async def test_a_key_in_the_address_is_in_no_log(
    door: Door, key: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        async with served(door[0]) as url, httpx2.AsyncClient() as client:
            for body in (FIRING, b"rubbish"):
                await client.post(f"{url}{URL}?key={key}", content=body)
            await client.get(f"{url}/api/v2/alerts?key={key}&filter=a%3Db")
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("http")]  # not the client's
    assert any("key=redacted" in line for line in ours)  # the server's access log was on
    assert key not in "".join(ours)
    assert key not in "".join(capfd.readouterr())


async def get(door: Door, key: str, path: str, query: str = "") -> Answer:
    return await call(door[0], "GET", "/api/v2" + path, headers=headers(key), query=query)


async def test_thousands_of_open_alerts_are_listed_each_once(door: Door, key: str) -> None:
    alerts = [{"labels": {"alertname": "A", "n": str(n), "even": str(n % 2 == 0)}} for n in range(1234)]
    posted = await call(door[0], "POST", "/api/v2/alerts", body=json.dumps(alerts).encode(), headers=headers(key))
    assert (posted.status, posted.body) == (200, b"")
    found: list[dict[str, Any]] = (await get(door, key, "/alerts")).json
    assert sorted(int(alert["labels"]["n"]) for alert in found) == list(range(1234))
    (group,) = (await get(door, key, "/alerts/groups")).json
    assert len(group["alerts"]) == 1234
    even = (await get(door, key, "/alerts", "filter=even%3D%22True%22&filter=n!~%221.*%22")).json
    assert {alert["labels"]["n"] for alert in even} == {
        str(n) for n in range(1234) if n % 2 == 0 and not str(n).startswith("1")
    }
    assert (await get(door, key, "/alerts", "filter=n%3D%22none%22")).json == []


async def test_one_bad_alert_does_not_keep_its_neighbours_out_of_the_api(
    door: Door, key: str, database: asyncpg.Connection
) -> None:
    body = json.dumps([{"labels": {"alertname": "A"}}, {"labels": {}}, {"labels": {"alertname": "C"}}]).encode()
    answer = await call(door[0], "POST", "/api/v2/alerts", body=body, headers=headers(key))
    assert answer.status == 400
    assert "1" in answer.json  # the place of the bad one
    assert await database.fetchval("SELECT count(*) FROM alerts") == 2


SILENCE = {
    "matchers": [{"name": "a", "value": "b", "isRegex": False}],
    "startsAt": datetime.now(tz=UTC).isoformat(),
    "endsAt": (datetime.now(tz=UTC) + timedelta(hours=1)).isoformat(),
    "createdBy": "me",
    "comment": "c",
}


@pytest.mark.parametrize(
    "changes",
    [
        {"comment": "\x00"},
        {"comment": "x" * 3000},
        {"createdBy": 7},
        {"createdBy": {"a": 1}},
        {"matchers": "a=b"},
        {"matchers": [7]},
        {"matchers": [{"name": "a", "value": "b", "isRegex": "no"}]},
        {"matchers": [{"name": "a\x00", "value": "b", "isRegex": False}]},
        {"matchers": [{"name": "a", "value": "(" * 3000, "isRegex": True}]},
        {"matchers": [{"name": "a", "value": "b", "isRegex": False}] * 200},
        {"startsAt": 10**30},
        {"endsAt": "0001-01-01T00:00:00Z"},
        {"endsAt": "9999-12-31T23:59:59-14:00"},
        {"endsAt": "10000-01-01T00:00:00Z"},
        {"endsAt": ["now"]},
        {"id": {"a": 1}},
        {"id": "x" * 10_000},
        {"id": 7},
    ],
)
async def test_no_silence_makes_a_fault_of_ours(door: Door, key: str, changes: dict[str, Any]) -> None:
    body = json.dumps({**SILENCE, **changes}).encode()
    answer = await call(door[0], "POST", "/api/v2/silences", body=body, headers=headers(key))
    assert answer.status in (400, 404, 422), answer.body
    assert answer.json


@pytest.mark.parametrize("body", [b"", b"[", b"[]", b"null", b"\xff", b'"\\ud800"', b"[" * 100_000])
async def test_no_body_makes_a_fault_of_ours(door: Door, key: str, body: bytes) -> None:
    for path in ("/api/v2/alerts", "/api/v2/silences"):
        answer = await call(door[0], "POST", path, body=body, headers=headers(key))
        assert answer.status in (200, 400, 422), answer.body
        assert answer.status != 200 or body == b"[]"


@pytest.mark.parametrize("key_of", ["none", "wrong", "grafana"])
async def test_the_api_is_closed_to_others(door: Door, database: asyncpg.Connection, key_of: str) -> None:
    _, foreign = await make_integration(database, IntegrationSource.GRAFANA)
    given = {"none": {}, "wrong": headers("tcs_x"), "grafana": headers(foreign)}[key_of]
    for method, path in (("GET", "/status"), ("GET", "/alerts"), ("POST", "/alerts"), ("POST", "/silences")):
        answer = await call(door[0], method, "/api/v2" + path, headers=given)
        assert answer.status == (403 if key_of == "grafana" else 401)
        assert answer.json["code"] == answer.status
