"""Is a rule tried on what really arrived, by whoever may see it, within bounds, and does it change nothing?"""

from datetime import timedelta
from typing import Any

import pytest

from domain.identity.model import Role
from tests.api import Api, Person
from tests.integration.rules.ways import change_rule, make_rule, read_alert
from tests.integration.teams.ways import door, own, post
from tests.sockets import connected

REPORT = """report { signals matched matchedAlerts isWhole until
  differences { kind signals alerts samples { title serviceName before after alert { id } } } }"""
FOLLOWED = f"""subscription($input: TestAlertRuleInput!) {{
  alertRuleTest(input: $input) {{ share isDone {REPORT} }} }}"""


def since(api: Api, hours: int = 1) -> str:
    return (api.clock.now() - timedelta(hours=hours)).isoformat()


async def tried(api: Api, who: Person, condition: str, **more: object) -> dict[str, Any]:
    what = {"since": since(api), "condition": condition, **more}
    answer = await api.change("testAlertRule", what, REPORT, who=who)
    assert answer["__typename"] == "TestAlertRuleSuccess", answer
    report: dict[str, Any] = answer["report"]
    return report


def differences(report: dict[str, Any]) -> dict[str, tuple[int, int]]:
    return {one["kind"]: (one["signals"], one["alerts"]) for one in report["differences"]}


@pytest.fixture
async def key(api: Api, manager: Person) -> str:
    """An integration to which six signals of three alerts were posted; one of them was resolved."""
    made = await door(api, manager)
    for _ in range(2):
        await post(
            api,
            made,
            {"title": "A", "dedup_key": "a", "service": "web", "severity": "low", "labels": {"env": "dev"}},
            {"title": "B", "dedup_key": "b", "service": "web", "severity": "high", "labels": {"env": "prod"}},
        )
    await post(api, made, {"title": "C", "dedup_key": "c", "service": "db", "severity": "high", "metadata": {"n": "x"}})
    await post(api, made, {"title": "A", "dedup_key": "a", "service": "web", "status": "resolved"})
    return made


@pytest.mark.usefixtures("key")
async def test_a_draft_is_compared_with_today(api: Api, manager: Person) -> None:
    effects = {"severity": "CRITICAL", "suppress": "quiet", "labels": [{"name": "x", "value": "y"}]}
    report = await tried(api, manager, 'alert.service == "web"', effects=effects)
    assert (report["signals"], report["matched"], report["matchedAlerts"], report["isWhole"]) == (6, 5, 2, True)
    assert differences(report) == {"SEVERITY": (4, 2), "SUPPRESSED": (4, 2), "LABELS": (4, 2)}
    by_kind = {one["kind"]: one["samples"] for one in report["differences"]}
    assert [(one["title"], one["before"], one["after"]) for one in by_kind["SEVERITY"]] == [
        ("A", "LOW", "CRITICAL"),
        ("B", "HIGH", "CRITICAL"),
    ]
    assert (by_kind["SUPPRESSED"][0]["before"], by_kind["SUPPRESSED"][0]["after"]) == (None, "quiet")
    assert (by_kind["LABELS"][0]["before"], by_kind["LABELS"][0]["after"]) == ("", "x=y")
    alert = await read_alert(api, by_kind["SEVERITY"][0]["alert"]["id"], manager)
    assert (alert["severity"], alert["suppression"]) == ("LOW", None), "a test changes nothing"
    assert (await api.data("{ alertRules { id } }", who=manager))["alertRules"] == []


