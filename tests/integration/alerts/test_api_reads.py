"""Does a client read alerts over GraphQL as the schema promises: pages, filters, sight, and no statement an item?"""

import base64
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
import sqlalchemy as sa

from domain.alerts.model import Alert, AlertStatus, Severity
from domain.identity.model import Role
from domain.ids import new_id
from persistence.tables import silences
from tests.alert_builder import HOUR, NOON, an_alert
from tests.alert_rows import put_alerts, put_group, put_integration
from tests.api import Api, Person, api_settings, running_api

pytestmark = pytest.mark.asyncio(loop_scope="module")
LIST = """query($filter: AlertFilter, $order: AlertOrder, $first: Int, $after: String, $last: Int, $before: String) {
  alerts(filter: $filter, orderBy: $order, first: $first, after: $after, last: $last, before: $before) {
    totalCount nodes { id title } edges { cursor node { id } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def api(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    async with running_api(api_settings(module_database_url, tmp_path_factory.mktemp("api"))) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def viewer(api: Api) -> Person:
    return await api.person(Role.VIEWER)


async def _put(api: Api, *wanted: Alert) -> None:
    async with api.engine.begin() as connection:
        await put_alerts(connection, wanted)


async def _list(api: Api, who: Person, **variables: object) -> dict[str, Any]:
    page: dict[str, Any] = (await api.data(LIST, variables, who=who))["alerts"]
    return page


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
    await _put(api, *made)
    expected = [str(a.id) for a in sorted(made, key=ORDERS[field], reverse=direction == "DESC")]
    wanted = {"filter": {"source": [source]}, "order": {"field": field, "direction": direction}}
    forward: list[str] = []
    after = None
    while True:
        page = await _list(api, viewer, **wanted, first=5, after=after)
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
        page = await _list(api, viewer, **wanted, last=4, before=before)
        backward = [node["id"] for node in page["nodes"]] + backward
        before = page["pageInfo"]["startCursor"]
        if not page["pageInfo"]["hasPreviousPage"]:
            break
    assert backward == expected


async def test_alerts_that_come_in_meanwhile_move_nothing(api: Api, viewer: Person) -> None:
    made = _many("stable", 10)
    await _put(api, *made)
    wanted = {"filter": {"source": ["stable"]}}
    first = await _list(api, viewer, **wanted, first=5)
    await _put(api, *(replace(a, id=new_id(), dedup_key=str(new_id()), created_at=NOON + HOUR) for a in made))
    second = await _list(api, viewer, **wanted, first=5, after=first["pageInfo"]["endCursor"])
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
    await _put(api, *_many("orders", 3))
    page = await _list(api, viewer, filter={"source": ["orders"]}, first=1)
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


async def test_left_out_is_no_condition_and_null_is_none(api: Api, viewer: Person) -> None:
    team = await api.team(f"Null {new_id()}")
    somebody = await api.person(Role.OPERATOR)
    mine = an_alert(source="nulls", team_id=team.id, assigned_to=somebody.id, service_name="shop")
    nobodys = an_alert(source="nulls")
    await _put(api, mine, nobodys)

    async def found(**condition: object) -> set[str]:
        page = await _list(api, viewer, filter={"source": ["nulls"], **condition})
        return {node["id"] for node in page["nodes"]}

    both, one, other = {str(mine.id), str(nobodys.id)}, {str(mine.id)}, {str(nobodys.id)}
    assert await found() == both
    assert await found(teamId=None) == other
    assert await found(teamId=str(team.id)) == one
    assert await found(teamId="no id") == set()
    assert await found(assignedTo=None) == other
    assert await found(assignedTo=str(somebody.id)) == one
    assert await found(unassigned=True) == other
    assert await found(unassigned=False) == one
    assert await found(serviceName=[None]) == other
    assert await found(serviceName="shop") == one
    assert await found(ids=[str(mine.id), "no id"]) == one
    assert await found(**{"or": [{"serviceName": "shop"}, {"teamId": None}]}) == both
    assert await found(**{"not": {"serviceName": "shop"}}) == other
    assert await found(**{"and": [{"isOpen": True}, {"labels": [{"name": "a", "value": ""}]}]}) == both
    assert await found(createdAt={"from": NOON.isoformat(), "until": (NOON + HOUR).isoformat()}) == both
    assert await found(createdAt={"until": NOON.isoformat()}) == set()
    # Where null stands for nothing it is refused, so a slip in a client's variables does not widen its list.
    for field in ("status", "isOpen", "search", "createdAt", "serviceName"):
        assert await api.code(LIST, {"filter": {field: None}}, who=viewer) in {"INVALID_INPUT", "BAD_REQUEST"}
    no_name = {"labels": [{"name": "", "value": "a"}]}
    places: list[tuple[dict[str, Any], str]] = [
        ({"or": []}, "filter.or"),
        ({"not": {"or": []}}, "filter.not.or"),
        ({"and": [{}, {"or": [no_name]}]}, "filter.and.1.or.0.labels.0.name"),
    ]
    for refused, place in places:
        (error,) = (await api.ask(LIST, {"filter": refused}, who=viewer))["errors"]
        assert error["extensions"] == {"code": "INVALID_INPUT", "path": place.split(".")}


async def test_a_private_teams_alerts_are_its_members_and_administrators(api: Api, viewer: Person) -> None:
    secret = await api.team(f"Secret {new_id()}", is_private=True)
    public = await api.team(f"Public {new_id()}")
    hidden = an_alert(source="sight", team_id=secret.id)
    shown = an_alert(source="sight", team_id=public.id)
    plain = an_alert(source="sight")
    await _put(api, hidden, shown, plain)
    member = await api.person(Role.VIEWER, teams=(secret,))
    admin = await api.person(Role.ADMIN)
    counts = "query($s: [String!]) { alertCounts(filter: {source: $s}) { total } }"
    one = "query($id: ID!) { alert(id: $id) { id team { id } } }"
    for who, count in ((viewer, 2), (member, 3), (admin, 3)):
        page = await _list(api, who, filter={"source": ["sight"]})
        assert page["totalCount"] == len(page["nodes"]) == count
        assert (await api.data(counts, {"s": ["sight"]}, who=who))["alertCounts"]["total"] == count
        found = (await api.data(one, {"id": str(hidden.id)}, who=who))["alert"]
        assert (found is not None) is (count == 3)
    assert (await api.data(one, {"id": "no id"}, who=viewer))["alert"] is None
    assert await api.code(one, {"id": str(plain.id)}) == "UNAUTHENTICATED"


async def test_counts_by_status_and_severity(api: Api, viewer: Person) -> None:
    await _put(
        api,
        an_alert(source="counts", severity=Severity.CRITICAL),
        an_alert(source="counts", severity=Severity.CRITICAL, status=AlertStatus.ACKNOWLEDGED),
        an_alert(source="counts", severity=Severity.LOW, status=AlertStatus.RESOLVED),
    )
    query = """{ alertCounts(filter: {source: "counts"}) {
        total open byStatus { status count } bySeverity { severity count } } }"""
    assert (await api.data(query, who=viewer))["alertCounts"] == {
        "total": 3,
        "open": 2,
        "byStatus": [
            {"status": "ACTIVE", "count": 1},
            {"status": "ACKNOWLEDGED", "count": 1},
            {"status": "INVESTIGATING", "count": 0},
            {"status": "RESOLVED", "count": 1},
        ],
        "bySeverity": [
            {"severity": "CRITICAL", "count": 2},
            {"severity": "HIGH", "count": 0},
            {"severity": "MEDIUM", "count": 0},
            {"severity": "LOW", "count": 1},
        ],
    }


async def test_a_timeline_is_paged_by_the_streams_own_cursors(api: Api) -> None:
    operator = await api.person(Role.OPERATOR)
    made = await api.change("createAlert", {"title": "t", "severity": "LOW"}, "alert { id }", who=operator)
    alert_id = made["alert"]["id"]
    for number in range(6):
        await api.change("commentOnAlert", {"id": alert_id, "text": str(number)}, "alert { id }", who=operator)
    query = """query($id: ID!, $first: Int, $after: String, $last: Int, $before: String) { alert(id: $id) {
        timeline(first: $first, after: $after, last: $last, before: $before) {
          edges { cursor node { id cursor comment alert { id } } }
          pageInfo { hasNextPage hasPreviousPage endCursor startCursor } } } }"""

    async def page(**arguments: object) -> dict[str, Any]:
        data = await api.data(query, {"id": alert_id, **arguments}, who=operator)
        found: dict[str, Any] = data["alert"]["timeline"]
        return found

    first = await page(first=3)
    assert [edge["node"]["comment"] for edge in first["edges"]] == [None, "0", "1"]
    assert all(edge["cursor"] == edge["node"]["cursor"] for edge in first["edges"])
    assert first["edges"][0]["node"]["alert"]["id"] == alert_id
    second = await page(first=10, after=first["pageInfo"]["endCursor"])
    assert [edge["node"]["comment"] for edge in second["edges"]] == ["2", "3", "4", "5"]
    assert second["pageInfo"]["hasNextPage"] is False
    newest = await page(last=2)
    assert [edge["node"]["comment"] for edge in newest["edges"]] == ["4", "5"]
    older = await page(last=2, before=newest["pageInfo"]["startCursor"])
    assert [edge["node"]["comment"] for edge in older["edges"]] == ["2", "3"]
    assert await api.code(query, {"id": alert_id, "after": "x"}, who=operator) == "INVALID_INPUT"


async def test_groups_show_each_viewer_the_members_they_may_see(api: Api, viewer: Person) -> None:
    secret = await api.team(f"Secret {new_id()}", is_private=True)
    async with api.engine.begin() as connection:
        mixed, hidden = await put_group(connection, title="mixed"), await put_group(connection, title="hidden")
        await put_group(connection, title="empty")
        members = [an_alert(group_id=mixed, created_at=NOON + timedelta(minutes=n)) for n in range(3)]
        private = [an_alert(group_id=mixed, team_id=secret.id), an_alert(group_id=hidden, team_id=secret.id)]
        await put_alerts(connection, [*members, *private])
    query = """query($first: Int, $after: String) { alertGroups(first: $first, after: $after) { totalCount
        nodes { title alerts(first: 2) { nodes { id group { title } } pageInfo { hasNextPage } } }
        pageInfo { endCursor hasNextPage } } }"""
    seen = (await api.data(query, who=viewer))["alertGroups"]
    assert (seen["totalCount"], [group["title"] for group in seen["nodes"]]) == (1, ["mixed"])
    (group,) = seen["nodes"]
    assert [node["id"] for node in group["alerts"]["nodes"]] == [str(members[2].id), str(members[1].id)]
    assert group["alerts"]["pageInfo"]["hasNextPage"]
    admin = await api.person(Role.ADMIN)
    first = (await api.data(query, {"first": 1}, who=admin))["alertGroups"]
    second = (await api.data(query, {"first": 1, "after": first["pageInfo"]["endCursor"]}, who=admin))["alertGroups"]
    assert (first["totalCount"], first["nodes"][0]["title"], second["nodes"][0]["title"]) == (2, "hidden", "mixed")
    assert len((await api.data(query, who=admin))["alertGroups"]["nodes"][1]["alerts"]["nodes"]) == 2


async def test_a_silence_that_holds_an_alert_is_shown(api: Api, viewer: Person) -> None:
    silence_id = new_id()
    matchers = [{"name": "env", "value": "te.t", "isRegex": True, "isEqual": True}]
    async with api.engine.begin() as connection:
        await connection.execute(
            sa.insert(silences).values(
                id=silence_id,
                matchers=matchers,
                starts_at=NOON,
                ends_at=NOON + HOUR,
                created_by="anna",
                comment="rebuild",
                created_at=NOON,
                updated_at=NOON,
            )
        )
        alert = an_alert(suppressed_by=(silence_id,))
        await put_alerts(connection, [alert])
    query = """query($id: ID!) { alert(id: $id) { suppression { silences {
        id comment createdBy matchers { name operator value } } } } }"""
    shown = (await api.data(query, {"id": str(alert.id)}, who=viewer))["alert"]
    assert shown["suppression"]["silences"] == [
        {
            "id": str(silence_id),
            "comment": "rebuild",
            "createdBy": "anna",
            "matchers": [{"name": "env", "operator": "REGEX", "value": "te.t"}],
        }
    ]


@contextmanager
def _statements(api: Api) -> Iterator[list[str]]:
    """The statements the application sends meanwhile."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        sent.append(statement)

    engine = api.app.state.engine.sync_engine
    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)


