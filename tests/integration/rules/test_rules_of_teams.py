"""Is a team's rule asked about that team's alerts alone, by the team's managers alone, and hidden with the team?"""

from datetime import timedelta
from typing import Any

import pytest

from domain.identity.model import Role, Team
from tests.api import Api, Person
from tests.integration.rules.ways import RULE, by_rules, change_rule, make_rule, read_alert
from tests.integration.teams.ways import door, member, own, post, posted

TEST = """report { signals matched differences { kind signals } isWhole }"""


async def make(api: Api, who: Person, team: Team, name: str, condition: str, **more: object) -> dict[str, Any]:
    return await make_rule(api, who, name, condition, teamId=str(team.id), **more)


@pytest.fixture
async def team(api: Api, admin: Person) -> Team:
    made = await api.team("Payments")
    await own(api, admin, made, {"service": "payments"})
    return made


@pytest.fixture
async def lead(api: Api, admin: Person, team: Team) -> Person:
    return await member(api, admin, team, Role.VIEWER, Role.MANAGER)


async def test_it_is_asked_about_the_teams_alerts_after_everybodys(
    api: Api, manager: Person, team: Team, lead: Person
) -> None:
    key = await door(api, manager)
    await make(
        api,
        lead,
        team,
        "Ours",
        'alert.labels.env == "prod" && alert.severity == HIGH',
        effects={"severity": "CRITICAL", "labels": [{"name": "desk", "value": "1"}]},
    )
    await make_rule(api, manager, "Everybody's", "true", effects={"severity": "HIGH"})
    item = {"service": "payments", "severity": "low", "labels": {"env": "prod"}}
    held = await read_alert(api, await posted(api, key, **item), manager)
    assert (held["severity"], held["team"], held["labels"]["desk"]) == ("CRITICAL", {"name": "Payments"}, "1")
    assert [one["reason"] for one in by_rules(held)] == [
        "Everybody's: changed the severity",
        "Ours: changed the severity, labels",
    ]
    other = await read_alert(api, await posted(api, key, **{**item, "service": "search"}), manager)
    assert (other["severity"], other["team"], len(by_rules(other))) == ("HIGH", None, 1)


async def test_a_rule_may_give_an_alert_to_the_team_whose_rules_are_then_asked(
    api: Api, manager: Person, team: Team, lead: Person
) -> None:
    key = await door(api, manager)
    await make_rule(api, manager, "Shops are theirs", 'alert.service == "shop"', effects={"teamId": str(team.id)})
    await make(api, lead, team, "Quiet", "true", effects={"suppress": "we know"})
    shop = await read_alert(api, await posted(api, key, service="shop"), manager)
    assert shop["team"] == {"name": "Payments"}
    assert shop["suppression"]["rules"] == [{"name": "Quiet", "effects": {"suppress": "we know"}}]


async def test_of_the_same_signal_it_says_the_same_each_time(
    api: Api, manager: Person, team: Team, lead: Person
) -> None:
    """It looks at what the source says, not at what it made of the alert before."""
    key = await door(api, manager)
    rule = await make(
        api,
        lead,
        team,
        "Worse, and quiet",
        "alert.severity == HIGH",
        effects={"severity": "CRITICAL", "suppress": "tonight"},
    )
    item = {"title": "Disk full", "dedup_key": "one", "service": "payments", "severity": "high"}
    (opened,) = await post(api, key, item)
    for seconds in (1, 2):
        api.clock.ahead = timedelta(seconds=seconds)
        (again,) = await post(api, key, item)
        assert (again["alertId"], again["outcome"]) == (opened["alertId"], "repeated")
    held = await read_alert(api, opened["alertId"], manager)
    assert (held["severity"], held["occurrences"]) == ("CRITICAL", 3)
    assert held["suppression"]["rules"] != []
    await change_rule(api, lead, rule, mode="DISABLED")
    assert (await read_alert(api, opened["alertId"], manager))["suppression"] is None


async def test_what_comes_too_late_for_it_is_refused(api: Api, team: Team, lead: Person) -> None:
    other = await api.team("Other")
    for name, effects in (
        ("dedupBy", {"dedupBy": ["title"]}),
        ("groupBy", {"groupBy": ["service"]}),
        ("reopenWindow", {"reopenWindow": "PT5M"}),
        ("teamId", {"teamId": str(other.id)}),
    ):
        what = {"name": "R", "teamId": str(team.id), "condition": "true", "effects": effects}
        answer = await api.change("createAlertRule", what, "rule { id }", who=lead)
        assert answer["code"] == "INVALID_INPUT", answer
        assert answer["path"] == ["effects", name]
        assert "a rule of no team does" in answer["message"]


