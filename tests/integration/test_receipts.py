"""Does a receipt tell what became of every item, and can what was rejected be replayed, once, as of its time?"""

import base64
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from domain.identity.model import Role
from domain.ids import id_at, new_id
from domain.integrations.model import IntegrationSource
from persistence.receipts import trim_rejected
from tests.api import Api, Person, api_settings, running_api
from tests.served_door import make_integration

RECEIPT = """
query($id: ID!, $after: String) { ingestReceipt(id: $id) {
  id receivedAt accepted rejected integration { name }
  items(first: 100, after: $after) { pageInfo { hasNextPage endCursor } nodes {
    index outcome reason alert { title } rejection { id message path isTruncated isReplayable replayReceiptId } } } } }
"""
REJECTED = """
query($id: ID!, $first: Int, $after: String) { rejectedItems(integrationId: $id, first: $first, after: $after) {
  totalCount pageInfo { hasNextPage endCursor }
  nodes { id item message path rawText rawBase64 isReplayable replayedAt integration { name } } } }
"""
RESULTS = "results { id receiptId error { __typename message path } }"


@pytest.fixture
async def api(application_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(api_settings(application_url, tmp_path)) as opened:
        yield opened


class Tool:
    """A tool that posts with a key of its own."""

    def __init__(self, api: Api, integration_id: UUID, key: str, source: IntegrationSource) -> None:
        self._api, self.id, self._key, self._source = api, integration_id, key, source

    async def post(self, body: object, *, path: str | None = None) -> UUID:
        """The receipt's id of a post of JSON, or of bytes."""
        answer = await self._api.http.post(
            path or f"/webhooks/{self._source}",
            content=body if isinstance(body, bytes) else json.dumps(body).encode(),
            headers={"authorization": f"Bearer {self._key}", "content-type": "application/json"},
        )
        assert answer.status_code < 500, answer.text
        return UUID(answer.headers["x-receipt-id"])


async def tool_of(api: Api, database: asyncpg.Connection, source: IntegrationSource) -> Tool:
    integration_id, key = await make_integration(database, source)
    return Tool(api, integration_id, key, source)


async def receipt_of(api: Api, receipt_id: UUID, who: Person, **variables: object) -> dict[str, Any]:
    found = (await api.data(RECEIPT, {"id": str(receipt_id), **variables}, who=who))["ingestReceipt"]
    assert isinstance(found, dict)
    return found


async def replay(api: Api, who: Person, *ids: str) -> list[dict[str, Any]]:
    answer = await api.change("replayRejectedItems", {"ids": list(ids)}, RESULTS, who=who)
    assert answer["__typename"] == "ReplayRejectedItemsSuccess", answer
    results: list[dict[str, Any]] = answer["results"]
    return results


async def rejected(api: Api, tool: Tool, who: Person, **variables: object) -> dict[str, Any]:
    found: dict[str, Any] = (await api.data(REJECTED, {"id": str(tool.id), **variables}, who=who))["rejectedItems"]
    return found


async def test_a_receipt_tells_of_every_item(api: Api, database: asyncpg.Connection, manager: Person) -> None:
    tool = await tool_of(api, database, IntegrationSource.PROMETHEUS)
    good = {"status": "firing", "labels": {"alertname": "A"}, "annotations": {"summary": "a"}}
    receipt_id = await tool.post({"version": "4", "alerts": [good, {"labels": 7}, good]})
    receipt = await receipt_of(api, receipt_id, manager)
    assert (receipt["id"], receipt["accepted"], receipt["rejected"]) == (str(receipt_id), 2, 1)
    assert receipt["integration"] == {"name": "prometheus"}
    first, second, third = receipt["items"]["nodes"]
    assert [item["index"] for item in (first, second, third)] == [0, 1, 2]
    assert [item["outcome"] for item in (first, second, third)] == ["OPENED", "REJECTED", "REPEATED"]
    assert first["alert"] == third["alert"] == {"title": "a"}
    assert second["alert"] is None
    assert second["rejection"]["path"][:2] == ["alerts", "1"]
    assert second["rejection"]["isReplayable"] is True


async def test_a_receipt_of_many_items_is_paged(api: Api, database: asyncpg.Connection, manager: Person) -> None:
    tool = await tool_of(api, database, IntegrationSource.GENERIC)
    receipt_id = await tool.post([{"title": f"t{n}"} if n % 3 else {"titel": "?"} for n in range(250)])
    seen, after = [], None
    while True:
        items = (await receipt_of(api, receipt_id, manager, after=after))["items"]
        seen += [(item["index"], item["outcome"]) for item in items["nodes"]]
        if not items["pageInfo"]["hasNextPage"]:
            break
        after = items["pageInfo"]["endCursor"]
    assert seen == [(n, "OPENED" if n % 3 else "REJECTED") for n in range(250)]
    forged = base64.urlsafe_b64encode(b'["receiptItems",2147483648]').decode()
    assert await api.code(RECEIPT, {"id": str(receipt_id), "after": forged}, who=manager) == "INVALID_INPUT"


@pytest.mark.parametrize(
    "receipt_id", ["01a20000-0000-7000-8000-000000000000", str(UUID(int=0)), str(UUID(int=2**128 - 1)), "x", ""]
)
async def test_a_receipt_that_is_not_there_is_null(api: Api, manager: Person, receipt_id: str) -> None:
    assert (await api.data(RECEIPT, {"id": receipt_id}, who=manager))["ingestReceipt"] is None


async def test_rejected_items_are_listed_as_they_came(api: Api, database: asyncpg.Connection, manager: Person) -> None:
    tool = await tool_of(api, database, IntegrationSource.GENERIC)
    bodies = [b'{"titel": 1}', b"\xff\x00not json", b'{"title": "a\\u0000b"}']
    for body in bodies:
        await tool.post(body)
    page = await rejected(api, tool, manager, first=2)
    assert page["totalCount"] == 3
    rest = await rejected(api, tool, manager, first=2, after=page["pageInfo"]["endCursor"])
    assert rest["pageInfo"]["hasNextPage"] is False
    nodes = [*page["nodes"], *rest["nodes"]]
    assert [base64.b64decode(node["rawBase64"]) for node in nodes] == bodies[::-1]  # the newest first
    assert [node["rawText"] for node in nodes] == [bodies[2].decode(), None, bodies[0].decode()]
    assert all(node["message"] for node in nodes)
    assert (await rejected(api, tool, manager, first=5))["nodes"][0]["integration"] == {"name": "generic"}


async def test_only_managers_see_and_replay_what_was_rejected(api: Api, database: asyncpg.Connection) -> None:
    tool = await tool_of(api, database, IntegrationSource.GENERIC)
    receipt_id = await tool.post(b"rubbish")
    viewer = await api.person(Role.VIEWER)
    assert (await receipt_of(api, receipt_id, viewer))["rejected"] == 1
    assert await api.code(REJECTED, {"id": str(tool.id)}, who=viewer) == "FORBIDDEN"
    raw = "query($id: ID!) { ingestReceipt(id: $id) { items { nodes { rejection { rawBase64 } } } } }"
    assert await api.code(raw, {"id": str(receipt_id)}, who=viewer) == "FORBIDDEN"
    refused = await api.change("replayRejectedItems", {"ids": [str(new_id())]}, RESULTS, who=viewer)
    assert refused["__typename"] == "Forbidden"
    assert await api.code(RECEIPT, {"id": str(receipt_id)}) == "UNAUTHENTICATED"


async def test_an_item_is_replayed_once_its_mapping_is_mended(
    api: Api, database: asyncpg.Connection, manager: Person
) -> None:
    tool = await tool_of(api, database, IntegrationSource.GENERIC)
    receipt_id = await tool.post({"name": "Disk full", "level": "critical"})
    (node,) = (await rejected(api, tool, manager))["nodes"]

    (still,) = await replay(api, manager, node["id"])  # as long as nothing is mended it stays as it was
    assert still["error"]["__typename"] == "InvalidInput"
    assert still["receiptId"] is None
    assert len((await rejected(api, tool, manager))["nodes"]) == 1

    await database.execute(
        "UPDATE integrations SET mapping = $2, version = 2 WHERE id = $1",
        tool.id, '{"title": "item.name", "severity": "item.level"}',
    )  # fmt: skip
    (done,) = await replay(api, manager, node["id"])
    assert done["error"] is None
    replayed = await receipt_of(api, UUID(done["receiptId"]), manager)
    (item,) = replayed["items"]["nodes"]
    assert (item["outcome"], item["alert"]) == ("OPENED", {"title": "Disk full"})
    original = await receipt_of(api, receipt_id, manager)
    assert replayed["receivedAt"] == original["receivedAt"]
    (told,) = original["items"]["nodes"]
    assert told["rejection"]["replayReceiptId"] == done["receiptId"]
    assert told["rejection"]["isReplayable"] is False

    (again,) = await replay(api, manager, node["id"])
    assert "already" in again["error"]["message"]
    assert await database.fetchval("SELECT occurrences FROM alerts") == 1
    rows = await database.fetch("SELECT actor_id, target_id FROM audit_log WHERE action = 'replayRejectedItems'")
    assert [(row["actor_id"], str(row["target_id"])) for row in rows] == [(manager.id, node["id"])]
    event = await database.fetchrow("SELECT actor_kind, actor_id FROM alert_events WHERE kind = 'opened'")
    assert event is not None
    assert (event["actor_kind"], event["actor_id"]) == ("user", manager.id)


async def test_a_replay_does_not_beat_what_came_in_since(
    api: Api, database: asyncpg.Connection, manager: Person
) -> None:
    """A firing that could not be read, then its resolve, which could: the replay opens it closed."""
    tool = await tool_of(api, database, IntegrationSource.GENERIC)
    await tool.post({"name": "Disk full", "dedup_key": "disk"})
    await tool.post({"title": "Disk full", "dedup_key": "disk", "status": "resolved"})
    await database.execute(
        "UPDATE integrations SET mapping = $2, version = 2 WHERE id = $1",
        tool.id, '{"title": "has(item.name) ? item.name : item.title"}',
    )  # fmt: skip
    (node,) = (await rejected(api, tool, manager))["nodes"]
    (done,) = await replay(api, manager, node["id"])
    assert done["error"] is None, done
    (row,) = await database.fetch("SELECT status, created_at FROM alerts")
    assert row["status"] == "resolved"


BAD_LABELS = {"status": "firing", "labels": {"alertname": "A", "x": ["?"]}}
BY_SOURCE: list[tuple[IntegrationSource, str | None, object]] = [
    (IntegrationSource.PROMETHEUS, None, {"version": "4", "alerts": [BAD_LABELS]}),
    (IntegrationSource.PROMETHEUS, None, b'{"version": "4", "alerts": ['),
    (IntegrationSource.PROMETHEUS, "/api/v2/alerts", [BAD_LABELS]),
    (IntegrationSource.PROMETHEUS, "/api/v2/alerts", b"[7"),
    (IntegrationSource.GRAFANA, None, {"version": "1", "alerts": [BAD_LABELS]}),
    (IntegrationSource.GENERIC, None, {"alerts": [{"titel": "?"}]}),
    (IntegrationSource.GENERIC, None, [{"titel": "?"}]),
    (IntegrationSource.DATADOG, None, {"nothing": "here"}),
]


@pytest.mark.parametrize(("source", "path", "body"), BY_SOURCE)
async def test_each_source_reads_again_what_it_rejected(
    api: Api, database: asyncpg.Connection, manager: Person, source: IntegrationSource, path: str | None, body: object
) -> None:
    """Unmended bytes are refused with the same words; mended ones (the row is changed by hand) are taken."""
    tool = await tool_of(api, database, source)
    await tool.post(body, path=path)
    (node,) = (await rejected(api, tool, manager))["nodes"]
    (still,) = await replay(api, manager, node["id"])
    assert still["error"]["message"] == node["message"]
    # The item stands alone now, so its place in the post is no part of the path any more.
    assert (still["error"]["path"] or [])[-1:] == node["path"][-1:]

    mended = node["rawText"].replace('["?"]', '"!"').replace("titel", "title")
    mended = mended.replace('"nothing": "here"', '"alert_id": "1", "alert_transition": "Triggered", "title": "t"')
    if not isinstance(body, bytes):
        await database.execute("UPDATE rejected_items SET raw = $1", mended.encode())
        (done,) = await replay(api, manager, node["id"])
        assert done["error"] is None, done
        assert await database.fetchval("SELECT count(*) FROM alerts") == 1


async def test_an_item_that_a_mapping_selected_is_read_alone(
    api: Api, database: asyncpg.Connection, manager: Person
) -> None:
    tool = await tool_of(api, database, IntegrationSource.GENERIC)
    mapping = '{"items": "payload.events", "title": "item.what"}'
    await database.execute("UPDATE integrations SET mapping = $2, version = 2 WHERE id = $1", tool.id, mapping)
    await tool.post({"events": [{"what": "a"}, {"wat": "b"}]})
    (node,) = (await rejected(api, tool, manager))["nodes"]
    mended = '{"items": "payload.events", "title": "has(item.what) ? item.what : item.wat"}'
    await database.execute("UPDATE integrations SET mapping = $2, version = 3 WHERE id = $1", tool.id, mended)
    (done,) = await replay(api, manager, node["id"])
    assert done["error"] is None, done
    assert {row["title"] for row in await database.fetch("SELECT title FROM alerts")} == {"a", "b"}


async def test_what_cannot_be_replayed_says_why(api: Api, database: asyncpg.Connection, manager: Person) -> None:
    tool = await tool_of(api, database, IntegrationSource.GENERIC)
    for _ in range(4):
        await tool.post({"titel": "?"})
    nodes = (await rejected(api, tool, manager))["nodes"]
    truncated, empty, archived, fine = (node["id"] for node in nodes)
    await database.execute("UPDATE rejected_items SET is_truncated = true WHERE id = $1", UUID(truncated))
    await database.execute("UPDATE rejected_items SET raw = '' WHERE id = $1", UUID(empty))
    results = await replay(api, manager, truncated, empty, str(new_id()), truncated)
    assert [result["id"] for result in results][:2] == [truncated, empty]
    assert len(results) == 3  # each id once
    assert ["too large" in results[0]["error"]["message"], "not kept" in results[1]["error"]["message"]] == [True, True]
    assert results[2]["error"]["__typename"] == "NotFound"
    await database.execute("UPDATE rejected_items SET raw = $1", b'{"title": "t"}')
    await database.execute("UPDATE integrations SET archived_at = now() WHERE id = $1", tool.id)
    (refused,) = await replay(api, manager, archived)
    assert "archived" in refused["error"]["message"]
    for ids in ([], ["x"], [fine] * 101):
        answer = await api.change("replayRejectedItems", {"ids": ids}, RESULTS, who=manager)
        assert answer["__typename"] == ("ReplayRejectedItemsSuccess" if len(ids) > 1 else "InvalidInput")
    many = await api.change("replayRejectedItems", {"ids": [str(new_id()) for _ in range(101)]}, RESULTS, who=manager)
    assert many["__typename"] == "InvalidInput"


async def test_the_oldest_rejected_items_make_room(api: Api, database: asyncpg.Connection) -> None:
    now = datetime.now(tz=UTC)
    crowded, other = new_id(), new_id()
    await database.executemany(
        "INSERT INTO rejected_items (id, receipt_id, item, integration_id, received_at, message, raw) "
        "VALUES ($1, $1, 0, $2, $3, 'm', '')",
        [(id_at(at), owner, at) for owner, count in ((crowded, 2500), (other, 3)) for at in
         (now - timedelta(seconds=n) for n in range(count))],
    )  # fmt: skip
    assert await trim_rejected(api.engine, most=10) == 2490
    assert await trim_rejected(api.engine, most=10) == 0
    kept = await database.fetch("SELECT integration_id, received_at FROM rejected_items")
    assert sum(row["integration_id"] == other for row in kept) == 3
    assert min(row["received_at"] for row in kept if row["integration_id"] == crowded) >= now - timedelta(seconds=10)
