"""Posts become minutes, and minutes alerts, once: whoever looks, however late, whatever changes meanwhile (A1)."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from domain.alerts.model import RULE_INTEGRATION_ID, Severity
from domain.identity.model import Role, Team
from persistence.tables import teams
from persistence.timescale import TimeSeriesLevel, ensure_timeseries
from tests.integration.thresholds.conftest import MINUTE, World

RULE = """query($id: ID!) { thresholdRule(id: $id) { phase evaluatedUntil version isEnabled archivedAt
  groups { group phase value since team { name } alert { id } } } }"""


async def rule(world: World, made: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = (await world.api.data(RULE, {"id": made["id"]}, who=world.manager))["thresholdRule"]
    return found


async def test_posts_raise_an_alert_and_their_end_resolves_it(world: World) -> None:
    made = await world.make()
    await world.post(5)
    assert await world.minute() == 1
    (alert,) = await world.alerts()
    assert (alert["title"], alert["severity"], alert["status"]) == ("5 alerts of everything", "high", "active")
    assert (alert["integration_id"], alert["dedup_key"]) == (RULE_INTEGRATION_ID, f"rule:1:{made['id']}:")
    shown = await rule(world, made)
    assert shown["phase"] == "FIRING"
    assert [(one["phase"], one["value"], one["alert"]["id"]) for one in shown["groups"]] == [
        ("FIRING", 5, str(alert["id"]))
    ]
    # Its own alert is not counted, or it would hold itself up for ever; the window of five minutes passes.
    assert [await world.minute() for _ in range(4)] == [0, 0, 0, 0]
    assert await world.minute() == 1
    (alert,) = await world.alerts()
    assert (alert["status"], alert["resolved_by"]) == ("resolved", "source")
    assert alert["resolution"] == "0 alerts opened in 5 min; the rule clears below 3"
    assert (await rule(world, made))["phase"] == "RESOLVED"


async def test_the_alert_tells_which_rule_raised_it_and_why(world: World) -> None:
    made = await world.make()
    await world.post(6)
    await world.minute()
    (alert,) = await world.alerts()
    query = "query($id: ID!) { alert(id: $id) { source labels decisions { __typename ... on ThresholdDecision"
    query += " { reason ruleVersion group value threshold since rule { id name } } } } }"
    shown = (await world.api.data(query, {"id": str(alert["id"])}, who=world.manager))["alert"]
    assert (shown["source"], shown["labels"]) == ("rule", {"rule": "Many"})
    (decision,) = [one for one in shown["decisions"] if one["__typename"] == "ThresholdDecision"]
    assert decision["reason"] == "6 alerts opened in 5 min; the rule raises at 5 or more"
    assert (decision["value"], decision["threshold"], decision["rule"]["id"]) == (6, 5, made["id"])


async def test_two_schedulers_at_once_raise_one_alert(world: World) -> None:
    for number in range(8):
        await world.make(name=f"Rule {number}", condition={"groupBy": "SERVICE"})
    await world.post(5, service="shop")
    await world.post(5, service="till")
    await world.count()
    world.pass_minutes()
    done = await asyncio.gather(*[world.turn() for _ in range(3)])
    assert sum(done) == 16
    assert len(await world.alerts()) == 16
    assert (
        await world.pool.fetchval("SELECT count(*) FROM alert_events WHERE kind = 'opened' AND severity = 'high'") == 16
    )
    assert await world.pool.fetchval("SELECT max(occurrences) FROM alerts WHERE source = 'rule'") == 1
    assert await world.turn() == 0
    made = await world.api.data("{ thresholdRules { id } }", who=world.manager)
    for one in made["thresholdRules"]:
        await world.api.change("archiveThresholdRule", {"id": one["id"]}, "rule { id }", who=world.manager)
    assert sum(await asyncio.gather(*[world.turn() for _ in range(3)])) == 16
    assert await world.pool.fetchval("SELECT count(*) FROM alert_events WHERE kind = 'resolved'") == 16


async def test_each_group_has_an_alert_of_its_own(world: World) -> None:
    await world.make(condition={"groupBy": "SERVICE", "measure": "COUNT"})
    await world.post(5, service="shop")
    await world.post(4, service="till")
    assert await world.minute() == 1
    await world.post(1, service="till")
    assert await world.minute() == 1
    await world.post(5, service="")
    assert await world.minute() == 1
    shown = [(one["title"], one["service_name"]) for one in await world.alerts()]
    assert shown == [("5 alerts of shop", "shop"), ("5 alerts of till", "till"), ("5 alerts of no service", None)]


async def test_a_minute_waits_until_all_of_it_is_counted(world: World) -> None:
    made = await world.make()
    await world.post(1)
    await world.count()
    world.pass_minutes()
    await world.turn()
    until = (await rule(world, made))["evaluatedUntil"]
    assert until is not None
    await world.post(9)
    # The relay is down: the minutes pass, and nothing is said of what is not counted.
    world.pass_minutes(4)
    assert await world.turn() == 0
    behind = (await rule(world, made))["evaluatedUntil"]
    await world.count()
    assert await world.catch_up() == 1
    shown = await rule(world, made)
    assert shown["evaluatedUntil"] > behind >= until
    # As of the minute in which it happened, not of the one in which it was found out.
    (alert,) = await world.alerts()
    assert alert["created_at"] - alert["started_at"] > 3 * MINUTE


async def test_after_an_outage_a_rule_looks_at_the_last_hour(world: World) -> None:
    await world.make()
    await world.minute()
    await world.post(5)
    await world.count()
    world.pass_minutes(30)
    # Both of what happened in those minutes is told.
    assert await world.catch_up() == 2
    (alert,) = await world.alerts()
    assert alert["status"] == "resolved"
    await world.post(5)
    await world.count()
    world.pass_minutes(90)
    assert await world.catch_up() == 0


@pytest.mark.parametrize(
    ("mutation", "change", "reason"),
    [
        ("updateThresholdRule", {"condition": {"measure": "COUNT", "window": "PT9M", "raiseAt": 50}}, "was changed"),
        ("updateThresholdRule", {"alert": {"title": "Other", "severity": "LOW"}}, "was changed"),
        ("updateThresholdRule", {"isEnabled": False}, "was switched off"),
        ("archiveThresholdRule", {}, "was ended"),
    ],
    ids=["condition", "alert", "off", "ended"],
)
async def test_what_a_rule_raised_ends_with_its_meaning(
    world: World, mutation: str, change: dict[str, Any], reason: str
) -> None:
    made = await world.make()
    await world.post(5)
    await world.minute()
    answer = await world.api.change(mutation, {"id": made["id"], **change}, "rule { version }", who=world.manager)
    assert answer["__typename"].endswith("Success"), answer
    assert await world.turn() == 1
    (alert,) = await world.alerts()
    assert (alert["status"], reason in alert["resolution"]) == ("resolved", True)
    assert await world.turn() == 0


async def test_a_rule_that_was_changed_raises_anew_when_it_still_holds(world: World) -> None:
    made = await world.make()
    await world.post(5)
    await world.minute()
    change = {"id": made["id"], "alert": {"title": "Worse", "severity": "CRITICAL"}}
    await world.api.change("updateThresholdRule", change, "rule { version }", who=world.manager)
    assert await world.minute() == 2
    alerts = await world.alerts()
    assert [(one["title"], one["severity"], one["status"]) for one in alerts] == [("Worse", "critical", "active")]


async def test_an_alert_rule_takes_no_part_in_finding_the_end(world: World) -> None:
    """It may say how bad it is, and give everybody else another key."""
    what = {"name": "One key for all", "condition": "alert.title.startsWith('5')"}
    effects = {"severity": "CRITICAL", "dedupBy": ["source"]}
    answer = await world.api.change("createAlertRule", {**what, "effects": effects}, "rule { id }", who=world.manager)
    assert answer["__typename"] == "CreateAlertRuleSuccess", answer
    made = await world.make()
    await world.post(5)
    await world.minute()
    (alert,) = await world.alerts()
    assert (alert["severity"], alert["dedup_key"]) == ("critical", f"rule:1:{made['id']}:")
    await world.count()
    world.pass_minutes(6)
    assert await world.catch_up() == 1
    assert [one["status"] for one in await world.alerts()] == ["resolved"]


async def test_what_a_person_resolved_comes_back_only_after_it_was_over(world: World) -> None:
    await world.make()
    await world.post(5)
    await world.minute()
    (alert,) = await world.alerts()
    answer = await world.api.change("resolveAlert", {"id": str(alert["id"])}, "alert { id }", who=world.manager)
    assert answer["__typename"] == "ResolveAlertSuccess", answer
    assert await world.minute() == 0
    assert [one["status"] for one in await world.alerts()] == ["resolved"]
    await world.count()
    world.pass_minutes(6)
    assert await world.catch_up() == 1
    await world.post(5)
    assert await world.minute() == 1
    assert [one["status"] for one in await world.alerts()] == ["active"]


async def test_a_new_name_changes_nothing_that_stands(world: World) -> None:
    made = await world.make()
    await world.post(5)
    await world.minute()
    await world.api.change("updateThresholdRule", {"id": made["id"], "name": "New"}, "rule { id }", who=world.manager)
    assert await world.minute() == 0
    assert [one["status"] for one in await world.alerts()] == ["active"]


async def test_silence_is_noticed_and_its_end_too(world: World) -> None:
    await world.make(
        name="Quiet",
        condition={"measure": "ABSENCE", "window": "PT3M", "raiseAt": None, "clearAt": None, "groupBy": "SOURCE"},
    )
    await world.post(1)
    assert await world.minute() == 0
    assert [await world.minute() for _ in range(3)] == [0, 0, 1]
    (alert,) = await world.alerts()
    assert alert["title"] == "0 alerts of prometheus"
    await world.post(1)
    assert await world.minute() == 1
    assert [one["status"] for one in await world.alerts()] == ["resolved"]


async def test_it_must_hold_for_as_long_as_it_says(world: World) -> None:
    await world.make(condition={"for": "PT2M"})
    await world.post(5)
    assert [await world.minute() for _ in range(3)] == [0, 0, 1]


async def test_the_filter_says_what_counts(world: World) -> None:
    await world.make(name="Shop", condition={"match": {"services": ["shop"], "severities": ["CRITICAL"]}})
    await world.post(9, service="shop", severity=Severity.LOW)
    await world.post(9, service="till", severity=Severity.CRITICAL)
    assert await world.minute() == 0
    await world.post(5, service="shop", severity=Severity.CRITICAL)
    assert await world.minute() == 1


@pytest.fixture
async def private(world: World) -> Team:
    return await world.api.team("Hidden", is_private=True)


async def own(world: World, team: Team) -> None:
    """What the service does is the team's."""
    admin = await world.api.person(Role.ADMIN)
    what = {"teamId": str(team.id), "ownership": [{"service": "secret"}]}
    answer = await world.api.change("setTeamOwnership", what, "team { id }", who=admin)
    assert answer["__typename"] == "SetTeamOwnershipSuccess", answer


