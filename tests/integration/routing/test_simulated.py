"""Does what is asked beforehand come to what would happen? For any alert and moment, also for a rule not yet saved."""

from datetime import UTC, datetime, timedelta
from typing import Any

from domain.alerts.model import Severity
from domain.identity.model import Role
from tests.api import Api, Person
from tests.integration.routing.night import Night, rule

SIMULATE = """query($alertId: ID, $simulated: SimulatedAlertInput, $event: RoutedEvent! = OPENED, $at: DateTime,
    $draft: RoutingDraftInput) {
  simulateRoutingRules(alertId: $alertId, simulated: $simulated, event: $event, at: $at, draft: $draft) {
    rule { name } answer failure reached { user { id } why messages { contactKind at held } } } }"""


async def ask(api: Api, who: Person, **given: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - of any argument
    found: list[dict[str, Any]] = (await api.data(SIMULATE, given, who=who))["simulateRoutingRules"]
    return found


async def test_what_is_simulated_is_what_happens(api: Api, night: Night, manager: Person, ann: Person) -> None:
    await rule(api, manager, ("USER", ann.id), name="Broken", condition="int(alert.title) > 3")
    await rule(api, manager, ("USER", ann.id), name="Shop", condition='alert.service == "shop"', stops=True)
    await rule(api, manager, ("USER", manager.id), name="Rest")
    await rule(api, manager, ("USER", manager.id), name="Ended", events=["RESOLVED"])
    alert_id = await night.alert()
    of_alert = await ask(api, manager, alertId=alert_id)
    simulated = {"severity": "CRITICAL", "title": "Payments down", "serviceName": "shop"}
    assert await ask(api, manager, simulated=simulated, at=night.now.isoformat()) == await ask(
        api, manager, alertId=alert_id, at=night.now.isoformat()
    )
    assert [(one["rule"]["name"], one["answer"]) for one in of_alert] == [
        ("Broken", "FAILED"),
        ("Shop", "HOLDS"),
        ("Rest", "STOPPED"),
        ("Ended", "OTHER_EVENT"),
    ]
    (reached,) = of_alert[1]["reached"]
    assert (reached["user"]["id"], reached["why"]) == (str(ann.id), "you are named by it")
    assert [one["user"]["id"] for one in await night.told(alert_id, manager)] == [str(ann.id)]
    other = {"simulated": {"severity": "LOW", "serviceName": "web", "labels": {"env": "prod"}}}
    assert [one["answer"] for one in await ask(api, manager, **other)][1:3] == ["DOES_NOT_HOLD", "HOLDS"]


async def test_a_draft_is_asked_last_and_quiet_hours_of_the_team_count(api: Api, manager: Person, ann: Person) -> None:
    team = await api.team("Web")
    quiet = {"starts": "22:00:00", "ends": "07:00:00", "zone": "Europe/Berlin", "floor": "HIGH"}
    made = {"teamId": str(team.id), "quietHours": quiet}
    answer = await api.change("setTeamQuietHours", made, "teamQuietHours { version team { name } }", who=manager)
    assert answer["teamQuietHours"] == {"version": 1, "team": {"name": "Web"}}
    targets = [{"kind": "USER", "id": str(manager.id)}]
    draft = {"teamId": str(team.id), "condition": 'alert.labels.env == "prod"', "targets": targets}
    simulated = {"severity": "LOW", "teamId": str(team.id), "labels": {"env": "prod"}}
    asked = {"simulated": simulated, "draft": draft}
    night = datetime(2030, 1, 7, 23, 30, tzinfo=UTC)
    (found,) = await ask(api, manager, at=night.isoformat(), **asked)
    assert (found["rule"], found["answer"]) == (None, "HOLDS")
    (message,) = found["reached"][0]["messages"]
    assert message["at"] == "2030-01-08T06:00:00Z"
    assert message["held"] == "held by the team's quiet hours until 07:00 Europe/Berlin: low is below high"
    (found,) = await ask(api, manager, at=(night + timedelta(hours=8)).isoformat(), **asked)
    assert found["reached"][0]["messages"][0]["held"] is None
    assert (await ask(api, ann, at=night.isoformat(), **asked))[0]["reached"][0]["messages"] is None


async def test_what_is_hidden_can_be_asked_of_by_nobody(api: Api, night: Night, ann: Person) -> None:
    """Object level authorisation. API1:2023."""
    team = await api.team("Fraud", is_private=True)
    insider = await api.person(Role.OPERATOR, teams=(team,))
    hidden = await night.alert(team_id=team.id, severity=Severity.LOW)
    draft = {"condition": "true", "targets": [{"kind": "TEAM", "id": str(team.id)}]}
    low = {"severity": "LOW"}
    for given in (
        {"alertId": hidden},
        {"simulated": {**low, "teamId": str(team.id)}},
        {"simulated": low, "draft": draft},
        {"simulated": low, "draft": {**draft, "targets": [], "condition": "nope"}},
        {"simulated": {**low, "labels": {"a": 1}}},
        {},
    ):
        assert await api.code(SIMULATE, given, who=ann) in {"NOT_FOUND", "INVALID_INPUT", "INVALID_CONDITION"}, given
    assert (await ask(api, insider, simulated=low, draft=draft))[-1]["answer"] == "HOLDS"


async def test_what_is_wrong_with_a_draft_is_named(api: Api, manager: Person) -> None:
    draft = {"condition": "alert.servce == 'shop'", "targets": [{"kind": "USER", "id": str(manager.id)}]}
    for change, path in (
        ({}, ["draft", "condition"]),
        ({"condition": None}, ["draft", "condition"]),
        ({"condition": "true", "targets": []}, ["draft", "targets"]),
        ({"condition": "true", "targets": [{"kind": "USER", "id": "nobody"}]}, ["draft", "targets", "0"]),
    ):
        given = {"simulated": {"severity": "HIGH"}, "draft": {**draft, **change}}
        (error,) = (await api.ask(SIMULATE, given, who=manager))["errors"]
        assert (error["extensions"]["code"], error["extensions"]["path"]) == ("INVALID_INPUT", path)
    far = {"simulated": {"severity": "HIGH"}, "at": "9999-12-31T23:59:59Z"}
    (error,) = (await api.ask(SIMULATE, far, who=manager))["errors"]
    assert (error["extensions"]["code"], error["extensions"]["path"]) == ("INVALID_INPUT", ["at"])
