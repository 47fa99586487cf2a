"""Does a client page through alerts forward and backward without a gap, and which page or cursor is refused?"""

import base64
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.alerts.model import Alert, Severity
from domain.ids import new_id
from tests.alert_builder import HOUR, NOON, an_alert
from tests.api import Api, Person
from tests.integration.alerts.reads.ways import LIST, listed, put

pytestmark = pytest.mark.asyncio(loop_scope="module")


def _many(source: str, count: int = 23) -> list[Alert]:
    """Alerts of one source, with ties in every order."""
    severities = list(Severity)
    return [
        an_alert(
            source=source,
            title=f"{source} {number}",
            severity=severities[number % 4],
            created_at=NOON + timedelta(minutes=number // 3),
            updated_at=NOON + timedelta(minutes=number // 5),
            last_seen_at=NOON + timedelta(minutes=number % 7),
        )
        for number in range(count)
    ]


RANK = {Severity.LOW: 0, Severity.MEDIUM: 1, Severity.HIGH: 2, Severity.CRITICAL: 3}
ORDERS = {
    "CREATED_AT": lambda alert: (alert.created_at, alert.id),
    "UPDATED_AT": lambda alert: (alert.updated_at, alert.id),
    "LAST_SEEN_AT": lambda alert: (alert.last_seen_at, alert.id),
    "SEVERITY": lambda alert: (RANK[alert.severity], alert.created_at, alert.id),
}


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
@pytest.mark.parametrize("field", ORDERS)
async def test_pages_forward_and_backward_give_each_alert_once_in_order(
    api: Api, viewer: Person, field: str, direction: str
) -> None:
    source = f"pages-{field}-{direction}"
    made = _many(source)
    await put(api, *made)
    expected = [str(a.id) for a in sorted(made, key=ORDERS[field], reverse=direction == "DESC")]
    wanted = {"filter": {"source": [source]}, "order": {"field": field, "direction": direction}}
    forward: list[str] = []
    after = None
    while True:
        page = await listed(api, viewer, **wanted, first=5, after=after)
        assert page["pageInfo"]["hasPreviousPage"] is (after is not None)
        assert page["totalCount"] == len(made)
        forward += [node["id"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert forward == expected
    backward: list[str] = []
    before = None
    while True:
        page = await listed(api, viewer, **wanted, last=4, before=before)
        backward = [node["id"] for node in page["nodes"]] + backward
        before = page["pageInfo"]["startCursor"]
        if not page["pageInfo"]["hasPreviousPage"]:
            break
    assert backward == expected


async def test_alerts_that_come_in_meanwhile_move_nothing(api: Api, viewer: Person) -> None:
    made = _many("stable", 10)
    await put(api, *made)
    wanted = {"filter": {"source": ["stable"]}}
    first = await listed(api, viewer, **wanted, first=5)
    await put(api, *(replace(a, id=new_id(), dedup_key=str(new_id()), created_at=NOON + HOUR) for a in made))
    second = await listed(api, viewer, **wanted, first=5, after=first["pageInfo"]["endCursor"])
    seen = [node["id"] for page in (first, second) for node in page["nodes"]]
    assert seen == [str(a.id) for a in sorted(made, key=ORDERS["CREATED_AT"], reverse=True)]


@pytest.mark.parametrize(
    "arguments",
    [
        {"first": 101},
        {"first": -1},
        {"last": 101},
        {"first": 1, "last": 1},
        {"after": "nonsense"},
        {"filter": {"search": "x" * 201}},
        {"filter": {"labels": [{"name": "a", "operator": "REGEX", "value": "("}]}},
        {"filter": {"labels": [{"name": "a", "operator": "REGEX", "value": "(?i)a"}]}},
        {"filter": {"labels": [{"name": "", "value": "a"}]}},
    ],
)
async def test_a_page_that_cannot_be_is_refused(api: Api, viewer: Person, arguments: dict[str, Any]) -> None:
    assert await api.code(LIST, arguments, who=viewer) == "INVALID_INPUT"


async def test_a_cursor_of_another_order_is_refused(api: Api, viewer: Person) -> None:
    await put(api, *_many("orders", 3))
    page = await listed(api, viewer, filter={"source": ["orders"]}, first=1)
    arguments = {"after": page["pageInfo"]["endCursor"], "order": {"field": "UPDATED_AT"}}
    assert await api.code(LIST, arguments, who=viewer) == "INVALID_INPUT"


@pytest.mark.parametrize(
    "place",
    [
        ["2026-11-24T12:00:00", str(new_id())],
        ["9999-99-99T00:00:00Z", str(new_id())],
        ["9999-12-31T23:59:59-12:00", str(new_id())],
        ["2026-11-24T12:00:00Z", "no id"],
        ["2026-11-24T12:00:00Z"],
        [None, None],
        [10**30, {}],
    ],
)
async def test_a_forged_cursor_is_refused(api: Api, viewer: Person, place: list[object]) -> None:
    forged = base64.urlsafe_b64encode(json.dumps(["alerts:created_at:desc", *place]).encode()).decode()
    assert await api.code(LIST, {"after": forged}, who=viewer) == "INVALID_INPUT"
    groups = base64.urlsafe_b64encode(json.dumps(["alertGroups", *place]).encode()).decode()
    query = "query($after: String) { alertGroups(after: $after) { nodes { id } } }"
    assert await api.code(query, {"after": groups}, who=viewer) == "INVALID_INPUT"
