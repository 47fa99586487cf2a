"""Does an alert stay somebody's who cannot see it any more? It would look taken care of (API1:2023; P2, P3)."""

import pytest
import sqlalchemy as sa

from domain.identity.model import Role, Team
from jobs.due import release_unseen_alerts
from persistence.tables import OPEN
from tests.api import Api, Person
from tests.integration.teams.ways import member

SHOWN = """query($id: ID!) { alert(id: $id) {
  assignedTo { id } timeline { nodes { kind reason actor { __typename } changes { field after } } } } }"""


async def given(api: Api, by: Person, to: Person, team: Team | None) -> str:
    what = {"title": "Disk full", "severity": "HIGH", "teamId": None if team is None else str(team.id)}
    alert_id = str((await api.change("createAlert", what, "alert { id }", who=by))["alert"]["id"])
    answer = await api.change("assignAlert", {"id": alert_id, "assigneeId": str(to.id)}, "alert { id }", who=by)
    assert answer["__typename"] == "AssignAlertSuccess", answer
    return alert_id


async def release(api: Api) -> int:
    return await release_unseen_alerts(api.engine, api.settings, api.clock.now())


async def owner(api: Api, alert_id: str, who: Person) -> str | None:
    found = (await api.data(SHOWN, {"id": alert_id}, who=who))["alert"]["assignedTo"]
    return None if found is None else str(found["id"])


async def test_who_left_a_private_team_keeps_none_of_its_alerts(
    api: Api, admin: Person, keeper: Person, vault: Team
) -> None:
    leaver = await member(api, admin, vault, Role.OPERATOR, Role.OPERATOR)
    hidden, seen = await given(api, keeper, leaver, vault), await given(api, keeper, leaver, None)
    kept = await given(api, keeper, keeper, vault)
    over = await given(api, keeper, leaver, vault)
    await api.change("resolveAlert", {"id": over}, "alert { id }", who=leaver)
    assert await release(api) == 0
    await api.change("removeTeamMember", {"teamId": str(vault.id), "userId": str(leaver.id)}, "teamId", who=keeper)
    assert await release(api) == 1
    assert await release(api) == 0, "once"
    assert [await owner(api, one, keeper) for one in (hidden, seen, kept, over)] == [
        None,
        str(leaver.id),
        str(keeper.id),
        str(leaver.id),
    ]
    told = (await api.data(SHOWN, {"id": hidden}, who=keeper))["alert"]["timeline"]["nodes"][-1]
    assert told == {
        "kind": "ASSIGNED",
        "reason": "the person may no longer see the alert, or no longer sign in",
        "actor": {"__typename": "SystemActor"},
        "changes": [{"field": "assignedTo", "after": None}],
    }


async def test_a_team_that_closes_its_door_takes_its_alerts_from_outsiders(api: Api, admin: Person) -> None:
    team = await api.team("Payments")
    lead = await member(api, admin, team, Role.OPERATOR, Role.MANAGER)
    outsider = await api.person(Role.OPERATOR)
    alert_id = await given(api, lead, outsider, team)
    await api.change("updateTeam", {"id": str(team.id), "isPrivate": True}, "team { id }", who=lead)
    assert await release(api) == 1
    assert await owner(api, alert_id, lead) is None


@pytest.mark.parametrize("how", ["deactivated", "erased", "demoted"])
async def test_who_goes_leaves_nothing_that_looks_taken_care_of(
    api: Api, admin: Person, keeper: Person, vault: Team, how: str
) -> None:
    person = await api.person(Role.ADMIN)
    alert_id = await given(api, keeper, person, vault)
    if how == "deactivated":
        done = await api.change("deactivateUser", {"id": str(person.id)}, "__typename", who=admin)
    elif how == "erased":
        what = {"userId": str(person.id), "confirmEmail": person.email}
        done = await api.change("eraseUser", what, "__typename", who=admin)
    else:
        done = await api.change("changeUserRole", {"id": str(person.id), "role": "MANAGER"}, "__typename", who=admin)
    assert done["__typename"].endswith("Success"), done
    assert await release(api) == 1
    assert await owner(api, alert_id, keeper) is None


async def test_it_costs_nothing_that_grows_with_the_past(api: Api) -> None:
    """The look is by an index of what is open and somebody's, not over every alert that ever was."""
    async with api.engine.connect() as connection:
        await connection.execute(sa.text("SET LOCAL enable_seqscan = off"))
        statement = f"EXPLAIN SELECT id FROM alerts WHERE assigned_to IS NOT NULL AND {OPEN}"
        plan = "\n".join(await connection.scalars(sa.text(statement)))
    assert "ix_alerts_open_assigned_to" in plan, plan
