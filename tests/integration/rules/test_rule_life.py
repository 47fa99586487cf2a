"""Do alert rules come to be, change, move and end as people say, by whom it is allowed, told to who follows them?"""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from domain.alerts.cursor import encode_cursor, log_start
from domain.identity.model import Role
from graphql_api.rules import loaders
from persistence.rules import list_rules
from tests.api import Api, Person
from tests.integration.rules.ways import change_rule, make_rule
from tests.outages import FailingAtFirst
from tests.sockets import connected

EVENTS = """subscription($after: String) { alertRuleEvents(after: $after) { __typename ... on AlertRuleEvent {
  kind why rule { name mode position } actor { __typename ... on User { id } } changes { field before after } }
  ... on StreamReset { reason } } }"""
BUILDER = """builder { __typename ... on AlertComparison { field operator values label }
  ... on AlertConditionAll { all { __typename ... on AlertComparison { field operator values label }
    ... on AlertConditionNot { condition { ... on AlertComparison { field values } } } } } }"""
REFUSED = """mutation($input: CreateAlertRuleInput!) { createAlertRule(input: $input) {
  __typename ... on InvalidCondition { line column message } } }"""
CHECK = f"""query($condition: String, $builder: AlertConditionInput) {{
  checkCondition(condition: $condition, builder: $builder) {{
    isValid text message line column facts asksAlert {BUILDER} }} }}"""


async def test_a_rule_is_made_edited_and_ended_and_its_versions_stay(api: Api, manager: Person) -> None:
    made = await make_rule(
        api, manager, "  Quiet nights ", "now.getHours() < 6", description="for the on-call", serviceFilter=" web-* "
    )
    assert (made["name"], made["mode"], made["version"], made["serviceFilter"]) == (
        "Quiet nights",
        "ENABLED",
        1,
        "web-*",
    )
    same = await change_rule(api, manager, made, name="Quiet nights")
    assert same["version"] == 1, "an edit that changes nothing is none"
    changed = await change_rule(
        api, manager, made, condition="now.getHours() < 7", serviceFilter="", mode="MONITOR", expectedVersion=1
    )
    assert (changed["version"], changed["serviceFilter"], changed["mode"]) == (2, None, "MONITOR")
    stale = await api.change(
        "updateAlertRule", {"id": made["id"], "name": "X", "expectedVersion": 1}, "rule { id }", who=manager
    )
    assert stale["code"] == "STALE_VERSION"
    ended = await api.change("deleteAlertRule", {"id": made["id"], "expectedVersion": 2}, "rule { id }", who=manager)
    assert ended["__typename"] == "DeleteAlertRuleSuccess"
    gone = await api.change("updateAlertRule", {"id": made["id"], "name": "X"}, "rule { id }", who=manager)
    assert gone["code"] == "NOT_FOUND"
    shown = await api.data(
        """query($id: ID!) { alertRules { id } archived: alertRules(includeArchived: true) { id }
          alertRule(id: $id) { archivedAt createdBy { id } versions { version rule changedBy { id } } } }""",
        {"id": made["id"]},
        who=manager,
    )
    assert (shown["alertRules"], shown["archived"]) == ([], [{"id": made["id"]}])
    versions = shown["alertRule"]["versions"]
    assert [version["version"] for version in versions] == [3, 2, 1]
    assert versions[2]["rule"]["condition"] == "now.getHours() < 6"
    assert versions[2]["changedBy"] == {"id": str(manager.id)}
    again = await make_rule(api, manager, "Quiet nights", "true")
    assert again["position"] == 1


async def test_a_name_is_taken_once(api: Api, manager: Person) -> None:
    await make_rule(api, manager, "One", "true")
    other = await make_rule(api, manager, "Two", "true")
    taken = await api.change("createAlertRule", {"name": "One", "condition": "false"}, "rule { id }", who=manager)
    assert (taken["code"], taken["path"]) == ("ALREADY_EXISTS", ["name"])
    taken = await api.change("updateAlertRule", {"id": other["id"], "name": "One"}, "rule { id }", who=manager)
    assert taken["code"] == "ALREADY_EXISTS"


