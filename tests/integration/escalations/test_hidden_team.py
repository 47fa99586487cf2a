"""What a private team does about its alerts is its own, also when an alert or a public policy leads to it."""

from datetime import timedelta
from typing import Any

import pytest

from domain.identity.model import Role, Team
from tests.api import Api, Person
from tests.integration.escalations.night import Night
from tests.integration.escalations.test_rehearsal import step

TOLD = """query($id: ID!) { alert(id: $id) {
  escalations { state policy { name } steps { delay } }
  notifications { kind why user { id } } } }"""
SIMULATE = """{ simulateRouting(severity: CRITICAL) {
  policy { name }
  reached { user { id } channel { id } why } } }"""
COVERAGE = "{ escalationCoverage { holes { startsAt } worst unverified { id } } }"


@pytest.fixture
async def vault(api: Api) -> Team:
    return await api.team("Vault", is_private=True)


@pytest.fixture
async def keeper(api: Api, vault: Team) -> Person:
    return await api.person(Role.MANAGER, teams=(vault,))


@pytest.fixture
async def outsider(api: Api) -> Person:
    return await api.person(Role.MANAGER)


async def schedule(api: Api, who: Person, **more: object) -> str:
    layer = {"participantIds": [str(who.id)], "startsAt": "2020-01-06T00:00", "unit": "WEEK"}
    what = {"name": "Safe crackers", "timeZone": "UTC", "layers": [layer], **more}
    made = await api.change("createSchedule", what, "schedule { id }", who=who)
    return str(made["schedule"]["id"])


async def policy(api: Api, who: Person, *steps: dict[str, Any], **more: object) -> None:
    what = {"name": "Night shift", "steps": list(steps), **more}
    made = await api.change("createEscalationPolicy", what, "policy { id }", who=who)
    assert made["__typename"] == "CreateEscalationPolicySuccess", made


async def test_an_alert_that_went_public_does_not_tell_whom_a_private_team_wakes(
    api: Api, night: Night, vault: Team, keeper: Person, outsider: Person
) -> None:
    """API1:2023, API3:2023: the steps, and the reason of a notification, name what its readers may not see."""
    schedule_id = await schedule(api, keeper, teamId=str(vault.id))
    steps = [step("PT0S", "TEAM", vault.id), step("PT10M", "SCHEDULE", schedule_id), step("PT10M", "USER", keeper.id)]
    await policy(api, keeper, *steps, teamId=str(vault.id))
    alert_id = await night.alert(team_id=vault.id)
    await night.tick()
    await night.tick(timedelta(minutes=10))
    await night.move(alert_id, team_id=None)
    out, inn = [(await api.data(TOLD, {"id": alert_id}, who=who))["alert"] for who in (outsider, keeper)]
    assert [one["why"] for one in inn["notifications"]] == [
        "step 1: you are in the team Vault",
        "step 2: you are on call by the schedule Safe crackers",
    ]
    assert [one["policy"]["name"] for one in inn["escalations"]] == ["Night shift"]
    assert [len(one["steps"]) for one in inn["escalations"]] == [3]
    assert [one["why"] for one in out["notifications"]] == [
        "step 1 of a policy that you may not see",
        "step 2 of a policy that you may not see",
    ]
    assert [(one["policy"], one["steps"]) for one in out["escalations"]] == [(None, [])]


async def test_a_public_policy_does_not_name_the_members_of_a_private_team(
    api: Api, night: Night, vault: Team, keeper: Person, outsider: Person
) -> None:
    """API1:2023: what may be rehearsed by everybody shows of a hidden team that somebody is reached, and not who."""
    schedule_id = await schedule(api, keeper, teamId=str(vault.id))
    steps = [step("PT0S", "TEAM", vault.id), step("PT10M", "SCHEDULE", schedule_id)]
    steps[1]["targets"] += step("PT0S", "USER", outsider.id)["targets"]
    await policy(api, keeper, *steps)
    inn = (await api.data(SIMULATE, who=keeper))["simulateRouting"]
    assert [[(who["user"]["id"], who["why"]) for who in one["reached"]] for one in inn] == [
        [(str(keeper.id), "you are in the team Vault")],
        [
            (str(keeper.id), "you are on call by the schedule Safe crackers"),
            (str(outsider.id), "you are named by it"),
        ],
    ]
    answer = await api.data(SIMULATE, who=outsider)
    nobody = {"user": None, "channel": None, "why": "a team, schedule or channel that you may not see reaches somebody"}
    named = {"user": {"id": str(outsider.id)}, "channel": None, "why": "you are named by it"}
    assert [one["reached"] for one in answer["simulateRouting"]] == [[nobody], [named, nobody]]
    covered = await api.data(COVERAGE, who=outsider)
    assert covered["escalationCoverage"] == [{"holes": [], "worst": None, "unverified": [{"id": str(outsider.id)}]}]
    alert_id = await night.alert()
    await night.tick()
    told = (await api.data(TOLD, {"id": alert_id}, who=outsider))["alert"]
    assert [one["why"] for one in told["notifications"]] == [
        "step 1, by a team, schedule or channel that you may not see"
    ]
    for hidden in ("Vault", "Safe crackers", str(vault.id), schedule_id):
        assert hidden not in str([answer, told, covered])
    assert str(keeper.id) not in str([answer, covered])


async def test_administrators_see_all_of_it(api: Api, vault: Team, keeper: Person) -> None:
    await policy(api, keeper, step("PT0S", "TEAM", vault.id))
    admin = await api.person(Role.ADMIN)
    (found,) = (await api.data(SIMULATE, who=admin))["simulateRouting"]
    assert found["reached"][0]["why"] == "you are in the team Vault"