@pytest.mark.usefixtures("key")
async def test_a_draft_of_a_rule_that_is_there_is_compared_with_that_rule(api: Api, manager: Person) -> None:
    rule = await make_rule(api, manager, "Web", 'alert.service == "web"', effects={"suppress": "quiet"})
    await make_rule(api, manager, "Other", 'alert.service == "db"', effects={"severity": "LOW"})
    same = await tried(api, manager, rule["condition"], ruleId=rule["id"], effects={"suppress": "quiet"})
    assert (same["matched"], differences(same)) == (5, {})
    narrower = await tried(
        api, manager, 'alert.service == "web" && alert.severity < HIGH', ruleId=rule["id"], effects={"suppress": "q"}
    )
    assert differences(narrower) == {"LET_GO": (2, 1)}
    # A rule that only says what it would do is tried as if it did.
    await change_rule(api, manager, rule, mode="MONITOR")
    on = await tried(api, manager, rule["condition"], ruleId=rule["id"], effects={"suppress": "quiet"})
    assert differences(on) == {"SUPPRESSED": (4, 2)}
    gone = await api.change(
        "testAlertRule",
        {"since": since(api), "condition": "true", "ruleId": "0198c0de-0000-7000-8000-000000000000"},
        REPORT,
        who=manager,
    )
    assert gone["code"] == "NOT_FOUND"


@pytest.mark.usefixtures("key")
async def test_keys_teams_occurrences_and_failures_are_tried_too(api: Api, manager: Person) -> None:
    team = await api.team("Payments")
    report = await tried(api, manager, "true", effects={"dedupBy": ["service"], "teamId": str(team.id)})
    assert differences(report) == {"DEDUP_KEY": (6, 3), "TEAM": (5, 3)}
    failing = await tried(api, manager, "alert.metadata.n < 3", effects={"severity": "LOW"})
    assert differences(failing) == {"FAILED": (1, 1)}
    assert "overloads" in failing["differences"][0]["samples"][0]["after"]
    again = await tried(api, manager, "alert.occurrences >= 2", effects={"severity": "CRITICAL"})
    assert differences(again) == {"SEVERITY": (2, 2)}


@pytest.mark.usefixtures("key")
async def test_a_test_that_was_cut_says_so(api: Api, manager: Person) -> None:
    report = await tried(api, manager, "true", maxSignals=4, effects={"severity": "LOW"})
    assert (report["signals"], report["isWhole"]) == (4, False)
    assert report["until"] is not None
    empty = await tried(api, manager, "true", since=since(api, 3), until=since(api, 2))
    assert (empty["signals"], empty["isWhole"], empty["until"]) == (0, True, None)


@pytest.mark.parametrize(
    ("more", "path"),
    [
        ({"since": "2020-01-01T00:00:00Z"}, ["since"]),
        ({"until": "2020-01-01T00:00:00Z"}, ["since"]),
        ({"maxSignals": 0}, ["maxSignals"]),
        ({"maxSignals": 100_001}, ["maxSignals"]),
        ({"condition": "alert.titel == 1"}, ["condition"]),
        ({"effects": {"dedupBy": ["x"]}}, ["effects", "dedupBy", "0"]),
    ],
)
async def test_what_cannot_be_tried_is_refused(
    api: Api, manager: Person, more: dict[str, Any], path: list[str]
) -> None:
    what = {"since": since(api), "condition": "true", **more}
    refused = await api.change("testAlertRule", what, REPORT, who=manager)
    assert (refused["code"], refused["path"]) == ("INVALID_INPUT", path)


async def test_nobody_learns_of_what_is_out_of_their_sight(api: Api, admin: Person, manager: Person, key: str) -> None:
    hidden = await api.team("Hidden", is_private=True)
    await own(api, admin, hidden, {"service": "secret"})
    await post(api, key, {"title": "S", "dedup_key": "s", "service": "secret"})
    assert (await tried(api, manager, 'alert.service == "secret"'))["matched"] == 0
    assert (await tried(api, manager, "true"))["signals"] == 6
    assert (await tried(api, admin, 'alert.service == "secret"'))["matched"] == 1
    operator = await api.person(Role.OPERATOR)
    refused = await api.change("testAlertRule", {"since": since(api), "condition": "true"}, REPORT, who=operator)
    assert refused["code"] == "FORBIDDEN"