async def test_a_page_costs_as_many_statements_with_forty_alerts_as_with_two(api: Api) -> None:
    operator = await api.person(Role.OPERATOR)
    team = await api.team(f"Team {new_id()}")
    async with api.engine.begin() as connection:
        group = await put_group(connection)
        integrations = [await put_integration(connection) for _ in range(4)]
    made = [
        an_alert(
            source="n+1",
            team_id=team.id,
            group_id=group,
            assigned_to=operator.id,
            integration_id=integrations[number % 4],
            suppressed_by=(new_id(),),
        )
        for number in range(40)
    ]
    await _put(api, *made)
    for start in range(0, 40, 10):
        ids = [str(alert.id) for alert in made[start : start + 10]]
        await api.change("acknowledgeAlerts", {"ids": ids}, "results { id }", who=operator)
    query = """query($first: Int) { alerts(filter: {source: "n+1"}, first: $first) { totalCount nodes {
        assignedTo { name team { name } } team { name members { user { name } } } group { title alerts(first: 3) {
          nodes { id } } }
        integration { name defaultTeam { name } } suppression { silences { id } } attachments { id }
        decisions { __typename }
        timeline(first: 3) { totalCount nodes { cursor kind actor { __typename } alert { id } } } } } }"""
    costs = {}
    for first in (2, 40):
        with _statements(api) as sent:
            page = (await api.data(query, {"first": first}, who=operator))["alerts"]
        assert len(page["nodes"]) == first
        assert all(node["timeline"]["nodes"][0]["actor"]["__typename"] == "User" for node in page["nodes"])
        costs[first] = len(sent)
    assert 10 <= costs[2] <= 20
    # What two parts of the answer ask for at about the same time is one statement, or two.
    assert costs[40] <= costs[2] + 2