async def test_a_private_teams_alerts_count_for_its_own_rules_alone(world: World, private: Team) -> None:
    await own(world, private)
    insider = await world.api.person(Role.MANAGER, teams=(private,))
    await world.make(name="Everybody's")
    condition = {"measure": "COUNT", "window": "PT5M", "raiseAt": 5}
    alert = {"title": "Many", "severity": "HIGH"}
    what = {"name": "Its own", "teamId": str(private.id), "condition": condition, "alert": alert}
    answer = await world.api.change("createThresholdRule", what, "rule { id }", who=insider)
    assert answer["__typename"] == "CreateThresholdRuleSuccess", answer
    await world.post(5, service="secret")
    assert await world.minute() == 1
    (raised,) = await world.alerts()
    assert (raised["title"], raised["team_id"]) == ("Many", private.id)
    hidden = {"id": answer["rule"]["id"]}
    assert (await world.api.data(RULE, hidden, who=world.manager))["thresholdRule"] is None


async def test_an_alert_of_no_teams_rule_goes_to_who_owns_the_service(world: World) -> None:
    team = await world.api.team("Shop")
    admin = await world.api.person(Role.ADMIN)
    what = {"teamId": str(team.id), "ownership": [{"service": "shop"}]}
    await world.api.change("setTeamOwnership", what, "team { id }", who=admin)
    await world.make(condition={"groupBy": "SERVICE"})
    await world.post(5, service="shop")
    await world.minute()
    assert [one["team_id"] for one in await world.alerts()] == [team.id]


