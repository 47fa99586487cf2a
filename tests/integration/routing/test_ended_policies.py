"""What if a rule names a policy that ends? It does not, or another takes its place, or somebody is told (N1)."""

from typing import Any

import sqlalchemy as sa

from domain.alerts.model import Severity
from domain.identity.model import Role
from persistence.tables import escalation_policies
from tests.api import Api, Person
from tests.integration.routing.night import HOUR, Night, a_group, member, rule

ARCHIVED = "... on ArchiveEscalationPolicySuccess { policy { id } }"
RULES = "{ routingRules { name problem version policy { name } } }"
DECIDED = """query($id: ID!) { alert(id: $id) { escalations { policy { name } }
  decisions { ... on RoutingDecision { note reached } } } }"""


async def policy(api: Api, who: Person, to: Person, name: str, **more: object) -> str:
    steps = [{"delay": "PT0S", "targets": [{"kind": "USER", "id": str(to.id)}]}]
    what = {"name": name, "steps": steps, **more}
    answer = await api.change("createEscalationPolicy", what, "policy { id }", who=who)
    assert answer["__typename"] == "CreateEscalationPolicySuccess", answer
    return str(answer["policy"]["id"])


async def by_rule(api: Api, who: Person, to: Person, name: str, **more: object) -> str:
    return await policy(api, who, to, name, isByRule=True, **more)


async def ended_behind_our_back(night: Night, *policy_ids: str) -> None:
    async with night.engine.begin() as connection:
        mine = escalation_policies.c.id.in_(policy_ids)
        await connection.execute(sa.update(escalation_policies).where(mine).values(archived_at=night.now))


async def decided(api: Api, who: Person, alert_id: str) -> tuple[list[str], list[str | None]]:
    found = (await api.data(DECIDED, {"id": alert_id}, who=who))["alert"]
    notes = [one["note"] for one in found["decisions"] if "note" in one]
    return [one["policy"]["name"] for one in found["escalations"]], notes


async def test_a_policy_that_rules_name_ends_only_with_another_in_its_place(
    api: Api, manager: Person, ann: Person, bob: Person, night: Night
) -> None:
    first, second = await by_rule(api, manager, ann, "First"), await by_rule(api, manager, bob, "Second")
    await rule(api, manager, name="Payments", policyId=first)
    ask: dict[str, Any] = {"id": first, "evenIfItOpensGaps": True}
    refused = await api.change("archiveEscalationPolicy", ask, ARCHIVED, who=manager)
    assert refused["__typename"] == "InvalidInput"
    assert refused["path"] == ["replacementId"]
    assert "1 routing rule names it: “Payments”" in refused["message"]
    for wrong in (first, str(ann.id)):
        answer = await api.change("archiveEscalationPolicy", {**ask, "replacementId": wrong}, ARCHIVED, who=manager)
        assert answer["__typename"] == "InvalidInput"
    done = await api.change("archiveEscalationPolicy", {**ask, "replacementId": second}, ARCHIVED, who=manager)
    assert done["__typename"] == "ArchiveEscalationPolicySuccess"
    (kept,) = (await api.data(RULES, who=manager))["routingRules"]
    assert kept == {"name": "Payments", "problem": None, "version": 2, "policy": {"name": "Second"}}
    alert_id = await night.alert()
    assert await night.tick() == ["bob@example.com [CRITICAL] Payments down (shop)"]
    assert await decided(api, manager, alert_id) == (["Second"], [None])


async def test_what_ended_all_the_same_is_shown_and_another_of_its_team_stands_in(
    api: Api, manager: Person, ann: Person, bob: Person, night: Night
) -> None:
    first = await by_rule(api, manager, ann, "First")
    await by_rule(api, manager, bob, "Second")
    await rule(api, manager, name="Payments", policyId=first)
    await ended_behind_our_back(night, first)
    (shown,) = (await api.data(RULES, who=manager))["routingRules"]
    assert (
        shown["problem"] == "the escalation policy that it names has ended: another of the team is set to work instead"
    )
    alert_id = await night.alert()
    assert await night.tick() == ["bob@example.com [CRITICAL] Payments down (shop)"]
    note = "the policy that it names has ended: “Second” of the same team was set to work instead"
    assert await decided(api, manager, alert_id) == (["Second"], [note])


async def test_where_the_team_has_a_policy_of_its_own_that_tells_of_it(
    api: Api, manager: Person, ann: Person, bob: Person, night: Night
) -> None:
    first = await by_rule(api, manager, ann, "First")
    await policy(api, manager, bob, "Default")
    await rule(api, manager, name="Payments", policyId=first)
    await ended_behind_our_back(night, first)
    alert_id = await night.alert()
    assert await night.tick() == ["bob@example.com [CRITICAL] Payments down (shop)"]
    note = "the policy that it names has ended: “Default” takes the alert by itself"
    assert await decided(api, manager, alert_id) == (["Default"], [note])


async def test_where_nothing_is_left_those_who_manage_it_are_told(
    api: Api, manager: Person, ann: Person, night: Night
) -> None:
    await api.person(Role.ADMIN, email="boss@example.com")
    only = await by_rule(api, manager, ann, "Only")
    await rule(api, manager, name="Payments", policyId=only)
    await ended_behind_our_back(night, only)
    alert_id = await night.alert()
    assert await night.tick() == ["boss@example.com [CRITICAL] Payments down (shop)"]
    note = "the policy that it names has ended, and its team has no other: those who manage it are told"
    assert await decided(api, manager, alert_id) == ([], [note])
    await night.look(alert_id)
    assert await night.tick() == []


async def test_a_policy_that_a_rule_sets_to_work_takes_alerts_of_groups_however_bad_they_are(
    api: Api, night: Night, manager: Person, ann: Person
) -> None:
    named = await policy(api, manager, ann, "Worst", severities=["CRITICAL"])
    await rule(api, manager, name="Payments", policyId=named)
    lone = await night.alert(severity=Severity.LOW)
    assert len(await night.tick()) == 1
    assert await decided(api, manager, lone) == (["Worst"], [None])
    group = await a_group(night)
    await night.look(await member(night, group, Severity.LOW))
    assert len(await night.tick(HOUR)) == 1
