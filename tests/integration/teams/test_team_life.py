"""How is a team made, changed and ended, by whom, and what is on record of it (P2, P3)?"""

import asyncio
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from domain.identity.model import Role, Team
from domain.room import Numbers
from persistence.tables import alert_rule_events, audit_log
from persistence.threshold_rules import ThresholdRuleRepository
from tests.api import Api, Person
from tests.integration.teams.ways import door, member, own, posted
from tests.waiting import until_true

SHOWN = "team { id name slug description isPrivate version archivedAt }"
NO_SUCH = "01a20c5a-94e5-7298-974a-3a44fd3ce6dc"
TEAM = "query($id: ID!) { team(id: $id) { id name archivedAt members { role } ownership { service } } }"


async def update(api: Api, who: Person, team: Team, **what: object) -> dict[str, Any]:
    return await api.change("updateTeam", {"id": str(team.id), **what}, SHOWN, who=who)


async def test_a_manager_changes_a_team_and_each_field_is_told(api: Api, manager: Person) -> None:
    team = await api.team("Payments")
    answer = await update(
        api, manager, team, name=" Money ", slug="money", description="All that pays", expectedVersion=1
    )
    assert answer["team"] == {
        "id": str(team.id),
        "name": "Money",
        "slug": "money",
        "description": "All that pays",
        "isPrivate": False,
        "version": 2,
        "archivedAt": None,
    }
    async with api.engine.connect() as connection:
        entry = (await connection.execute(sa.select(audit_log).where(audit_log.c.action == "updateTeam"))).one()
    assert (entry.before["name"], entry.after["name"]) == ("Payments", "Money")
    assert (entry.target_id, entry.actor_id) == (team.id, manager.id)


async def test_nothing_changed_is_no_new_version(api: Api, manager: Person) -> None:
    team = await api.team("Payments")
    assert (await update(api, manager, team, name="Payments"))["team"]["version"] == 1
    assert (await update(api, manager, team, description=None))["team"]["version"] == 1


@pytest.mark.parametrize(
    ("what", "code", "path"),
    [
        ({"name": " "}, "INVALID_INPUT", ["name"]),
        ({"name": "x" * 101}, "INVALID_INPUT", ["name"]),
        ({"slug": "Not a slug"}, "INVALID_INPUT", ["slug"]),
        ({"description": "x" * 2001}, "INVALID_INPUT", ["description"]),
        ({"name": "Taken"}, "ALREADY_EXISTS", ["name"]),
        ({"slug": "taken"}, "ALREADY_EXISTS", ["name"]),
        ({"name": "New", "expectedVersion": 7}, "STALE_VERSION", ["expectedVersion"]),
        # Nobody in it could ever open its door again.
        ({"isPrivate": True}, "INVALID_INPUT", ["isPrivate"]),
    ],
)
async def test_a_bad_change_is_refused_by_name(
    api: Api, manager: Person, what: dict[str, Any], code: str, path: list[str]
) -> None:
    await api.team("Taken")
    team = await api.team("Payments")
    refused = await update(api, manager, team, **what)
    assert (refused["code"], refused["path"]) == (code, path)
    assert (await update(api, manager, team, name="Payments"))["team"]["version"] == 1


async def test_a_role_in_the_team_is_enough_there_and_nowhere_else(api: Api, admin: Person) -> None:
    mine, other = await api.team("Mine"), await api.team("Other")
    lead = await member(api, admin, mine, Role.VIEWER, Role.MANAGER)
    assert (await update(api, lead, mine, description="ours"))["team"]["description"] == "ours"
    assert (await own(api, lead, mine, {"service": "a"}))["team"]["ownership"][0]["service"] == "a"
    for refused in (
        await update(api, lead, other, description="theirs"),
        await own(api, lead, other, {"service": "a"}),
        await api.change("archiveTeam", {"id": str(other.id)}, "team { id }", who=lead),
    ):
        assert (refused["__typename"], refused["code"]) == ("Forbidden", "FORBIDDEN")
    operator = await member(api, admin, mine, Role.OPERATOR, Role.OPERATOR)
    assert (await update(api, operator, mine, description="no"))["code"] == "FORBIDDEN"
    async with api.engine.connect() as connection:
        refusals = await connection.execute(sa.select(audit_log.c.actor_id).where(audit_log.c.outcome == "refused"))
    assert [row.actor_id for row in refusals] == [lead.id, lead.id, lead.id, operator.id]