async def test_the_same_key_makes_one_rule(api: Api, manager: Person) -> None:
    what = {"name": "Once", "condition": "true", "idempotencyKey": "k"}
    first = await api.change("createAlertRule", what, "rule { id }", who=manager)
    assert await api.change("createAlertRule", what, "rule { id }", who=manager) == first
    other = await api.change("createAlertRule", {**what, "name": "Twice"}, "rule { id }", who=manager)
    assert other["code"] == "IDEMPOTENCY_CONFLICT"


@pytest.mark.parametrize(
    ("what", "path", "said"),
    [
        ({"condition": "alert.titel == 'x'"}, ["condition"], "did you mean alert.title?"),
        ({"condition": "alert.title"}, ["condition"], "must be true or false"),
        ({}, ["condition"], "give a condition, or a builder"),
        ({"condition": "true", "name": " "}, ["name"], "must not be empty"),
        ({"condition": "true", "effects": {"suppress": ""}}, ["effects", "suppress"], "must not be empty"),
        ({"condition": "true", "effects": {"autoResolveAfter": "PT5S"}}, ["effects", "autoResolveAfter"], "a minute"),
        ({"condition": "true", "effects": {"reopenWindow": "P31D"}}, ["effects", "reopenWindow"], "30 days"),
        ({"condition": "true", "effects": {"dedupBy": ["host"]}}, ["effects", "dedupBy", "0"], "made of title"),
        ({"condition": "true", "effects": {"teamId": "x"}}, ["effects", "teamId"], "no such team"),
        (
            {"condition": "true", "effects": {"labels": [{"name": "priority", "value": "P1"}]}},
            ["effects", "labels"],
            "set by the effect priority",
        ),
        (
            {"condition": "alert.occurrences > 3", "effects": {"dedupBy": ["service"]}},
            ["effects", "dedupBy"],
            "too late for dedupBy",
        ),
        (
            {"condition": "true", "builder": {"compare": {"field": "TITLE", "operator": "EQUALS", "values": ["x"]}}},
            ["builder"],
            "either condition or builder",
        ),
        ({"builder": {"any": []}}, ["builder"], "at least one condition"),
        ({"builder": {}}, ["builder"], "exactly one of"),
        (
            {"builder": {"all": [{"compare": {"field": "SEVERITY", "operator": "MATCHES", "values": ["x"]}}]}},
            ["builder", "all", "0", "compare", "operator"],
            "SEVERITY is compared by",
        ),
    ],
)
async def test_what_cannot_be_a_rule_is_refused_with_its_place(
    api: Api, manager: Person, what: dict[str, Any], path: list[str], said: str
) -> None:
    refused = await api.change("createAlertRule", {"name": "R", **what}, "rule { id }", who=manager)
    assert refused["code"] == "INVALID_INPUT", refused
    assert (refused["path"], said in refused["message"]) == (path, True), refused
    assert (await api.data("{ alertRules { id } }", who=manager))["alertRules"] == []


async def test_a_wrong_condition_says_in_which_line_and_column(api: Api, manager: Person) -> None:
    what = {"name": "R", "condition": 'alert.severity >= HIGH &&\n  alert.service = "api"'}
    refused = (await api.data(REFUSED, {"input": what}, who=manager))["createAlertRule"]
    assert (refused["__typename"], refused["line"]) == ("InvalidCondition", 2)
    checked = await api.data(CHECK, {"condition": what["condition"]}, who=manager)
    assert checked["checkCondition"]["isValid"] is False
    assert (checked["checkCondition"]["line"], checked["checkCondition"]["column"]) == (2, refused["column"])