async def test_its_managers_make_order_change_and_end_it_and_nobody_elses(
    api: Api, admin: Person, manager: Person, team: Team, lead: Person
) -> None:
    other = await api.team("Other")
    stranger = await member(api, admin, other, Role.VIEWER, Role.MANAGER)
    operator = await member(api, admin, team, Role.VIEWER, Role.OPERATOR)
    everybodys = await make_rule(api, manager, "Same name", "true")
    first = await make(api, lead, team, "Same name", "true")
    second = await make(api, manager, team, "Second", "true")
    assert (first["position"], second["position"], everybodys["position"]) == (1, 2, 1)
    taken = await api.change(
        "createAlertRule", {"name": "Second", "teamId": str(team.id), "condition": "true"}, RULE, who=lead
    )
    assert taken["code"] == "ALREADY_EXISTS"
    ordering = {"ids": [second["id"]], "teamId": str(team.id)}
    for who in (stranger, operator):
        for field, what in (
            ("createAlertRule", {"name": "S", "teamId": str(team.id), "condition": "true"}),
            ("updateAlertRule", {"id": first["id"], "mode": "DISABLED"}),
            ("deleteAlertRule", {"id": first["id"]}),
            ("reorderAlertRules", ordering),
            ("testAlertRule", {"since": "2026-03-01T00:00:00Z", "ruleId": first["id"], "condition": "true"}),
        ):
            answer = await api.change(field, what, "__typename", who=who)
            assert answer["code"] == "FORBIDDEN", (field, answer)
    # Nor does a team's manager touch what holds for everybody.
    for field, what in (
        ("createAlertRule", {"name": "S", "condition": "true"}),
        ("updateAlertRule", {"id": everybodys["id"], "mode": "DISABLED"}),
        ("reorderAlertRules", {"ids": [everybodys["id"]]}),
    ):
        assert (await api.change(field, what, "__typename", who=lead))["code"] == "FORBIDDEN"
    mixed = await api.change("reorderAlertRules", {**ordering, "ids": [everybodys["id"]]}, "__typename", who=lead)
    assert mixed["code"] == "NOT_FOUND"
    ordered = await api.change("reorderAlertRules", ordering, "rules { name position team { name } }", who=lead)
    assert [(one["name"], one["position"], one["team"]) for one in ordered["rules"]] == [
        ("Second", 1, {"name": "Payments"}),
        ("Same name", 2, {"name": "Payments"}),
    ]
    listed = await api.data("query($id: ID!) { alertRules(teamId: $id) { name } }", {"id": str(team.id)}, who=stranger)
    assert [one["name"] for one in listed["alertRules"]] == ["Second", "Same name"]
    await change_rule(api, lead, first, name="First")
    ended = await api.change("deleteAlertRule", {"id": second["id"]}, "rule { archivedAt }", who=lead)
    assert ended["rule"]["archivedAt"] is not None
    everything = await api.data("{ alertRules { name team { name } } }", who=manager)
    assert [one["name"] for one in everything["alertRules"]] == ["Same name", "First"]


async def test_a_private_teams_rule_is_absent_for_others_and_not_named_on_an_alert_that_left(
    api: Api, admin: Person, manager: Person
) -> None:
    hidden = await api.team("Security", is_private=True)
    public = await api.team("Public")
    await own(api, admin, hidden, {"service": "vault"})
    lead = await member(api, admin, hidden, Role.VIEWER, Role.MANAGER)
    key = await door(api, admin)
    effects = {"severity": "CRITICAL", "suppress": "break-in drill"}
    rule = await make(api, lead, hidden, "Break-in drill", "true", effects=effects)
    alert_id = await posted(api, key, service="vault")
    moved = await api.change("moveAlert", {"id": alert_id, "teamId": str(public.id)}, "alert { id }", who=admin)
    assert moved["__typename"] == "MoveAlertSuccess", moved
    for who, name in ((lead, "Break-in drill"), (manager, None)):
        shown = await read_alert(api, alert_id, who)
        (decision,) = by_rules(shown)
        assert ("drill" in str(shown)) == (name is not None)
        assert (decision["rule"] and decision["rule"]["name"]) == name
        assert bool(decision["changes"]) == (name is not None)
    found = await api.data(
        "query($id: ID!) { alertRule(id: $id) { id } alertRules { id } }", {"id": rule["id"]}, who=manager
    )
    assert found == {"alertRule": None, "alertRules": []}
    for field, what in (
        ("updateAlertRule", {"id": rule["id"], "mode": "DISABLED"}),
        ("deleteAlertRule", {"id": rule["id"]}),
        ("createAlertRule", {"name": "S", "teamId": str(hidden.id), "condition": "true"}),
        ("reorderAlertRules", {"ids": [rule["id"]], "teamId": str(hidden.id)}),
        ("testAlertRule", {"since": "2026-03-01T00:00:00Z", "teamId": str(hidden.id), "condition": "true"}),
        ("testAlertRule", {"since": "2026-03-01T00:00:00Z", "ruleId": rule["id"], "condition": "true"}),
    ):
        answer = await api.change(field, what, "__typename", who=manager)
        assert answer["code"] == "NOT_FOUND", (field, answer)


