"""Does a rehearsal answer for an alert there is, for one that might open, and by a policy that is not saved?"""

from typing import Any

import pytest

from domain.identity.model import Role
from tests.api import Api, Person

SIMULATE = """query($severity: Severity, $teamId: ID, $alertId: ID, $simulated: SimulatedAlertInput,
    $draft: EscalationPolicyDraftInput) {
  simulateRouting(severity: $severity, teamId: $teamId, alertId: $alertId, simulated: $simulated, draft: $draft,
      at: "2030-01-07T03:00:00Z") {
    policy { name } round step firesAt reached { user { id } why } } }"""
CONDITION = 'alert.service == "checkout"'


@pytest.fixture
async def policies(api: Api, manager: Person, ann: Person) -> dict[str, str]:
    """One that takes what is critical, and one that a routing rule sets to work for checkout."""
    made = {}
    for name, more in (("Own", {"severities": ["CRITICAL"]}), ("By rule", {"isByRule": True})):
        what = {"name": name, "steps": steps_to(ann), **more}
        found = await api.change("createEscalationPolicy", what, "policy { id }", who=manager)
        made[name] = str(found["policy"]["id"])
    rule = {"name": "Checkout", "condition": CONDITION, "policyId": made["By rule"]}
    await api.change("createRoutingRule", rule, "rule { id }", who=manager)
    return made


def steps_to(person: Person, delay: str = "PT0S") -> list[dict[str, Any]]:
    return [{"delay": delay, "targets": [{"kind": "USER", "id": str(person.id)}]}]


async def told(api: Api, who: Person, **asked: Any) -> list[tuple[str | None, str]]:  # noqa: ANN401 - any argument
    found = (await api.data(SIMULATE, asked, who=who))["simulateRouting"]
    return [(one["policy"] and one["policy"]["name"], one["firesAt"]) for one in found]


async def refused(api: Api, who: Person, **asked: Any) -> tuple[str, list[str]]:  # noqa: ANN401 - any argument
    (error,) = (await api.ask(SIMULATE, asked, who=who))["errors"]
    return error["extensions"]["code"], error["extensions"]["path"]


NIGHT = "2030-01-07T03:00:00Z"


async def test_an_alert_there_is_is_asked_with_the_rules_that_hold_for_it(
    api: Api, manager: Person, ann: Person, policies: dict[str, str]
) -> None:
    what = {"title": "Payments fail", "severity": "CRITICAL", "source": "hand", "serviceName": "checkout"}
    alert = (await api.change("createAlert", what, "alert { id }", who=manager))["alert"]
    assert await told(api, ann, alertId=alert["id"]) == [("Own", NIGHT), ("By rule", NIGHT)]
    # What has become of it since is no reason: the question is who would be reached if nobody answered.
    await api.change("resolveAlert", {"id": alert["id"]}, "alert { id }", who=manager)
    assert await told(api, ann, alertId=alert["id"]) == [("Own", NIGHT), ("By rule", NIGHT)]


async def test_an_alert_that_might_open_is_asked_alike(api: Api, ann: Person, policies: dict[str, str]) -> None:
    assert await told(api, ann, severity="CRITICAL") == [("Own", NIGHT)]
    assert await told(api, ann, simulated={"severity": "LOW", "serviceName": "checkout"}) == [("By rule", NIGHT)]
    assert await told(api, ann, simulated={"severity": "LOW", "serviceName": "search"}) == []