async def preview(world: World, **more: object) -> dict[str, Any]:
    now = world.api.clock.now()
    what = {
        "condition": {"measure": "COUNT", "window": "PT5M", "raiseAt": 5, "clearAt": 3},
        "since": (now - timedelta(hours=1)).isoformat(),
        "until": now.isoformat(),
        **more,
    }
    shown = "preview { raises clears firingFor groupCount turnsLeftOut turns { group turn at value }"
    shown += " groups { group raises samples { at value } } }"
    return await world.api.change("previewThresholdRule", what, shown, who=world.manager)


async def test_a_preview_tells_what_the_rule_then_does(world: World) -> None:
    await world.make()
    done = 0
    for count in (5, 0, 4, 0, 0, 0, 0, 0, 6, 0):
        await world.post(count)
        done += await world.minute()
    found = (await preview(world))["preview"]
    assert (found["raises"], found["clears"], found["turnsLeftOut"]) == (2, 1, 0)
    assert done == found["raises"] + found["clears"]
    events = await world.pool.fetch(
        "SELECT e.kind FROM alert_events e JOIN alerts a ON a.id = e.alert_id WHERE a.source = 'rule'"
        " ORDER BY e.xid, e.seq"
    )
    assert [row["kind"] for row in events] == ["opened", "resolved", "reopened"]
    assert [one["turn"] for one in found["turns"]] == ["RAISED", "CLEARED", "RAISED"]
    assert max(one["value"] for one in found["groups"][0]["samples"]) == 9


