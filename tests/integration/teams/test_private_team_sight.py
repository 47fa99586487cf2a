"""Is what a private team owns invisible to outsiders by every way to an alert, from the moment it is so (P2, P3)?"""

from typing import Any

from domain.identity.model import Role, Team
from tests.api import Api, Person
from tests.integration.teams.ways import ALERT, door, member, own, post, posted
from tests.integration.test_alert_subscriptions import followed
from tests.sockets import Socket, connected
from tests.waiting import until_true

EVENTS = """subscription { alertEvents { __typename ... on AlertEvent { kind alert { id } }
  ... on AlertLeftView { alertId } } }"""
WAYS = """query($id: ID!, $receipt: ID!) {
  alert(id: $id) { id }
  alerts { totalCount nodes { id } }
  found: alerts(filter: {search: "Disk"}) { nodes { id } }
  searchAlerts(filter: {search: "Disk"}) { totalCount hits { alert { id } } }
  alertCounts { total }
  ingestReceipt(id: $receipt) { accepted items { nodes { alert { id } } } }
}"""


async def next_event(socket: Socket) -> dict[str, Any]:
    message: dict[str, Any] = (await socket.next_data())["alertEvents"]
    return message


async def test_an_alert_that_found_a_private_team_is_its_alone(
    api: Api, address: str, admin: Person, keeper: Person, outsider: Person, vault: Team
) -> None:
    """It came by an integration that everybody sees: what the team owns is what hides it."""
    await own(api, keeper, vault, {"service": "safe"})
    key = await door(api, admin)
    async with connected(address, outsider) as outside, connected(address, keeper) as inside:
        await outside.subscribe(EVENTS)
        await inside.subscribe(EVENTS)
        await followed(api, 2)
        response = await api.http.post(
            "/webhooks/generic",
            json=[{"title": "Disk full", "dedup_key": "s", "service": "safe"}],
            headers={"authorization": f"Bearer {key}"},
        )
        hidden, receipt = response.json()["alerts"][0]["alertId"], response.headers["x-receipt-id"]
        seen = await posted(api, key, service="shop")
        assert (await next_event(inside))["alert"] == {"id": hidden}
        assert (await next_event(outside))["alert"] == {"id": seen}
    variables = {"id": hidden, "receipt": receipt}
    out, inn = [await api.data(WAYS, variables, who=who) for who in (outsider, keeper)]
    assert out["alert"] is None
    assert out["alerts"] == {"totalCount": 1, "nodes": [{"id": seen}]}
    assert out["found"]["nodes"] == [{"id": seen}]
    assert out["searchAlerts"]["hits"] == [{"alert": {"id": seen}}]
    assert out["alertCounts"] == {"total": 1}
    assert out["ingestReceipt"] is None
    assert inn["alert"] == {"id": hidden}
    assert inn["alerts"]["totalCount"] == inn["alertCounts"]["total"] == 2
    assert {one["id"] for one in inn["found"]["nodes"]} == {hidden, seen}
    assert {one["alert"]["id"] for one in inn["searchAlerts"]["hits"]} == {hidden, seen}
    assert inn["ingestReceipt"]["items"]["nodes"] == [{"alert": {"id": hidden}}]


async def test_its_alerts_are_refused_as_absent_ones_are(
    api: Api, admin: Person, keeper: Person, outsider: Person, vault: Team
) -> None:
    await own(api, keeper, vault, {"service": "safe"})
    hidden = await posted(api, await door(api, admin), service="safe")
    absent = "01a20c5a-94e5-7298-974a-3a44fd3ce6dc"
    for field, what in (
        ("acknowledgeAlert", {}),
        ("resolveAlert", {}),
        ("updateAlert", {"title": "x"}),
        ("moveAlert", {"teamId": None}),
        ("assignAlert", {"assigneeId": None}),
        ("commentOnAlert", {"text": "x"}),
    ):
        answers = [await api.change(field, {"id": one, **what}, "__typename", who=outsider) for one in (hidden, absent)]
        assert answers[0] == answers[1]
        assert answers[0]["code"] == "NOT_FOUND"