async def test_a_condition_that_was_put_together_reads_back(api: Api, manager: Person) -> None:
    one = {"field": "SERVICE", "operator": "EQUALS", "values": ["api"]}
    other = {"field": "LABEL", "operator": "EQUALS", "values": ["dev"], "label": "env"}
    builder = {"all": [{"compare": one}, {"not": {"compare": other}}]}
    checked = (await api.data(CHECK, {"builder": builder}, who=manager))["checkCondition"]
    text = 'alert.service == "api" && !(alert.labels.env == "dev")'
    assert (checked["text"], checked["isValid"], checked["facts"]) == (text, True, ["alert.labels", "alert.service"])
    answer = await api.change(
        "createAlertRule", {"name": "Built", "builder": builder}, f"rule {{ condition {BUILDER} }}", who=manager
    )
    assert answer["rule"]["condition"] == text
    shown = answer["rule"]["builder"]["all"]
    assert shown[0] == {"__typename": "AlertComparison", **one, "label": None}
    assert shown[1]["condition"] == {"field": "LABEL", "values": ["dev"]}
    written = await api.data(CHECK, {"condition": "alert.metadata.load > 3"}, who=manager)
    assert written["checkCondition"]["builder"] is None


async def test_a_team_out_of_sight_is_no_team(api: Api, manager: Person) -> None:
    hidden = await api.team("Hidden", is_private=True)
    what = {"name": "R", "condition": "true", "effects": {"teamId": str(hidden.id)}}
    refused = await api.change("createAlertRule", what, "rule { id }", who=manager)
    assert (refused["code"], refused["message"]) == ("INVALID_INPUT", "no such team")


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.VIEWER])
async def test_only_managers_change_rules_and_everybody_reads_them(api: Api, manager: Person, role: Role) -> None:
    rule = await make_rule(api, manager, "R", "true")
    person = await api.person(role)
    for field, what in (
        ("createAlertRule", {"name": "S", "condition": "true"}),
        ("updateAlertRule", {"id": rule["id"], "mode": "DISABLED"}),
        ("deleteAlertRule", {"id": rule["id"]}),
        ("reorderAlertRules", {"ids": [rule["id"]]}),
    ):
        assert (await api.change(field, what, "__typename", who=person))["code"] == "FORBIDDEN"
    seen = await api.data("{ alertRules { name condition mode } }", who=person)
    assert seen["alertRules"] == [{"name": "R", "condition": "true", "mode": "ENABLED"}]


async def test_changes_are_told_to_who_follows_rules(api: Api, address: str, manager: Person) -> None:
    viewer = await api.person(Role.VIEWER)
    async with api.state.engine.connect() as connection:
        epoch, now = (await connection.execute(sa.text("SELECT epoch, now() FROM log_epoch"))).one()
    start = encode_cursor(replace(log_start(epoch), recorded_at=now))
    async with connected(address, viewer) as socket:
        await socket.subscribe(EVENTS, {"after": start})
        first = await make_rule(api, manager, "First", "true")
        second = await make_rule(api, manager, "Second", "true")
        await change_rule(api, manager, first, mode="MONITOR")
        await api.change("reorderAlertRules", {"ids": [second["id"], first["id"]]}, "rules { id }", who=manager)
        await api.change("deleteAlertRule", {"id": first["id"]}, "rule { id }", who=manager)
        team = {"teamId": str((await api.team("Ending")).id)}
        await make_rule(api, manager, "Theirs", "true", **team)
        await api.change("archiveTeam", {"id": team["teamId"]}, "team { id }", who=manager)
        told = [(await socket.next_data())["alertRuleEvents"] for _ in range(8)]
    kinds = [(event["kind"], event["rule"]["name"]) for event in told]
    assert kinds[:3] == [("CREATED", "First"), ("CREATED", "Second"), ("UPDATED", "First")]
    assert sorted(kinds[3:5]) == [("REORDERED", "First"), ("REORDERED", "Second")]
    assert kinds[5:] == [("ARCHIVED", "First"), ("CREATED", "Theirs"), ("ARCHIVED", "Theirs")]
    assert [event["why"] for event in told[5:]] == [None, None, "its team ended"]
    assert told[2]["changes"] == [{"field": "mode", "before": "enabled", "after": "monitor"}]
    assert all(event["actor"] == {"__typename": "User", "id": str(manager.id)} for event in told)