async def test_a_hundred_alerts_are_changed_in_a_handful_of_statements(api: Api) -> None:
    operator = await api.person(Role.OPERATOR)
    made = [an_alert(source="bulk") for _ in range(100)]
    await _put(api, *made)
    ids = [str(alert.id) for alert in made]
    with _statements(api) as sent:
        answer = await api.change("resolveAlerts", {"ids": ids}, "results { alert { status } }", who=operator)
    assert {result["alert"]["status"] for result in answer["results"]} == {"RESOLVED"}
    assert 5 <= len(sent) <= 10


async def test_what_is_not_asked_is_not_counted(api: Api, viewer: Person) -> None:
    with _statements(api) as sent:
        await api.data("{ alerts(first: 1) { nodes { id } } }", who=viewer)
    assert any("FROM alerts" in statement for statement in sent)
    assert not any("count(" in statement for statement in sent)


async def _plain_fields(api: Api, who: Person) -> list[str]:
    asked = '{ __type(name: "Alert") { fields { name args { name } type { kind ofType { kind } } } } }'
    fields = (await api.data(asked, who=who))["__type"]["fields"]
    kinds = {one["name"]: (one["type"]["ofType"] or one["type"])["kind"] for one in fields if not one["args"]}
    return [name for name, kind in kinds.items() if kind in {"SCALAR", "ENUM"}]


