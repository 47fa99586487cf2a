"""Is a group rule tried on what really arrived, by whoever may see it, and does it change nothing?"""

from datetime import timedelta
from typing import Any

from domain.identity.model import Role
from domain.ids import new_id
from tests.api import Api, Person
from tests.integration.correlation.conftest import a_rule
from tests.integration.teams.ways import door, post

REPORT = """report { signals opened grouped groups problemsToday problemsTried isWhole until
  sizes { least most groups }
  samples { title reason alertCount titles services firstAt lastAt alerts { title group { id } } } }"""


async def tried(api: Api, who: Person, **values: object) -> dict[str, Any]:
    since = (api.clock.now() - timedelta(hours=1)).isoformat()
    return await api.change("testGroupRule", {"since": since, "strategy": "LABELS", **values}, REPORT, who=who)


async def test_a_draft_says_what_groups_it_would_have_made(api: Api, manager: Person) -> None:
    run, key = str(new_id()), await door(api, manager)
    signals = [
        {"title": f"Disk {n}", "dedup_key": f"{run} {n}", "labels": {"run": run, "site": "eu" if n else "us"}}
        for n in range(4)
    ]
    await post(api, key, *signals)
    await post(api, key, *signals)
    mine = {"matchers": f'run="{run}"', "labels": ["site"]}
    answer = await tried(api, manager, **mine)
    assert answer["__typename"] == "TestGroupRuleSuccess", answer
    report = answer["report"]
    assert (report["grouped"], report["groups"], report["isWhole"]) == (4, 2, True)
    assert report["problemsToday"] - report["problemsTried"] == 2
    assert report["sizes"] == [{"least": 1, "most": 1, "groups": 1}, {"least": 2, "most": 9, "groups": 1}]
    largest = report["samples"][0]
    assert (largest["alertCount"], largest["titles"]) == (3, ["Disk 1", "Disk 2", "Disk 3"])
    assert [one["title"] for one in largest["alerts"]] == ["Disk 1", "Disk 2", "Disk 3"]
    assert [one["group"] for one in largest["alerts"]] == [None] * 3, "a test changes nothing"
    assert "a draft" in largest["reason"]
    there = await a_rule(api, manager, name=f"by site {run}", enabled=False, **mine)
    same = (await tried(api, manager, ruleId=there["id"], **mine, maxSignals=1))["report"]
    assert (same["signals"], same["isWhole"]) == (1, False)


async def test_a_private_teams_alerts_are_not_tried_by_others(api: Api, manager: Person) -> None:
    """What is out of sight is neither counted nor named. API1:2023."""
    run, admin = str(new_id()), await api.person(Role.ADMIN)
    vault = await api.team(f"Vault {run}", is_private=True)
    for team_id in (None, str(vault.id)):
        key = await door(api, admin, **({} if team_id is None else {"defaultTeamId": team_id}))
        await post(api, key, {"title": f"of {team_id}", "dedup_key": run, "labels": {"run": run}})
    wanted = {"matchers": f'run="{run}"', "labels": ["run"]}
    assert (await tried(api, admin, **wanted))["report"]["samples"][0]["alertCount"] == 2
    seen = (await tried(api, manager, **wanted))["report"]["samples"][0]
    assert (seen["alertCount"], seen["titles"]) == (1, ["of None"])


async def test_what_is_no_rule_is_refused_before_anything_is_read(api: Api, manager: Person, operator: Person) -> None:
    assert (await tried(api, operator, labels=["x"]))["code"] == "FORBIDDEN"
    wrong = await tried(api, manager, condition="alert.nothing == 1")
    assert (wrong["__typename"], wrong["path"]) == ("InvalidCondition", ["condition"])
    everything = await tried(api, manager)
    assert (everything["code"], everything["path"]) == ("INVALID_INPUT", ["labels"])
    gone = await tried(api, manager, labels=["x"], ruleId=str(new_id()))
    assert (gone["code"], gone["path"]) == ("NOT_FOUND", ["ruleId"])
    early = await tried(api, manager, labels=["x"], since="2020-01-01T00:00:00Z")
    assert (early["code"], early["path"]) == ("INVALID_INPUT", ["since"])