async def test_after_it_went_public_its_past_does_not_tell_of_the_team(
    api: Api, admin: Person, keeper: Person, outsider: Person, vault: Team
) -> None:
    await own(api, keeper, vault, {"matchers": 'secret="project-x"'})
    alert_id = await posted(api, await door(api, admin), labels={"secret": "project-x"})
    await api.change("moveAlert", {"id": alert_id, "teamId": None}, "alert { id }", who=keeper)
    out, inn = [(await api.data(ALERT, {"id": alert_id}, who=who))["alert"] for who in (outsider, keeper)]
    told = [[one for one in found["decisions"] if one["__typename"] == "TeamDecision"] for found in (out, inn)]
    assert [(one["team"], one["rule"]) for one in told[0]] == [(None, None)]
    assert [(one["team"]["name"], one["rule"]) for one in told[1]] == [("Vault", '{secret="project-x"}')]
    assert str(vault.id) not in str(out)
    assert "Vault" not in str(out)
    (change,) = out["timeline"]["nodes"][-1]["changes"]
    assert change == {"field": "teamId", "before": None, "after": None}


async def test_a_team_made_private_while_it_is_followed_is_silent_from_then_on(
    api: Api, address: str, admin: Person, outsider: Person
) -> None:
    team = await api.team("Payments")
    lead = await member(api, admin, team, Role.OPERATOR, Role.MANAGER)
    await own(api, lead, team, {"service": "pay"})
    key = await door(api, admin)
    async with connected(address, outsider) as outside, connected(address, lead) as inside:
        await outside.subscribe(EVENTS)
        await inside.subscribe(EVENTS)
        await followed(api, 2)
        before = await posted(api, key, service="pay")
        assert (await next_event(outside))["alert"] == (await next_event(inside))["alert"] == {"id": before}
        await api.change("updateTeam", {"id": str(team.id), "isPrivate": True}, "team { id }", who=lead)
        hidden = await posted(api, key, service="pay", host="2")
        await api.change("acknowledgeAlert", {"id": before}, "alert { id }", who=lead)
        seen = await posted(api, key, service="shop")
        assert (await next_event(inside))["alert"] == {"id": hidden}
        assert (await next_event(outside))["alert"] == {"id": seen}
    assert (await api.data("{ alertCounts { total } alerts { nodes { id } } }", who=outsider)) == {
        "alertCounts": {"total": 1},
        "alerts": {"nodes": [{"id": seen}]},
    }


async def test_a_member_who_is_taken_out_while_following_hears_nothing_more(
    api: Api, address: str, admin: Person, keeper: Person, vault: Team
) -> None:
    leaver = await member(api, admin, vault, Role.VIEWER, Role.VIEWER)
    await own(api, keeper, vault, {"service": "safe"})
    key = await door(api, admin)
    async with connected(address, leaver) as socket:
        await socket.subscribe(EVENTS)
        await followed(api)
        (first,) = await post(api, key, {"title": "t", "dedup_key": "1", "service": "safe"})
        assert (await next_event(socket))["alert"] == {"id": first["alertId"]}
        watched = api.state.sessions
        assert watched is not None

        async def is_noticed() -> bool:
            # The notice of the change wakes the look at the sessions: far sooner than the look every two seconds.
            return all(
                vault.id not in one.viewer.team_ids
                for one in watched._watched.values()  # noqa: SLF001
                if one.viewer.user_id == leaver.id
            )

        seat = {"teamId": str(vault.id), "userId": str(leaver.id)}
        await api.change("removeTeamMember", seat, "teamId", who=keeper)
        await until_true(is_noticed, seconds=1.5)
        await post(api, key, {"title": "t", "dedup_key": "2", "service": "safe"})
        seen = await posted(api, key, service="shop")
        assert (await next_event(socket))["alert"] == {"id": seen}
