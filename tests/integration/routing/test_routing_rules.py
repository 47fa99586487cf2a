"""Do routing rules tell the right people of the right alerts, once, and say why? (N2, N5)."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from domain.alerts.model import AlertStatus, Severity
from domain.identity.model import Role
from persistence.channel_notifications import claim
from persistence.routing_run import route
from persistence.tables import routing_rules, routings, users
from tests.api import Api, Person
from tests.integration.routing.night import MINUTE, Night, rule
from tests.log_writer import insert_alert


async def test_a_rule_tells_of_what_its_condition_holds_for_once(
    api: Api, night: Night, manager: Person, ann: Person
) -> None:
    await rule(api, manager, ("USER", ann.id), condition='alert.service == "shop" && alert.severity >= HIGH')
    alert_id = await night.alert()
    await night.alert(severity=Severity.LOW, title="Not this one")
    assert await night.tick() == ["ann@example.com [CRITICAL] Payments down (shop)"]
    await night.look(alert_id)
    await night.move(alert_id, title="Payments still down")
    assert await night.tick(5 * MINUTE) == []
    (told,) = await night.told(alert_id, manager)
    assert (told["kind"], told["state"]) == ("PAGE", "SENT")
    assert told["why"] == "notification rule Tell them: you are named by it"
    assert told["routingRule"] == {"name": "Tell them"}
    assert told["routingRuleVersion"] == 1


async def test_a_rule_that_names_somebody_who_left_can_be_switched_off_and_renamed(
    api: Api, night: Night, manager: Person, ann: Person, bob: Person
) -> None:
    made = await rule(api, manager, ("USER", ann.id))
    async with night.engine.begin() as connection:
        await connection.execute(sa.update(users).where(users.c.id.in_([ann.id, bob.id])).values(is_active=False))
    what = {"id": made["id"], "name": "Old", "isEnabled": False}
    off = await api.change("updateRoutingRule", what, "rule { name isEnabled }", who=manager)
    assert off["rule"] == {"name": "Old", "isEnabled": False}
    what = {"id": made["id"], "targets": [{"kind": "USER", "id": str(one.id)} for one in (ann, bob)]}
    refused = await api.change("updateRoutingRule", what, "rule { id }", who=manager)
    assert (refused["code"], refused["path"]) == ("INVALID_INPUT", ["targets", "1"])


async def test_two_at_once_tell_once(api: Api, night: Night, manager: Person, ann: Person) -> None:
    alert_id = await night.alert()
    await rule(api, manager, ("USER", ann.id))

    async def look() -> None:
        async with night.engine.begin() as connection:
            await route(connection, [UUID(alert_id)], worsened=set(), now=night.now)

    await asyncio.gather(*(look() for _ in range(4)))
    assert len(await night.told(alert_id, manager)) == 1


async def test_who_was_told_that_it_opened_hears_that_it_ended_and_nobody_else(
    api: Api, night: Night, manager: Person, ann: Person, bob: Person
) -> None:
    await rule(api, manager, ("USER", ann.id), name="Opened")
    alert_id = await night.alert()
    await night.tick()
    await night.move(alert_id, status="resolved")
    assert await night.tick(2 * MINUTE) == ["ann@example.com [RESOLVED] Payments down (shop)"]
    await rule(api, manager, ("USER", bob.id), ("USER", ann.id), name="Ended", events=["RESOLVED"])
    again = await night.alert(title="Disk full")
    await night.tick(2 * MINUTE)
    await night.move(again, status="resolved")
    assert sorted(await night.tick(2 * MINUTE)) == [
        "ann@example.com [RESOLVED] Disk full (shop)",
        "bob@example.com [RESOLVED] Disk full (shop)",
    ]
    kinds = sorted((one["kind"], one["user"]["id"]) for one in await night.told(again, manager))
    assert kinds == sorted([("PAGE", str(ann.id)), ("RESOLVED", str(ann.id)), ("RESOLVED", str(bob.id))])


async def test_a_raised_severity_is_told_of_also_when_somebody_has_answered(
    api: Api, night: Night, manager: Person, ann: Person
) -> None:
    await rule(api, manager, ("USER", ann.id), events=["WORSENED"])
    alert_id = await night.alert(severity=Severity.MEDIUM)
    assert await night.tick() == []
    await night.move(alert_id, status="acknowledged")
    await night.move(alert_id, severity="critical", worsened=True)
    assert await night.tick(MINUTE) == ["ann@example.com [NOW CRITICAL] Payments down (shop)"]
    await night.look(alert_id, worsened=True)
    assert await night.tick(5 * MINUTE) == []
    (told,) = await night.told(alert_id, manager)
    assert told["kind"] == "WORSENED"


async def test_opening_again_is_an_event_of_its_own(
    api: Api, night: Night, manager: Person, ann: Person, bob: Person
) -> None:
    await rule(api, manager, ("USER", ann.id), name="First", events=["OPENED"])
    await rule(api, manager, ("USER", bob.id), name="Later", events=["REOPENED", "ACKNOWLEDGED"])
    alert_id = await night.alert()
    assert [one.split()[0] for one in await night.tick()] == ["ann@example.com"]
    await night.move(alert_id, status="resolved")
    await night.move(alert_id, status="active", episode=2)
    assert [one.split()[0] for one in await night.tick(5 * MINUTE)] == ["bob@example.com"]
    await night.move(alert_id, status="acknowledged")
    assert await night.tick(5 * MINUTE) == ["bob@example.com [ACKNOWLEDGED] Payments down (shop)"]


@pytest.mark.parametrize(
    "state",
    [
        {"suppressed_by": [UUID(int=1)]},
        {"snoozed_until": timedelta(hours=1)},
        {"flapping_since": timedelta(0)},
        {"paused_until": timedelta(hours=1)},
    ],
    ids=["silenced", "snoozed", "flapping", "paused"],
)
async def test_what_is_left_alone_is_told_of_when_it_no_longer_is(
    api: Api, night: Night, manager: Person, ann: Person, state: dict[str, object]
) -> None:
    await rule(api, manager, ("USER", ann.id))
    ((name, value),) = state.items()
    alert_id = await night.alert(status=AlertStatus.ACKNOWLEDGED)
    begun: dict[str, Any] = {name: night.now + value if isinstance(value, timedelta) else value}
    ended: dict[str, Any] = {name: None if isinstance(value, timedelta) else []}
    await night.move(alert_id, **begun)
    await night.move(alert_id, status="active")
    assert await night.tick() == []
    await night.move(alert_id, **ended)
    assert len(await night.tick(MINUTE)) == 1


async def test_the_first_rule_that_reaches_somebody_tells_and_one_that_stops_keeps_later_ones_out(
    api: Api, night: Night, manager: Person, ann: Person, bob: Person
) -> None:
    first = await rule(api, manager, ("USER", ann.id), name="A")
    await rule(api, manager, ("USER", ann.id), ("USER", bob.id), name="B", stops=True)
    last = await rule(api, manager, ("USER", manager.id), name="C")
    alert_id = await night.alert()
    told = {one["user"]["id"]: one["routingRule"]["name"] for one in await night.told(alert_id, manager)}
    assert told == {str(ann.id): "A", str(bob.id): "B"}
    order = {"ids": [last["id"], first["id"]]}
    answer = await api.change("reorderRoutingRules", order, "rules { name position }", who=manager)
    assert [one["name"] for one in answer["rules"]] == ["C", "A", "B"]
    again = await night.alert(title="Once more")
    assert len(await night.told(again, manager)) == 3


async def test_a_private_teams_alerts_are_told_by_its_own_rules_alone(api: Api, night: Night, ann: Person) -> None:
    team = await api.team("Fraud", is_private=True)
    insider = await api.person(Role.OPERATOR, teams=(team,), email="insider@example.com")
    admin = await api.person(Role.ADMIN)
    await rule(api, admin, ("USER", insider.id), name="Everybody's")
    alert_id = await night.alert(team_id=team.id)
    assert await night.told(alert_id, insider) == []
    await rule(api, admin, ("TEAM", team.id), name="Its own", teamId=str(team.id))
    await night.look(alert_id)
    assert len(await night.told(alert_id, insider)) == 1
    hidden = await api.data("{ routingRules { name } }", who=ann)
    assert hidden == {"routingRules": [{"name": "Everybody's"}]}


async def test_a_condition_that_fails_is_passed_over_and_recorded(
    api: Api, night: Night, manager: Person, ann: Person
) -> None:
    await rule(api, manager, ("USER", ann.id), name="Broken", condition="int(alert.title) > 3")
    await rule(api, manager, ("USER", ann.id), name="Works")
    alert_id = await night.alert()
    (told,) = await night.told(alert_id, manager)
    assert told["routingRule"]["name"] == "Works"


async def test_rules_are_checked_and_changed_by_managers_of_the_team(api: Api, manager: Person, ann: Person) -> None:
    team = await api.team("Web")
    lead = await api.person(Role.OPERATOR, email="lead@example.com")
    make = {"name": "Mine", "condition": "alert.nope == 1", "targets": [{"kind": "USER", "id": str(ann.id)}]}
    answer = await api.change("createRoutingRule", make, "rule { id }", who=manager)
    assert answer["__typename"] == "InvalidCondition"
    make["condition"] = "true"
    answer = await api.change("createRoutingRule", make, "rule { id }", who=lead)
    assert answer["__typename"] == "Forbidden"
    answer = await api.change("createRoutingRule", {**make, "targets": []}, "rule { id }", who=manager)
    assert (answer["__typename"], answer["path"]) == ("InvalidInput", ["targets"])
    answer = await api.change("createRoutingRule", {**make, "events": []}, "rule { id }", who=manager)
    assert (answer["__typename"], answer["path"]) == ("InvalidInput", ["events"])
    made = await rule(api, manager, ("USER", ann.id), name="Mine", teamId=str(team.id))
    again = {**make, "teamId": str(team.id)}
    assert (await api.change("createRoutingRule", again, "rule { id }", who=manager))["__typename"] == "AlreadyExists"
    edit = {"id": made["id"], "isEnabled": False, "expectedVersion": 7}
    answer = await api.change("updateRoutingRule", edit, "rule { version }", who=manager)
    assert answer["__typename"] == "StaleVersion"
    answer = await api.change(
        "updateRoutingRule",
        {**edit, "expectedVersion": 1},
        "rule { version isEnabled versions { version } }",
        who=manager,
    )
    assert answer["rule"] == {"version": 2, "isEnabled": False, "versions": [{"version": 2}, {"version": 1}]}
    answer = await api.change("archiveRoutingRule", {"id": made["id"]}, "rule { archivedAt }", who=manager)
    assert answer["rule"]["archivedAt"] is not None
    assert (await api.data("{ routingRules { id } }", who=manager))["routingRules"] == []


async def test_a_rule_this_version_cannot_read_keeps_no_other_waiting_and_many_hold_at_once(
    api: Api, night: Night, manager: Person, ann: Person
) -> None:
    """More decisions in one look than one statement takes parameters."""
    for number in range(20):
        await rule(api, manager, ("USER", ann.id), name=f"R{number}")
    async with night.engine.begin() as connection:
        broken = sa.update(routing_rules).where(routing_rules.c.name == "R0").values(condition="alert.nope")
        await connection.execute(broken)
    ids = [await insert_alert(night.database) for _ in range(160)]
    await night.look(*ids)
    async with night.engine.connect() as connection:
        decided = await connection.scalar(sa.select(sa.func.count()).select_from(routings))
    assert decided == 19 * 160
    assert len(await night.told(str(ids[0]), manager)) == 1, "each is told of once, whatever number of rules hold"


async def test_a_page_that_was_overtaken_on_its_way_is_still_owed(
    api: Api, night: Night, manager: Person, ann: Person, bob: Person
) -> None:
    """Silenced or answered before it left, and neither by the time somebody looks again."""
    await rule(api, manager, ("USER", ann.id))
    alert_id = await night.alert()
    await night.move(alert_id, suppressed_by=[UUID(int=1)])
    assert await night.tick() == []
    (told,) = await night.told(alert_id, ann)
    assert (told["state"], told["problem"]) == ("DROPPED", "the alert is silenced")
    await night.move(alert_id, suppressed_by=[])
    assert len(await night.tick(MINUTE)) == 1
    await night.move(alert_id, status="acknowledged")
    await night.move(alert_id, status="active")
    assert await night.tick(5 * MINUTE) == [], "who was told is not told again: that is for a policy"
    await night.move(alert_id, status="resolved")
    assert len(await night.tick(MINUTE)) == 1
    await night.move(alert_id, status="active", episode=2)
    await night.move(alert_id, status="acknowledged")
    assert await night.tick(5 * MINUTE) == []
    await night.move(alert_id, status="resolved")
    assert await night.tick(5 * MINUTE) == [], "who was told nothing is not told that it is over"


async def test_a_channels_page_that_was_overtaken_on_its_way_is_still_owed(
    api: Api, night: Night, manager: Person
) -> None:
    values = [{"name": "url", "value": "https://hooks.example.com/x"}]
    what = {"name": "Ops", "kind": "SLACK", "values": values}
    channel = (await api.change("createChannel", what, "channel { id }", who=manager))["channel"]
    await rule(api, manager, ("CHANNEL", channel["id"]))
    alert_id = await night.alert()
    await night.move(alert_id, suppressed_by=[UUID(int=1)])
    assert await claim(night.engine, limit=9, now=night.now) == []
    (told,) = await night.told(alert_id, manager)
    assert (told["state"], told["problem"]) == ("DROPPED", "the alert is silenced")
    await night.move(alert_id, suppressed_by=[])
    (told,) = await night.told(alert_id, manager)
    assert (told["state"], told["problem"]) == ("QUEUED", None)
    (claimed,) = await claim(night.engine, limit=9, now=night.now)
    assert str(claimed.channel.id) == channel["id"]
