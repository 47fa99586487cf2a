"""Does a client read over GraphQL what the schema promises: filters, sight, counts, timelines, every attribute?"""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from domain.alerts.model import AlertStatus, Severity
from domain.identity.model import Role
from domain.ids import new_id
from persistence.tables import silences
from tests.alert_builder import HOUR, NOON, an_alert
from tests.alert_rows import put_alerts, put_group
from tests.api import Api, Person
from tests.integration.alerts.reads.ways import LIST, listed, put

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_left_out_is_no_condition_and_null_is_none(api: Api, viewer: Person) -> None:
    team = await api.team(f"Null {new_id()}")
    somebody = await api.person(Role.OPERATOR)
    mine = an_alert(source="nulls", team_id=team.id, assigned_to=somebody.id, service_name="shop")
    nobodys = an_alert(source="nulls")
    await put(api, mine, nobodys)

    async def found(**condition: object) -> set[str]:
        page = await listed(api, viewer, filter={"source": ["nulls"], **condition})
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
    await put(api, hidden, shown, plain)
    member = await api.person(Role.VIEWER, teams=(secret,))
    admin = await api.person(Role.ADMIN)
    counts = "query($s: [String!]) { alertCounts(filter: {source: $s}) { total } }"
    one = "query($id: ID!) { alert(id: $id) { id team { id } } }"
    for who, count in ((viewer, 2), (member, 3), (admin, 3)):
        page = await listed(api, who, filter={"source": ["sight"]})
        assert page["totalCount"] == len(page["nodes"]) == count
        assert (await api.data(counts, {"s": ["sight"]}, who=who))["alertCounts"]["total"] == count
        found = (await api.data(one, {"id": str(hidden.id)}, who=who))["alert"]
        assert (found is not None) is (count == 3)
    assert (await api.data(one, {"id": "no id"}, who=viewer))["alert"] is None
    assert await api.code(one, {"id": str(plain.id)}) == "UNAUTHENTICATED"


async def test_counts_by_status_and_severity(api: Api, viewer: Person) -> None:
    await put(
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
    await put(api, *made)
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
    await put(api, alert)
    asked = (
        f'{{ alerts(filter: {{source: "{source}"}}) {{ {selected} }} }} fragment More on Alert {{ labels severity }}'
    )
    page = (await api.data(asked, who=viewer))["alerts"]
    (node,) = page.get("nodes") or [edge["node"] for edge in page["edges"]]
    assert (node["id"], node["t"], node["labels"]) == (str(alert.id), "a title", {"env": "prod"})
    assert node["severity"] == alert.severity.name