async def test_what_a_teams_rule_holds_is_let_go_of_when_the_alert_goes_to_another_team(
    api: Api, admin: Person, manager: Person, team: Team, lead: Person
) -> None:
    """The team that has it now is to be woken, also when its source never says a word again."""
    other = await api.team("Other")
    key = await door(api, manager)
    await make(api, lead, team, "Ours are known", "true", effects={"suppress": "we know"})
    await make_rule(api, manager, "All are quiet", 'alert.labels.env == "dev"', effects={"suppress": "only dev"})
    moved, followed, handed = [
        await posted(api, key, service="payments", number=number, labels={"env": env})
        for number, env in enumerate(("prod", "dev", "prod"))
    ]
    for alert_id in (moved, followed):
        answer = await api.change("moveAlert", {"id": alert_id, "teamId": str(other.id)}, "alert { id }", who=admin)
        assert answer["__typename"] == "MoveAlertSuccess", answer
    given = {"teamId": str(team.id), "toTeamId": str(other.id)}
    answer = await api.change("handOverTeam", given, "__typename", who=admin)
    assert answer["__typename"] == "HandOverTeamSuccess", answer
    for alert_id, names in ((moved, []), (followed, ["All are quiet"]), (handed, [])):
        shown = await read_alert(api, alert_id, manager)
        assert shown["team"] == {"name": "Other"}
        assert [one["name"] for one in (shown["suppression"] or {"rules": []})["rules"]] == names
        told = [change["field"] for entry in shown["timeline"]["nodes"] for change in entry["changes"] or ()]
        assert "suppressedBy" in told or "suppressed_by" in told, told


async def test_a_trial_reads_the_signals_of_the_teams_alerts(
    api: Api, manager: Person, team: Team, lead: Person
) -> None:
    key = await door(api, manager)
    for number in range(3):
        await posted(api, key, service="payments", severity="high", number=number)
    await posted(api, key, service="search", severity="high")
    since = (api.clock.now() - timedelta(hours=1)).isoformat()
    draft = {"since": since, "condition": "alert.severity == HIGH", "effects": {"severity": "LOW"}}
    whole = await api.change("testAlertRule", draft, TEST, who=manager)
    assert (whole["report"]["signals"], whole["report"]["matched"]) == (4, 4)
    mine = await api.change("testAlertRule", {**draft, "teamId": str(team.id)}, TEST, who=lead)
    assert mine["report"] == {
        "signals": 3,
        "matched": 3,
        "differences": [{"kind": "SEVERITY", "signals": 3}],
        "isWhole": True,
    }
    rule = await make(api, lead, team, "Low", "true", effects={"severity": "LOW"})
    changed = await api.change(
        "testAlertRule", {**draft, "ruleId": rule["id"], "effects": {"suppress": "known"}}, TEST, who=lead
    )
    assert sorted(one["kind"] for one in changed["report"]["differences"]) == ["SEVERITY", "SUPPRESSED"]
    # A draft of no team is tried with the teams' rules after it.
    later = await api.change("testAlertRule", {**draft, "effects": {"severity": "CRITICAL"}}, TEST, who=manager)
    assert later["report"]["differences"] == [{"kind": "SEVERITY", "signals": 1}]


async def test_a_trial_asks_no_rule_of_a_team_that_is_hidden(api: Api, admin: Person, manager: Person) -> None:
    """Everybody's rules would give it to the hidden team, from which it came to one that the manager sees."""
    hidden, public = await api.team("Security", is_private=True), await api.team("Public")
    lead = await member(api, admin, hidden, Role.VIEWER, Role.MANAGER)
    key = await door(api, admin)
    await make_rule(api, admin, "Theirs", 'alert.service == "vault"', effects={"teamId": str(hidden.id)})
    labels = [{"name": "case", "value": "burglary"}]
    await make(api, lead, hidden, "Drill", "true", effects={"suppress": "break-in drill", "labels": labels})
    alert_id = await posted(api, key, service="vault")
    moved = await api.change("moveAlert", {"id": alert_id, "teamId": str(public.id)}, "alert { id }", who=admin)
    assert moved["__typename"] == "MoveAlertSuccess", moved
    draft = {
        "since": (api.clock.now() - timedelta(hours=1)).isoformat(),
        "condition": "true",
        "effects": {"teamId": str(public.id)},
    }
    told = "report { matched differences { kind samples { before after } } }"
    tried = await api.change("testAlertRule", draft, told, who=manager)
    assert tried["report"]["matched"] == 1
    assert "drill" not in str(tried)
    assert "burglary" not in str(tried)
    assert [one["kind"] for one in tried["report"]["differences"]] == ["TEAM"]
