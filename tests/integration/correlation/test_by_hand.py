"""Groups changed by hand: moved, taken out, split, merged, renamed, taken and ended, by those who may see them."""

from typing import Any

import pytest

from domain.identity.model import Role
from domain.ids import new_id
from tests.api import Api, Person
from tests.integration.correlation.conftest import a_rule, an_alert

GROUP = "group { id title status version openAlerts alerts { totalCount } mergedInto { id } }"
SHOWN = "alert { id version group { id } groupReason }"


@pytest.fixture
async def two(api: Api, manager: Person, operator: Person) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Three alerts of each of two groups."""
    await a_rule(api, manager)
    made = [
        [await an_alert(api, operator, f"{cluster} {number}", labels={"cluster": cluster}) for number in range(3)]
        for cluster in ("eu", "us")
    ]
    return made[0], made[1]


async def group(api: Api, group_id: str, who: Person) -> dict[str, Any]:
    query = """query($id: ID!) { alertGroup(id: $id) { id title status version openAlerts alerts { totalCount }
      mergedInto { id } timeline { nodes { kind about { id } otherGroup { id } } } } }"""
    found: dict[str, Any] = (await api.data(query, {"id": group_id}, who=who))["alertGroup"]
    return found


def kinds(found: dict[str, Any]) -> list[str]:
    return [node["kind"] for node in found["timeline"]["nodes"]]


async def test_an_alert_is_moved_and_taken_out(
    api: Api, operator: Person, two: tuple[list[dict[str, Any]], list[dict[str, Any]]]
) -> None:
    eu, us = two
    target = us[0]["group"]["id"]
    what = {"alertId": eu[0]["id"], "groupId": target, "expectedVersion": eu[0]["version"]}
    moved = (await api.change("moveAlertToGroup", what, SHOWN, who=operator))["alert"]
    assert (moved["group"]["id"], moved["groupReason"]) == (target, "a person put it into the group")
    assert (await api.change("moveAlertToGroup", what, SHOWN, who=operator))["__typename"] == "StaleVersion"
    assert kinds(await group(api, target, operator)) == ["OPENED", "ALERTS_ADDED"]
    assert kinds(await group(api, eu[1]["group"]["id"], operator)) == ["OPENED", "ALERTS_REMOVED"]

    out = (await api.change("removeAlertFromGroup", {"alertId": eu[0]["id"]}, SHOWN, who=operator))["alert"]
    assert (out["group"], out["groupReason"]) == (None, None)
    query = "query($id: ID!) { alert(id: $id) { timeline { nodes { kind changes { field before after } } } } }"
    timeline = (await api.data(query, {"id": eu[0]["id"]}, who=operator))["alert"]["timeline"]["nodes"]
    assert [node["kind"] for node in timeline] == ["OPENED", "GROUPED", "UNGROUPED"]
    assert timeline[2]["changes"] == [{"field": "groupId", "before": target, "after": None}]
    nowhere = {"alertId": eu[0]["id"], "groupId": str(new_id())}
    refused = await api.change("moveAlertToGroup", nowhere, SHOWN, who=operator)
    assert (refused["__typename"], refused["path"]) == ("NotFound", ["groupId"])
    nothing = {"alertId": str(new_id())}
    for field, what in (("moveAlertToGroup", {**nothing, "groupId": target}), ("removeAlertFromGroup", nothing)):
        refused = await api.change(field, what, SHOWN, who=operator)
        assert (refused["__typename"], refused["path"]) == ("NotFound", ["alertId"]), field
    many = {"id": target, "alertIds": [str(new_id()) for _ in range(101)]}
    refused = await api.change("splitAlertGroup", many, "group { id }", who=operator)
    assert (refused["__typename"], refused["path"]) == ("InvalidInput", ["alertIds"])


async def test_some_alerts_become_a_group_of_their_own(
    api: Api, operator: Person, two: tuple[list[dict[str, Any]], list[dict[str, Any]]]
) -> None:
    eu, us = two
    what = {
        "id": eu[0]["group"]["id"],
        "alertIds": [one["id"] for one in eu[:2]],
        "title": "another",
        "idempotencyKey": "k",
    }
    made = (await api.change("splitAlertGroup", what, GROUP, who=operator))["group"]
    assert (made["title"], made["alerts"]["totalCount"]) == ("another", 2)
    assert (await api.change("splitAlertGroup", what, GROUP, who=operator))["group"]["id"] == made["id"]
    old = await group(api, eu[0]["group"]["id"], operator)
    assert (old["alerts"]["totalCount"], kinds(old)) == (1, ["OPENED", "SPLIT"])
    assert old["timeline"]["nodes"][1]["otherGroup"] == {"id": made["id"]}

    later = await an_alert(api, operator, "later", labels={"cluster": "eu"})
    assert later["group"]["id"] == old["id"], "no rule puts alerts into what was split off"
    for ids, path in (([us[0]["id"]], ["alertIds", "0"]), ([], ["alertIds"]), (["x"], ["alertIds", "0"])):
        refused = await api.change("splitAlertGroup", {"id": old["id"], "alertIds": ids}, GROUP, who=operator)
        assert refused["path"] == path


async def test_merged_groups_are_one_from_then_on(
    api: Api, operator: Person, two: tuple[list[dict[str, Any]], list[dict[str, Any]]]
) -> None:
    eu, us = (side[0]["group"]["id"] for side in two)
    merged = (await api.change("mergeAlertGroups", {"id": eu, "mergedIds": [us]}, GROUP, who=operator))["group"]
    assert (merged["id"], merged["alerts"]["totalCount"], merged["version"]) == (eu, 6, 2)
    assert kinds(await group(api, eu, operator)) == ["OPENED", "MERGED"]
    assert await group(api, us, operator) is None, "a group without a member is not there"
    later = await an_alert(api, operator, "later", labels={"cluster": "us"})
    assert later["group"]["id"] == eu

    for ids, path in (([eu], ["mergedIds"]), ([], ["mergedIds"]), ([str(new_id())], ["mergedIds", "0"])):
        refused = await api.change("mergeAlertGroups", {"id": eu, "mergedIds": ids}, GROUP, who=operator)
        assert refused["path"] == path, refused


async def test_a_group_is_taken_and_ended_as_a_whole(
    api: Api, operator: Person, two: tuple[list[dict[str, Any]], list[dict[str, Any]]]
) -> None:
    eu, _ = two
    group_id = eu[0]["group"]["id"]
    await api.change("acknowledgeAlert", {"id": eu[0]["id"]}, "alert { id }", who=operator)
    taken = await api.change("acknowledgeAlertGroup", {"id": group_id}, GROUP + " changedAlerts", who=operator)
    assert (taken["changedAlerts"], taken["group"]["status"]) == (2, "ACKNOWLEDGED")
    ended = await api.change(
        "resolveAlertGroup", {"id": group_id, "reason": "the power is back"}, GROUP + " changedAlerts", who=operator
    )
    assert (ended["changedAlerts"], ended["group"]["status"], ended["group"]["openAlerts"]) == (3, "RESOLVED", 0)
    assert kinds(await group(api, group_id, operator)) == ["OPENED", "ACKNOWLEDGED", "RESOLVED"]
    query = "query($id: ID!) { alert(id: $id) { resolution } }"
    assert (await api.data(query, {"id": eu[1]["id"]}, who=operator))["alert"] == {"resolution": "the power is back"}
    again = await api.change("resolveAlertGroup", {"id": group_id}, "changedAlerts", who=operator)
    assert again["changedAlerts"] == 0


async def test_a_group_gets_another_title(
    api: Api, operator: Person, two: tuple[list[dict[str, Any]], list[dict[str, Any]]]
) -> None:
    group_id = two[0][0]["group"]["id"]
    what = {"id": group_id, "title": " Storage in Europe ", "expectedVersion": 1}
    named = (await api.change("updateAlertGroup", what, GROUP, who=operator))["group"]
    assert (named["title"], named["version"]) == ("Storage in Europe", 2)
    assert (await api.change("updateAlertGroup", {**what, "title": "x"}, GROUP, who=operator))[
        "__typename"
    ] == "StaleVersion"
    empty = await api.change("updateAlertGroup", {"id": group_id, "title": " "}, GROUP, who=operator)
    assert empty["path"] == ["title"]


async def test_whoever_sees_a_part_changes_only_that_part(
    api: Api, operator: Person, two: tuple[list[dict[str, Any]], list[dict[str, Any]]]
) -> None:
    eu, us = two
    secret = await api.team(f"Secret {new_id()}", is_private=True)
    admin = await api.person(Role.ADMIN)
    hidden = us[0]
    await api.change("moveAlert", {"id": hidden["id"], "teamId": str(secret.id)}, "alert { id }", who=admin)
    severe = {"id": hidden["id"], "severity": "CRITICAL"}
    await api.change("updateAlert", severe, "alert { id }", who=admin)

    mine, all_of_it = await group(api, us[1]["group"]["id"], operator), await group(api, us[1]["group"]["id"], admin)
    assert (mine["alerts"]["totalCount"], all_of_it["alerts"]["totalCount"]) == (2, 3)
    query = "query($id: ID!) { alertGroup(id: $id) { severity } }"
    seen = [(await api.data(query, {"id": mine["id"]}, who=one))["alertGroup"]["severity"] for one in (operator, admin)]
    assert seen == ["HIGH", "CRITICAL"], "the severity of what is hidden is hidden too"

    await api.change("mergeAlertGroups", {"id": eu[0]["group"]["id"], "mergedIds": [mine["id"]]}, GROUP, who=operator)
    assert await group(api, mine["id"], operator) is None
    left = await group(api, mine["id"], admin)
    assert (left["alerts"]["totalCount"], left["mergedInto"]["id"]) == (1, eu[0]["group"]["id"])
    ended = await api.change("resolveAlertGroup", {"id": left["id"]}, "changedAlerts", who=operator)
    assert ended["__typename"] == "NotFound"
    assert (await api.change("resolveAlertGroup", {"id": left["id"]}, "changedAlerts", who=admin))["changedAlerts"] == 1


async def test_what_a_private_teams_alert_is_called_names_no_group_that_others_see(
    api: Api, manager: Person, operator: Person
) -> None:
    """Titles that are alike are not the same: the group of similar ones is seen by whoever sees one of its alerts."""
    admin, run = await api.person(Role.ADMIN), str(new_id())
    secret = await api.team(f"Secret {run}", is_private=True)
    await a_rule(api, manager, name="alike", strategy="SIMILARITY", labels=["run"])
    title = "Salary of {} overdue in the payroll system of the house"
    theirs = {"labels": {"run": run}, "teamId": str(secret.id)}
    hidden = await an_alert(api, admin, title.format("Bob Smith"), **theirs)
    seen = await an_alert(api, operator, title.format("Tim Smith"), labels={"run": run})
    assert hidden["group"]["id"] == seen["group"]["id"]
    assert seen["group"]["title"] == "alike"
    other = await an_alert(api, operator, title.format("Tim Smith"), labels={"run": f"{run}-2"})
    assert other["group"]["title"] == title.format("Tim Smith")
