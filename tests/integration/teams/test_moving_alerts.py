"""What happens when an alert is given to another team: who sees it, who is told, and what follows (P3, I4)?"""

from typing import Any

import pytest

from domain.identity.model import Role
from tests.api import Api, Person
from tests.integration.teams.ways import alert, door, own, posted, team_of
from tests.integration.test_alert_subscriptions import followed
from tests.sockets import connected

EVENTS = """
subscription ($filter: AlertFilter) {
  alertEvents(filter: $filter) {
    __typename
    ... on AlertEvent { id kind alert { id team { name } } changes { field before after } }
    ... on AlertLeftView { id alertId }
  }
}
"""


async def move(api: Api, who: Person, alert_id: str, team_id: object, **more: object) -> dict[str, Any]:
    what = {"id": alert_id, "teamId": None if team_id is None else str(team_id), **more}
    return await api.change("moveAlert", what, "alert { id version team { name } assignedTo { id } }", who=who)


@pytest.fixture
async def key(api: Api, admin: Person) -> str:
    return await door(api, admin)


async def test_an_operator_moves_an_alert_and_it_stays_there(api: Api, admin: Person, key: str) -> None:
    owner, other = await api.team("Owner"), await api.team("Other")
    await own(api, admin, owner, {"service": "checkout"})
    alert_id = await posted(api, key, service="checkout")
    operator = await api.person(Role.OPERATOR)
    moved = await move(api, operator, alert_id, other.id, expectedVersion=1)
    assert (moved["alert"]["team"], moved["alert"]["version"]) == ({"name": "Other"}, 2)
    # The same said again changes nothing, and so does another post.
    assert (await move(api, operator, alert_id, other.id))["alert"]["version"] == 2
    await posted(api, key, service="checkout")
    assert await team_of(api, alert_id, operator) == "Other"
    found = await alert(api, alert_id, operator)
    assert found is not None
    assert found["timeline"]["nodes"][-2]["kind"] == "MOVED" or found["timeline"]["nodes"][-1]["kind"] == "MOVED"
    reasons = [one["reason"] for one in found["decisions"] if one["__typename"] == "TeamDecision"]
    assert reasons == ["the team owns the service", "a person moved it to the team"]
    assert (await move(api, operator, alert_id, None))["alert"]["team"] is None


async def test_who_saw_it_hears_that_it_left_and_its_new_team_hears_of_it(
    api: Api, address: str, admin: Person, key: str
) -> None:
    vault = await api.team("Vault", is_private=True)
    keeper, outsider = await api.person(Role.OPERATOR, teams=(vault,)), await api.person(Role.OPERATOR)
    alert_id = await posted(api, key, service="checkout")
    async with connected(address, outsider) as outside, connected(address, keeper) as inside:
        await outside.subscribe(EVENTS, {"filter": {"source": ["nothing of it"]}})
        await inside.subscribe(EVENTS)
        await followed(api, 2)
        assert (await move(api, keeper, alert_id, vault.id))["alert"]["team"] == {"name": "Vault"}
        seen = (await inside.next_data())["alertEvents"]
        assert (seen["__typename"], seen["kind"]) == ("AlertEvent", "MOVED")
        assert seen["changes"] == [{"field": "teamId", "before": None, "after": str(vault.id)}]
        left = (await outside.next_data())["alertEvents"]
        assert left == {"__typename": "AlertLeftView", "id": seen["id"], "alertId": alert_id}
        # And back: the outsider sees it again, and not where it was meanwhile.
        await outside.subscribe(EVENTS, operation="2")
        await followed(api, 3)
        await move(api, keeper, alert_id, None)
        back = (await outside.next_data())["alertEvents"]
        assert (back["__typename"], back["alert"]["team"]) == ("AlertEvent", None)
        assert back["changes"] == [{"field": "teamId", "before": None, "after": None}]