async def test_who_meets_an_outage_is_told_when_it_is_over(
    api: Api, address: str, manager: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer, reading = await api.person(Role.VIEWER), FailingAtFirst(list_rules)
    async with api.state.engine.connect() as connection:
        epoch, now = (await connection.execute(sa.text("SELECT epoch, now() FROM log_epoch"))).one()
    start = encode_cursor(replace(log_start(epoch), recorded_at=now))
    await make_rule(api, manager, "First", "true")
    monkeypatch.setattr(loaders, "list_rules", reading)
    async with connected(address, viewer) as socket:
        await socket.subscribe(EVENTS, {"after": start})
        event = (await socket.next_data())["alertRuleEvents"]
    assert (event["kind"], event["rule"]["name"]) == ("CREATED", "First")
    assert reading.tries > 2


async def test_two_who_make_rules_at_once_make_both_in_some_order(api: Api, manager: Person) -> None:
    made = await asyncio.gather(*(make_rule(api, manager, f"R{number}", "true") for number in range(6)))
    assert sorted(rule["position"] for rule in made) == [1, 2, 3, 4, 5, 6]


async def test_a_rule_whose_condition_would_be_refused_by_now_can_still_be_switched_off(
    api: Api, manager: Person
) -> None:
    """It was saved before conditions were looked through for slips; `!=` with such a value holds for every alert."""
    slip = 'alert.severity in [HIGH, "warn"]'
    rule = await make_rule(api, manager, "Old", "true", effects={"suppress": "quiet"})
    made = await api.change(
        "createGroupRule", {"name": "Old", "strategy": "LABELS", "condition": "true"}, "groupRule { id }", who=manager
    )
    group_rule = made["groupRule"]
    async with api.engine.begin() as connection:
        for table in ("alert_rules", "group_rules"):
            await connection.execute(sa.text(f"UPDATE {table} SET condition = :slip"), {"slip": slip})
    assert (await change_rule(api, manager, rule, mode="DISABLED"))["mode"] == "DISABLED"
    off = await api.change(
        "updateGroupRule", {"id": group_rule["id"], "enabled": False}, "groupRule { enabled condition }", who=manager
    )
    assert off["groupRule"] == {"enabled": False, "condition": slip}
    for field, rule_id in (("updateAlertRule", rule["id"]), ("updateGroupRule", group_rule["id"])):
        what = {"id": rule_id, "condition": f"{slip} || true"}
        assert (await api.change(field, what, "__typename", who=manager))["code"] == "INVALID_INPUT"


async def test_a_rule_that_gives_alerts_to_a_team_that_ended_can_still_be_switched_off(
    api: Api, manager: Person
) -> None:
    gone, other = await api.team("Gone"), await api.team("Other")
    given = {"severity": "HIGH", "teamId": str(gone.id)}
    rule = await make_rule(api, manager, "Theirs", 'alert.service == "shop"', effects=given)
    for team in (gone, other):
        await api.change("archiveTeam", {"id": str(team.id)}, "__typename", who=manager)
    assert (await change_rule(api, manager, rule, mode="DISABLED"))["mode"] == "DISABLED"
    same = await change_rule(api, manager, rule, effects={**given, "severity": "LOW"})
    assert same["effects"]["severity"] == "LOW"
    what = {"id": rule["id"], "effects": {"teamId": str(other.id)}}
    refused = await api.change("updateAlertRule", what, "__typename", who=manager)
    assert (refused["code"], refused["path"]) == ("INVALID_INPUT", ["effects", "teamId"])