async def test_a_policy_is_left_out_whose_rule_is_not_asked_or_is_of_others(
    api: Api, manager: Person, ann: Person, policies: dict[str, str]
) -> None:
    checkout = {"severity": "LOW", "serviceName": "checkout"}
    team = await api.team("Shop")
    assert await told(api, ann, simulated={**checkout, "teamId": str(team.id)}) == [], "of another team than the policy"
    assert await told(api, ann, simulated=checkout) == [("By rule", NIGHT)]
    targets = [{"kind": "USER", "id": str(ann.id)}]
    first = {"name": "First", "condition": CONDITION, "targets": targets, "stops": True}
    made = await api.change("createRoutingRule", first, "rule { id }", who=manager)
    rules = (await api.data("{ routingRules { id name } }", who=manager))["routingRules"]
    order = [made["rule"]["id"], *(one["id"] for one in rules if one["name"] == "Checkout")]
    await api.change("reorderRoutingRules", {"ids": order}, "rules { id }", who=manager)
    assert await told(api, ann, simulated=checkout) == [], "the rule before it stops"


async def test_a_policy_that_is_not_saved_is_asked_beside_the_others_or_in_the_place_of_one(
    api: Api, manager: Person, ann: Person, policies: dict[str, str]
) -> None:
    draft = {"steps": steps_to(manager, "PT5M"), "repeats": 1}
    late, later = "2030-01-07T03:05:00Z", "2030-01-07T03:10:00Z"
    beside = await told(api, ann, severity="CRITICAL", draft=draft)
    assert beside == [("Own", NIGHT), (None, late), (None, later)]
    instead = {**draft, "replaces": policies["Own"]}
    assert await told(api, ann, severity="CRITICAL", draft=instead) == [(None, late), (None, later)]
    assert await told(api, ann, severity="LOW", draft={**draft, "severities": ["CRITICAL"]}) == []
    # Nothing of it was kept.
    assert await told(api, ann, severity="CRITICAL") == [("Own", NIGHT)]


async def test_what_is_wrong_is_named(api: Api, ann: Person, policies: dict[str, str]) -> None:
    nobody = "01a00000-0000-7000-8000-000000000000"
    assert await refused(api, ann) == ("INVALID_INPUT", ["severity"])
    assert await refused(api, ann, severity="LOW", alertId=nobody) == ("INVALID_INPUT", ["severity"])
    assert await refused(api, ann, alertId=nobody, teamId=nobody) == ("INVALID_INPUT", ["teamId"])
    assert await refused(api, ann, alertId=nobody) == ("NOT_FOUND", ["alertId"])
    empty: dict[str, Any] = {"steps": []}
    assert await refused(api, ann, severity="LOW", draft=empty) == ("INVALID_INPUT", ["draft", "steps"])
    missing = {"steps": [{"delay": "PT0S", "targets": [{"kind": "TEAM", "id": nobody}]}]}
    assert await refused(api, ann, severity="LOW", draft=missing) == ("INVALID_INPUT", ["draft", "steps"])
    other = {"steps": steps_to(ann), "replaces": nobody}
    assert await refused(api, ann, severity="LOW", draft=other) == ("NOT_FOUND", ["draft", "replaces"])


async def test_a_hidden_alert_policy_or_target_looks_like_none(api: Api, ann: Person) -> None:
    """What is out of sight looks like what is not there. API1:2023."""
    secret = await api.team("Secret", is_private=True)
    insider = await api.person(Role.MANAGER, teams=(secret,))
    what = {"name": "P", "steps": steps_to(ann), "teamId": str(secret.id)}
    policy = (await api.change("createEscalationPolicy", what, "policy { id }", who=insider))["policy"]["id"]
    hidden = {"title": "Hidden", "severity": "LOW", "source": "hand", "teamId": str(secret.id)}
    alert = (await api.change("createAlert", hidden, "alert { id }", who=insider))["alert"]["id"]
    assert await told(api, insider, alertId=alert) == [("P", NIGHT)]
    assert await refused(api, ann, alertId=alert) == ("NOT_FOUND", ["alertId"])
    drafts = [
        {"steps": steps_to(ann), "replaces": policy},
        {"steps": [{"delay": "PT0S", "targets": [{"kind": "TEAM", "id": str(secret.id)}]}]},
    ]
    codes = [(await refused(api, ann, severity="LOW", draft=draft))[0] for draft in drafts]
    assert codes == ["NOT_FOUND", "INVALID_INPUT"]