async def test_a_hidden_team_is_no_team_to_outsiders_whatever_their_role(api: Api, admin: Person) -> None:
    vault, open_one = await api.team("Vault", is_private=True), await api.team("Open")
    outsider = await api.person(Role.MANAGER)
    vault_id = str(vault.id)
    user_id = str(outsider.id)
    for field, what, path in (
        ("updateTeam", {"id": vault_id, "name": "x"}, "id"),
        ("archiveTeam", {"id": vault_id}, "id"),
        ("setTeamOwnership", {"teamId": vault_id, "ownership": []}, "teamId"),
        ("addTeamMember", {"teamId": vault_id, "userId": user_id}, "teamId"),
        ("changeTeamRole", {"teamId": vault_id, "userId": user_id, "role": "VIEWER"}, "teamId"),
        ("removeTeamMember", {"teamId": vault_id, "userId": user_id}, "teamId"),
        ("handOverTeam", {"teamId": vault_id, "toTeamId": str(open_one.id)}, "teamId"),
        ("handOverTeam", {"teamId": str(open_one.id), "toTeamId": vault_id}, "toTeamId"),
    ):
        absent = {
            name: "01a20c5a-94e5-7298-974a-3a44fd3ce6dc" if one == vault_id else one for name, one in what.items()
        }
        hidden, missing = [await api.change(field, given, "__typename", who=outsider) for given in (what, absent)]
        assert hidden == missing
        assert (hidden["code"], hidden["path"], hidden["message"]) == ("NOT_FOUND", [path], "no such team")
    assert (await api.data(TEAM, {"id": vault_id}, who=outsider))["team"] is None
    assert (await api.data(TEAM, {"id": vault_id}, who=admin))["team"]["name"] == "Vault"
    assert (await api.data(TEAM, {"id": "nonsense"}, who=admin))["team"] is None


async def test_a_team_is_archived_when_nothing_hangs_on_it_any_more(api: Api, admin: Person) -> None:
    team = await api.team("Payments")
    insider = await member(api, admin, team, Role.VIEWER, Role.OPERATOR)
    await own(api, admin, team, {"service": "checkout"})
    key = await door(api, admin)
    alert_id = await posted(api, key, service="checkout")
    made = {"name": "Theirs", "source": "GENERIC", "defaultTeamId": str(team.id)}
    theirs = await api.change("createIntegration", made, "integration { id }", who=admin)
    refused = await api.change("archiveTeam", {"id": str(team.id)}, "team { id }", who=admin)
    assert (refused["__typename"], refused["code"]) == ("TeamInUse", "TEAM_IN_USE")
    detail = await api.data(
        "mutation($id: ID!) { archiveTeam(input: {id: $id}) { ... on TeamInUse { openAlerts integrations } } }",
        {"id": str(team.id)},
        who=admin,
    )
    assert detail["archiveTeam"] == {"openAlerts": 1, "integrations": 1}
    await api.change("resolveAlert", {"id": alert_id}, "alert { id }", who=admin)
    await api.change("archiveIntegration", {"id": theirs["integration"]["id"]}, "integration { id }", who=admin)
    answer = await api.change(
        "archiveTeam",
        {"id": str(team.id), "expectedVersion": 2},
        "team { archivedAt ownership { service } }",
        who=admin,
    )
    assert answer["team"]["archivedAt"] is not None
    assert answer["team"]["ownership"] == []
    # It is no team to be given anything, and its past is where it was.
    assert (await api.data("{ teams { name } }", who=insider))["teams"] == []
    listed = (await api.data("{ teams(includeArchived: true) { name archivedAt } }", who=insider))["teams"]
    assert [(one["name"], one["archivedAt"] is not None) for one in listed] == [("Payments", True)]
    seen = (await api.data("query($id: ID!) { alert(id: $id) { team { name } } }", {"id": alert_id}, who=insider))[
        "alert"
    ]
    assert seen["team"] == {"name": "Payments"}
    other = await posted(api, key, service="other")
    for field, what, path in (
        ("moveAlert", {"id": other, "teamId": str(team.id)}, "teamId"),
        ("createAlert", {"title": "t", "severity": "LOW", "teamId": str(team.id)}, "teamId"),
        ("updateTeam", {"id": str(team.id), "name": "Again"}, "id"),
        ("createIntegration", {**made, "name": "New"}, "defaultTeamId"),
    ):
        refused = await api.change(field, what, "__typename", who=admin)
        assert (refused["code"], refused["path"]) == ("NOT_FOUND", [path]), field