async def test_nobody_gives_an_alert_to_a_team_they_do_not_see(api: Api, admin: Person, key: str) -> None:
    vault = await api.team("Vault", is_private=True)
    alert_id = await posted(api, key, service="checkout")
    operator = await api.person(Role.OPERATOR)
    for team_id in (vault.id, "01a20c5a-94e5-7298-974a-3a44fd3ce6dc", "nonsense"):
        refused = await move(api, operator, alert_id, team_id)
        assert (refused["code"], refused["path"], refused["message"]) == ("NOT_FOUND", ["teamId"], "no such team")
    assert (await move(api, await api.person(Role.VIEWER), alert_id, None))["code"] == "FORBIDDEN"
    await move(api, admin, alert_id, vault.id)
    refused = await move(api, operator, alert_id, None)
    assert (refused["code"], refused["path"]) == ("NOT_FOUND", ["id"])


async def test_whoever_has_it_keeps_it_only_if_they_see_it_there(api: Api, admin: Person, key: str) -> None:
    vault, open_one = await api.team("Vault", is_private=True), await api.team("Open")
    keeper, outsider = await api.person(Role.OPERATOR, teams=(vault,)), await api.person(Role.OPERATOR)
    for assignee, kept in ((keeper, {"id": str(keeper.id)}), (outsider, None)):
        alert_id = await posted(api, key, service=str(assignee.id))
        await api.change("assignAlert", {"id": alert_id, "assigneeId": str(assignee.id)}, "alert { id }", who=admin)
        moved = await move(api, admin, alert_id, open_one.id)
        assert moved["alert"]["assignedTo"] == {"id": str(assignee.id)}
        moved = await move(api, admin, alert_id, vault.id)
        assert moved["alert"]["assignedTo"] == kept


async def test_many_move_at_once_each_with_its_own_answer(api: Api, admin: Person, key: str) -> None:
    team = await api.team("Payments")
    ids = [await posted(api, key, service=name) for name in ("a", "b")]
    query = "results { id alert { team { name } } error { code } }"
    what = {"ids": [*ids, "nonsense"], "teamId": str(team.id)}
    answer = await api.change("moveAlerts", what, query, who=admin)
    assert answer["results"] == [
        *({"id": one, "alert": {"team": {"name": "Payments"}}, "error": None} for one in ids),
        {"id": "nonsense", "alert": None, "error": {"code": "NOT_FOUND"}},
    ]
    refused = await api.change("moveAlerts", {**what, "teamId": "nonsense"}, query, who=admin)
    assert (refused["code"], refused["path"]) == ("NOT_FOUND", ["teamId"])


async def test_counts_and_lists_follow(api: Api, admin: Person, key: str) -> None:
    one, other = await api.team("One"), await api.team("Other")
    vault = await api.team("Vault", is_private=True)
    await own(api, admin, one, {"service": "checkout"})
    ids = [await posted(api, key, service="checkout", host=str(number)) for number in range(3)]
    viewer = await api.person(Role.VIEWER)
    query = """query($team: ID) { alertCounts(filter: {teamId: $team}) { total }
      alerts(filter: {teamId: $team}) { totalCount nodes { id } } }"""

    async def counted(team_id: object, who: Person) -> tuple[int, int, int]:
        found = await api.data(query, {"team": str(team_id)}, who=who)
        return found["alertCounts"]["total"], found["alerts"]["totalCount"], len(found["alerts"]["nodes"])

    assert await counted(one.id, viewer) == (3, 3, 3)
    await move(api, admin, ids[0], other.id)
    await move(api, admin, ids[1], vault.id)
    assert await counted(one.id, viewer) == (1, 1, 1)
    assert await counted(other.id, viewer) == (1, 1, 1)
    assert await counted(vault.id, viewer) == (0, 0, 0)
    assert await counted(vault.id, admin) == (1, 1, 1)
    everything = "{ alertCounts { total } alerts { totalCount } }"
    assert await api.data(everything, who=viewer) == {"alertCounts": {"total": 2}, "alerts": {"totalCount": 2}}