async def test_a_preview_counts_nothing_that_its_viewer_may_not_see(world: World, private: Team) -> None:
    await own(world, private)
    await world.post(9, service="secret")
    await world.count()
    world.pass_minutes()
    assert (await preview(world))["preview"]["raises"] == 0
    refused = await preview(world, teamId=str(private.id))
    assert (refused["__typename"], refused["path"]) == ("NotFound", ["teamId"])
    match = {"measure": "COUNT", "window": "PT5M", "raiseAt": 1, "match": {"teamIds": [str(private.id)]}}
    refused = await preview(world, condition=match)
    assert (refused["code"], refused["path"]) == ("INVALID_INPUT", ["condition", "match", "teamIds", "0"])


@pytest.mark.parametrize(
    ("condition", "path"),
    [
        ({"window": "PT90S"}, ["condition", "window"]),
        ({"window": "P2D"}, ["condition", "window"]),
        ({"raiseAt": None}, ["condition", "raiseAt"]),
        ({"raiseAt": 0, "clearAt": 0}, ["condition", "raiseAt"]),
        ({"raiseAt": -1}, ["condition", "raiseAt"]),
        ({"clearAt": 6}, ["condition", "clearAt"]),
        ({"comparison": "AT_MOST", "clearAt": 3}, ["condition", "clearAt"]),
        ({"for": "PT30S"}, ["condition", "for"]),
        ({"measure": "ABSENCE", "window": "PT1M"}, ["condition", "window"]),
        ({"match": {"services": [" "]}}, ["condition", "match", "services", "0"]),
        ({"match": {"teamIds": ["x"]}}, ["condition", "match", "teamIds", "0"]),
    ],
    ids=lambda value: None if isinstance(value, dict) else ".".join(value),
)
async def test_what_can_never_hold_or_always_does_is_refused(
    world: World, condition: dict[str, Any], path: list[str]
) -> None:
    whole = {"measure": "COUNT", "window": "PT5M", "raiseAt": 5, **condition}
    what = {"name": "Odd", "condition": whole, "alert": {"title": "x", "severity": "LOW"}}
    answer = await world.api.change("createThresholdRule", what, "rule { id }", who=world.manager)
    assert (answer.get("code"), answer.get("path")) == ("INVALID_INPUT", path), answer


async def test_a_title_holds_no_name_that_is_none(world: World) -> None:
    condition = {"measure": "COUNT", "window": "PT5M", "raiseAt": 5}
    what = {"name": "Odd", "condition": condition, "alert": {"title": "{value.__class__}", "severity": "LOW"}}
    answer = await world.api.change("createThresholdRule", what, "rule { id }", who=world.manager)
    assert (answer["code"], answer["path"]) == ("INVALID_INPUT", ["alert", "title"])


async def test_a_rule_that_names_a_team_that_became_private_can_be_edited_as_it_is(world: World) -> None:
    ours, other = await world.api.team("Ours"), await world.api.team("Other")
    match = {"match": {"teamIds": [str(ours.id)]}}
    made = await world.make(condition=match)
    async with world.api.engine.begin() as connection:
        await connection.execute(sa.update(teams).values(is_private=True))
    whole = {"measure": "COUNT", "window": "PT5M", "raiseAt": 9, "clearAt": 3, **match}
    what = {"id": made["id"], "condition": whole}
    kept = await world.api.change("updateThresholdRule", what, "rule { version }", who=world.manager)
    assert kept["rule"] == {"version": 2}, kept
    whole["match"] = {"teamIds": [str(ours.id), str(other.id)]}
    refused = await world.api.change("updateThresholdRule", what, "rule { version }", who=world.manager)
    assert (refused["code"], refused["path"]) == ("INVALID_INPUT", ["condition", "match", "teamIds", "1"])


async def test_an_edit_of_an_older_version_is_refused(world: World) -> None:
    made = await world.make()
    change = {"id": made["id"], "expectedVersion": made["version"]}
    first = await world.api.change("updateThresholdRule", {**change, "name": "A"}, "rule { id }", who=world.manager)
    second = await world.api.change("updateThresholdRule", {**change, "name": "B"}, "rule { id }", who=world.manager)
    assert (first["__typename"], second["__typename"]) == ("UpdateThresholdRuleSuccess", "StaleVersion")


async def test_the_same_on_timescaledb(world_on_timescale: World) -> None:
    world = world_on_timescale
    assert await ensure_timeseries(world.api.settings.database_dsn) is TimeSeriesLevel.APACHE
    await world.make(condition={"groupBy": "SERVICE"})
    await world.make(name="Services", condition={"measure": "SERVICES", "raiseAt": 2, "clearAt": 1})
    await world.post(5, service="shop")
    await world.post(1, service="till")
    assert await world.minute() == 2
    assert {one["title"] for one in await world.alerts()} == {"5 alerts of shop", "2 alerts of everything"}
    assert (await preview(world))["preview"]["raises"] == 1
    await world.count()
    world.pass_minutes(5)
    assert await world.catch_up() == 2