@pytest.mark.parametrize(
    ("lines", "path", "message"),
    [
        ([{}], ["ownership", "0"], "either"),
        ([{"service": "a", "matchers": 'b="c"'}], ["ownership", "0"], "either"),
        ([{"service": "a"}, {"service": "a", "rank": 5}], ["ownership", "1"], "twice"),
        ([{"service": " "}], ["ownership", "0", "service"], "empty"),
        ([{"service": "x" * 201}], ["ownership", "0", "service"], "200"),
        ([{"matchers": "nonsense"}], ["ownership", "0", "matchers"], "bad matcher"),
        ([{"matchers": 'a=~"("'}], ["ownership", "0", "matchers"], "regular expression"),
        ([{"matchers": 'a=~".*"'}], ["ownership", "0", "matchers"], "empty string"),
        ([{"matchers": ""}], ["ownership", "0", "matchers"], "at least one"),
        ([{"service": "a", "rank": 0}], ["ownership", "0", "rank"], "rank"),
        ([{"service": str(number)} for number in range(501)], ["ownership"], "500"),
    ],
)
async def test_a_line_that_says_nothing_or_too_much_is_refused_by_its_place(
    api: Api, admin: Person, lines: list[dict[str, Any]], path: list[str], message: str
) -> None:
    refused = await own(api, admin, await api.team("Payments"), *lines)
    assert (refused["code"], refused["path"]) == ("INVALID_INPUT", path)
    assert message in refused["message"]


async def test_a_list_that_is_given_again_keeps_its_lines_and_versions_guard_it(api: Api, admin: Person) -> None:
    team = await api.team("Payments")
    query = "query($id: ID!) { team(id: $id) { version ownership { id service } } }"
    await own(api, admin, team, {"service": "a"}, {"service": "b"})
    before = (await api.data(query, {"id": str(team.id)}, who=admin))["team"]
    await own(api, admin, team, {"service": "b"}, {"service": "a"})
    assert (await api.data(query, {"id": str(team.id)}, who=admin))["team"] == before
    await own(api, admin, team, {"service": "b"}, {"service": "c"})
    after = (await api.data(query, {"id": str(team.id)}, who=admin))["team"]
    assert after["version"] == before["version"] + 1
    ids = {line["service"]: line["id"] for line in [*before["ownership"], *after["ownership"]]}
    assert len(set(ids.values())) == 3
    stale = {"teamId": str(team.id), "ownership": [], "expectedVersion": before["version"]}
    refused = await api.change("setTeamOwnership", stale, "team { id }", who=admin)
    assert refused["code"] == "STALE_VERSION"