@pytest.mark.usefixtures("key")
async def test_a_followed_test_tells_how_far_it_is_and_ends(api: Api, address: str, manager: Person) -> None:
    what = {"since": since(api), "condition": 'alert.service == "db"', "effects": {"severity": "LOW"}}
    async with connected(address, manager) as socket:
        await socket.subscribe(FOLLOWED, {"input": what})
        message: dict[str, Any] = {"isDone": False}
        while not message["isDone"]:
            message = (await socket.next_data())["alertRuleTest"]
        assert message["share"] == 1.0
        assert (message["report"]["signals"], differences(message["report"])) == (6, {"SEVERITY": (1, 1)})
        assert (await socket.receive())["type"] == "complete"


@pytest.mark.usefixtures("key")
async def test_it_is_told_who_would_be_paged_or_no_longer(api: Api, manager: Person) -> None:
    pages = [{"delay": "PT0S", "targets": [{"kind": "USER", "id": str(manager.id)}]}]
    web, vault = await api.team("Web"), await api.team("Vault", is_private=True)
    admin = await api.person(Role.ADMIN)
    for name, severities, team in (
        ("Nobody's worst", ["CRITICAL", "HIGH"], None),
        ("Nobody's rest", ["MEDIUM"], None),
        ("Web", ["CRITICAL", "HIGH", "MEDIUM", "LOW"], web),
        ("Vault", ["CRITICAL"], vault),
    ):
        what = {"name": name, "severities": severities, "steps": pages, "teamId": team and str(team.id)}
        made = await api.change("createEscalationPolicy", what, "policy { id }", who=admin)
        assert made["__typename"] == "CreateEscalationPolicySuccess", made

    async def paging(condition: str, **effects: object) -> dict[str, list[tuple[str, str | None, str | None]]]:
        report = await tried(api, manager, condition, effects=effects)
        kinds = {"PAGES", "NO_PAGE", "OTHER_POLICY"}
        return {
            one["kind"]: [(sample["title"], sample["before"], sample["after"]) for sample in one["samples"]]
            for one in report["differences"]
            if one["kind"] in kinds
        }

    assert await paging("true", severity="CRITICAL") == {"PAGES": [("A", None, "Nobody's worst")]}
    silenced = await paging("true", suppress="quiet")
    assert silenced == {"NO_PAGE": [("B", "Nobody's worst", None), ("C", "Nobody's worst", None)]}
    moved = await paging("true", teamId=str(web.id))
    assert moved["PAGES"] == [("A", None, "Web")]
    assert moved["OTHER_POLICY"] == [("B", "Nobody's worst", "Web"), ("C", "Nobody's worst", "Web")]
    milder = await paging('alert.service == "db"', severity="MEDIUM")
    assert milder == {"OTHER_POLICY": [("C", "Nobody's worst", "Nobody's rest")]}
    rule = await make_rule(api, admin, "To the web", "true", effects={"teamId": str(web.id)})
    back = await tried(api, manager, "true", ruleId=rule["id"], effects={"severity": "LOW"})
    assert differences(back)["NO_PAGE"] == (5, 3), "what the rule gave a team has none without it"


async def test_the_id_of_a_team_out_of_sight_is_not_told(api: Api, admin: Person, manager: Person, key: str) -> None:
    """A rule of today gives alerts to a team the one who tries may not see. API1:2023, API3:2023."""
    hidden = await api.team("Hidden", is_private=True)
    rule = await make_rule(api, admin, "To them", 'alert.service == "db"', effects={"teamId": str(hidden.id)})
    report = await tried(api, manager, rule["condition"], ruleId=rule["id"], effects={"severity": "LOW"})
    (team,) = [one for one in report["differences"] if one["kind"] == "TEAM"]
    assert [(one["before"], one["after"]) for one in team["samples"]] == [(None, None)]
    assert str(hidden.id) not in str(report)
    whole = await tried(api, admin, rule["condition"], ruleId=rule["id"], effects={"severity": "LOW"})
    assert str(hidden.id) in str(whole)
    assert key
