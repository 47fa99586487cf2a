"""What a payload would become, seen before anything is saved (I2)."""

import json
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import sqlalchemy as sa

from domain.identity.model import Role
from tests.api import Api, Person

PAYLOADS = Path(__file__).parents[2] / "payloads"
SHOWN = """total items {
  __typename
  ... on PreviewedSignal { title severity status source serviceName labels metadata dedupKey dedupRecipe startedAt
    team { name } reasons }
  ... on PreviewedRejection { message path } }"""


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def api(module_api: Api) -> Api:
    """One application for all: a preview writes nothing."""
    return module_api


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def manager(api: Api) -> Person:
    return await api.person(Role.MANAGER)


async def preview(api: Api, who: Person, **what: object) -> dict[str, Any]:
    return await api.change("previewSignal", what, SHOWN, who=who)


async def test_a_draft_mapping_reads_a_foreign_payload(api: Api, manager: Person) -> None:
    team = await api.team("Payments")
    draft = {
        "source": "GENERIC",
        "defaultTeamId": str(team.id),
        "severityMap": [{"word": "Red", "severity": "CRITICAL"}],
        "mapping": {
            "items": "payload.checks",
            "title": "item.name",
            "severity": "item.colour",
            "status": "item.ok ? 'resolved' : 'firing'",
            "dedupKey": "item.id",
            "service": "payload.app",
            "labels": [{"name": "host", "expression": "item.host"}],
        },
    }
    payload = {
        "app": "checkout",
        "checks": [
            {"id": "c1", "name": "Latency", "colour": "RED", "ok": False, "host": "a1"},
            {"id": "c2", "name": "Errors", "colour": "green", "ok": True, "host": "a2"},
        ],
    }
    seen = await preview(api, manager, draft=draft, payload=payload)
    assert seen["total"] == 2
    first, second = seen["items"]
    assert first["__typename"] == "PreviewedSignal"
    assert (first["title"], first["severity"], first["status"]) == ("Latency", "CRITICAL", "FIRING")
    assert (first["serviceName"], first["labels"], first["team"]) == ("checkout", {"host": "a1"}, {"name": "Payments"})
    assert "the integration maps 'RED' to critical" in first["reasons"]
    assert (second["severity"], second["status"]) == ("MEDIUM", "RESOLVED")
    assert first["dedupKey"] != second["dedupKey"]


async def test_nothing_is_written(api: Api, manager: Person) -> None:
    await preview(api, manager, draft={"source": "GENERIC"}, payload={"title": "t"})
    async with api.engine.connect() as connection:
        for table in ("alerts", "signals", "receipts", "rejected_items"):
            assert await connection.scalar(sa.text(f"SELECT count(*) FROM {table}")) == 0, table


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("PROMETHEUS", "alertmanager-v4-firing.json"),
        ("GRAFANA", "grafana-unified_firing.json"),
        ("DATADOG", "datadog-triggered.json"),
        ("NEWRELIC", "newrelic-workflow_activated.json"),
        ("CLOUDWATCH", "aws_sns-cloudwatch_alarm.json"),
        ("PAGERDUTY", "pagerduty_v2-trigger.json"),
        ("GENERIC", "generic-alert.json"),
    ],
)
async def test_every_source_can_be_previewed(api: Api, manager: Person, source: str, name: str) -> None:
    payload = json.loads((PAYLOADS / name).read_text())
    seen = await preview(api, manager, draft={"source": source}, payload=payload)
    assert seen["__typename"] == "PreviewSignalSuccess", seen
    assert seen["total"] >= 1
    for item in seen["items"]:
        assert item["__typename"] == "PreviewedSignal"
        assert item["title"]
        assert item["dedupRecipe"]


async def test_an_item_that_would_be_refused_says_so_beside_its_neighbours(api: Api, manager: Person) -> None:
    payload = [{"title": "good"}, {"title": 7}, {"description": "no title"}]
    seen = await preview(api, manager, draft={"source": "GENERIC"}, payload=payload)
    kinds = [item["__typename"] for item in seen["items"]]
    assert kinds[0] == "PreviewedSignal"
    assert kinds[2] == "PreviewedRejection"
    assert seen["items"][2]["path"] == ["2", "title"] or "title" in seen["items"][2]["path"]


async def test_a_text_is_the_body_itself(api: Api, manager: Person) -> None:
    seen = await preview(api, manager, draft={"source": "GENERIC"}, payload='{"title": "from text"}')
    assert seen["items"][0]["title"] == "from text"
    broken = await preview(api, manager, draft={"source": "GENERIC"}, payload="{broken")
    assert (broken["code"], broken["path"][0]) == ("INVALID_INPUT", "payload")


async def test_headers_are_seen_by_the_mapping(api: Api, manager: Person) -> None:
    draft = {"source": "GENERIC", "mapping": {"title": "headers['x-check']"}}
    headers = [{"name": "X-Check", "value": "probe 7"}]
    seen = await preview(api, manager, draft=draft, payload={}, headers=headers)
    assert seen["items"][0]["title"] == "probe 7"


async def test_an_integration_that_exists_reads_by_what_is_saved_and_asks_no_signature(
    api: Api, manager: Person
) -> None:
    made = await api.change(
        "createIntegration",
        {"name": "G", "source": "GRAFANA", "hmacSecret": "a shared secret"},
        "integration { id }",
        who=manager,
    )
    payload = json.loads((PAYLOADS / "grafana-unified_firing.json").read_text())
    seen = await preview(api, manager, integrationId=made["integration"]["id"], payload=payload)
    assert seen["total"] >= 1


@pytest.mark.parametrize(
    ("what", "code", "path"),
    [
        ({}, "INVALID_INPUT", ["draft"]),
        ({"integrationId": "x", "draft": {"source": "GENERIC"}}, "INVALID_INPUT", ["draft"]),
        ({"integrationId": "x"}, "NOT_FOUND", ["integrationId"]),
        ({"integrationId": "00000000-0000-7000-8000-000000000001"}, "NOT_FOUND", ["integrationId"]),
        ({"draft": {"source": "MANUAL"}}, "INVALID_INPUT", ["source"]),
        ({"draft": {"source": "GENERIC", "mapping": {"title": "item."}}}, "INVALID_INPUT", ["mapping", "title"]),
        ({"draft": {"source": "GENERIC"}, "payload": 7}, "INVALID_INPUT", ["payload"]),
    ],
)
async def test_what_cannot_be_previewed_says_why(
    api: Api, manager: Person, what: dict[str, Any], code: str, path: list[str]
) -> None:
    refused = await preview(api, manager, **{"payload": {"title": "t"}, **what})
    assert (refused.get("code"), refused.get("path")) == (code, path), refused