@pytest.mark.parametrize("is_handed_over", [False, True], ids=["archived", "handed-over"])
async def test_the_rules_of_a_team_end_with_it_and_say_why(api: Api, admin: Person, is_handed_over: bool) -> None:
    team, other = await api.team("Payments"), await api.team("Other")
    await own(api, admin, team, {"service": "checkout"})
    key = await door(api, admin)
    alert_id = await posted(api, key, service="checkout")
    await api.change("resolveAlert", {"id": alert_id}, "alert { id }", who=admin)
    loud = {"condition": "true", "effects": {"severity": "CRITICAL"}}
    condition = {"measure": "COUNT", "window": "PT5M", "raiseAt": 5, "clearAt": 3}
    many = {"name": "Many", "condition": condition, "alert": {"title": "{value} alerts", "severity": "HIGH"}}
    rules: dict[str, dict[str, Any]] = {}
    for whose, team_id in (("theirs", str(team.id)), ("others", str(other.id)), ("everybodys", None)):
        rule = await api.change("createAlertRule", {"name": whose, "teamId": team_id, **loud}, "rule { id }", who=admin)
        counting = await api.change("createThresholdRule", {**many, "teamId": team_id}, "rule { id }", who=admin)
        rules[whose] = {"alert": rule["rule"]["id"], "threshold": counting["rule"]["id"]}
    if is_handed_over:
        what = {"teamId": str(team.id), "toTeamId": str(other.id), "archive": True}
        await api.change("handOverTeam", what, "team { archivedAt }", who=admin)
    else:
        await api.change("archiveTeam", {"id": str(team.id)}, "team { archivedAt }", who=admin)
    there = "{ alertRules { id } thresholdRules { id } }"
    found = await api.data(there, who=admin)
    living = {rules[whose]["alert"] for whose in ("others", "everybodys")}
    assert {one["id"] for one in found["alertRules"]} == living
    assert {one["id"] for one in found["thresholdRules"]} == {
        rules[whose]["threshold"] for whose in ("others", "everybodys")
    }
    ended = await api.data(
        "query($id: ID!, $other: ID!) { alertRule(id: $id) { archivedAt team { archivedAt } versions { version } }"
        " thresholdRule(id: $other) { archivedAt version } }",
        {"id": rules["theirs"]["alert"], "other": rules["theirs"]["threshold"]},
        who=admin,
    )
    assert ended["alertRule"]["archivedAt"] == ended["alertRule"]["team"]["archivedAt"]
    assert [one["version"] for one in ended["alertRule"]["versions"]] == [2, 1]
    assert ended["thresholdRule"] == {"archivedAt": ended["alertRule"]["archivedAt"], "version": 2}
    async with api.engine.connect() as connection:
        entries = (await connection.execute(sa.select(audit_log).where(audit_log.c.action == "archiveTeam"))).all()
        (told,) = (
            await connection.execute(sa.select(alert_rule_events).where(alert_rule_events.c.kind == "archived"))
        ).all()
    assert {(one.target_kind, str(one.target_id)) for one in entries} == {
        ("team", str(team.id)),
        ("alert_rule", rules["theirs"]["alert"]),
        ("threshold_rule", rules["theirs"]["threshold"]),
    }
    assert (str(told.rule_id), told.data, told.actor_id) == (
        rules["theirs"]["alert"],
        {"reason": "its team ended"},
        admin.id,
    )
    if not is_handed_over:
        # An alert of the past opens again as the team's; of rules only everybody's are asked about it.
        await api.change("reopenAlert", {"id": alert_id}, "alert { id }", who=admin)
        assert await posted(api, key, service="checkout") == alert_id
        asked = "query($id: ID!) { alert(id: $id) { team { name } decisions { ... on AlertRuleDecision { reason } } } }"
        alert = (await api.data(asked, {"id": alert_id}, who=admin))["alert"]
        assert alert["team"] == {"name": "Payments"}
        assert [one["reason"] for one in alert["decisions"] if one] == ["everybodys: changed the severity"]


async def test_a_threshold_rule_that_is_being_made_ends_with_its_team(
    api: Api, admin: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = await api.team("Payments")
    has_looked, may_go_on = asyncio.Event(), asyncio.Event()
    numbers = ThresholdRuleRepository.numbers

    async def after_the_look_at_the_team(self: ThresholdRuleRepository, team_id: UUID | None) -> Numbers:
        has_looked.set()
        await may_go_on.wait()
        return await numbers(self, team_id)

    monkeypatch.setattr(ThresholdRuleRepository, "numbers", after_the_look_at_the_team)
    condition = {"measure": "COUNT", "window": "PT5M", "raiseAt": 5, "clearAt": 3}
    many = {"name": "Many", "condition": condition, "alert": {"title": "Many", "severity": "HIGH"}}
    making = asyncio.create_task(
        api.change("createThresholdRule", {**many, "teamId": str(team.id)}, "rule { id }", who=admin)
    )
    await has_looked.wait()
    ending = asyncio.create_task(api.change("archiveTeam", {"id": str(team.id)}, "team { archivedAt }", who=admin))

    async def waits_or_has_ended() -> bool:
        waiting = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        async with api.engine.connect() as connection:
            return ending.done() or bool(await connection.scalar(sa.text(f"SELECT EXISTS ({waiting})")))

    await until_true(waits_or_has_ended)
    may_go_on.set()
    made, ended = await asyncio.gather(making, ending)
    assert ended["team"]["archivedAt"]
    assert made["rule"]["id"]
    assert (await api.data("{ thresholdRules { id } }", who=admin))["thresholdRules"] == []