async def test_a_list_that_shows_few_attributes_shows_them_as_the_alert_has_them(api: Api, viewer: Person) -> None:
    made = [
        an_alert(
            source="few",
            severity=severity,
            description="what happened",
            labels={"env": "prod"},
            metadata={"number": [7, None]},
            occurrences=3,
            created_at=NOON + timedelta(minutes=number, microseconds=7),
            acknowledged_at=NOON + HOUR,
            snoozed_until=NOON + HOUR,
        )
        for number, severity in enumerate(Severity)
    ]
    await _put(api, *made)
    names = await _plain_fields(api, viewer)
    assert {"title", "labels", "status", "acknowledgedAt", "dedupKey"} <= set(names)
    whole = {
        str(alert.id): (await api.data(f'{{ alert(id: "{alert.id}") {{ {" ".join(names)} }} }}', who=viewer))["alert"]
        for alert in made
    }
    for name in names:
        asked = f'{{ alerts(filter: {{source: "few"}}, orderBy: {{field: SEVERITY}}) {{ nodes {{ id {name} }} }} }}'
        nodes = (await api.data(asked, who=viewer))["alerts"]["nodes"]
        assert {one["id"]: one[name] for one in nodes} == {id_: one[name] for id_, one in whole.items()}, name


@pytest.mark.parametrize(
    "selected",
    [
        "nodes { id t: title ...More } pageInfo { endCursor }",
        "edges { cursor node { ...More ... on Alert { id t: title } } } totalCount",
        "nodes { id t: title description @skip(if: true) ...More } edges { __typename node { __typename status } }",
        "... on AlertConnection { nodes { id t: title ...More } } nodes { team { id } }",
        "nodes { id t: title ...More isFlapping: __typename timeline { totalCount } }",
    ],
    ids=["few", "edges", "both and a directive", "another object beside", "a list beside"],
)
async def test_what_else_a_list_asks_for_changes_no_attribute(api: Api, viewer: Person, selected: str) -> None:
    source = f"select-{new_id()}"
    alert = an_alert(source=source, title="a title", labels={"env": "prod"})
    await _put(api, alert)
    asked = (
        f'{{ alerts(filter: {{source: "{source}"}}) {{ {selected} }} }} fragment More on Alert {{ labels severity }}'
    )
    page = (await api.data(asked, who=viewer))["alerts"]
    (node,) = page.get("nodes") or [edge["node"] for edge in page["edges"]]
    assert (node["id"], node["t"], node["labels"]) == (str(alert.id), "a title", {"env": "prod"})
    assert node["severity"] == alert.severity.name
