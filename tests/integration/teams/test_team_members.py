"""Who may let people in, give them roles and take them out; and who is left when somebody goes (P2, P3)?"""

from typing import Any

import pytest

from domain.identity.model import Role, Team
from tests.api import Api, Person
from tests.integration.teams.ways import member

MEMBERS = "team { members { role user { id } } }"


async def add(api: Api, who: Person, team: Team, user: Person, role: Role) -> dict[str, Any]:
    what = {"teamId": str(team.id), "userId": str(user.id), "role": role.name}
    return await api.change("addTeamMember", what, MEMBERS, who=who)


async def give(api: Api, who: Person, team: Team, user: Person, role: Role) -> dict[str, Any]:
    what = {"teamId": str(team.id), "userId": str(user.id), "role": role.name}
    return await api.change("changeTeamRole", what, MEMBERS, who=who)


async def remove(api: Api, who: Person, team: Team, user: Person) -> dict[str, Any]:
    what = {"teamId": str(team.id), "userId": str(user.id)}
    return await api.change("removeTeamMember", what, "teamId userId", who=who)


async def test_a_manager_within_the_team_lets_people_in_and_takes_them_out(api: Api, admin: Person) -> None:
    team = await api.team("Vault", is_private=True)
    lead = await member(api, admin, team, Role.VIEWER, Role.MANAGER)
    person = await api.person(Role.VIEWER)
    joined = await add(api, lead, team, person, Role.OPERATOR)
    assert [one["role"] for one in joined["team"]["members"]] == ["MANAGER", "OPERATOR"]
    changed = await give(api, lead, team, person, Role.VIEWER)
    assert [one["role"] for one in changed["team"]["members"]] == ["MANAGER", "VIEWER"]
    assert await remove(api, lead, team, person) == {
        "__typename": "RemoveTeamMemberSuccess",
        "teamId": str(team.id),
        "userId": str(person.id),
    }
    assert (await api.data("{ teams { id } }", who=person))["teams"] == []


async def test_nobody_gives_more_than_they_have_there_nor_takes_it(api: Api, admin: Person) -> None:
    team = await api.team("Payments")
    lead = await member(api, admin, team, Role.VIEWER, Role.MANAGER)
    boss = await member(api, admin, team, Role.VIEWER, Role.ADMIN)
    person = await member(api, admin, team, Role.VIEWER, Role.OPERATOR)
    for refused in (
        await add(api, lead, team, await api.person(Role.VIEWER), Role.ADMIN),
        await give(api, lead, team, person, Role.ADMIN),
        await give(api, lead, team, lead, Role.ADMIN),
        await give(api, lead, team, boss, Role.VIEWER),
        await add(api, lead, team, boss, Role.VIEWER),
        await remove(api, lead, team, boss),
        await remove(api, person, team, lead),
        await give(api, person, team, person, Role.MANAGER),
    ):
        assert refused["code"] == "FORBIDDEN"
    assert (await give(api, boss, team, person, Role.ADMIN))["__typename"] == "ChangeTeamRoleSuccess"


async def test_a_private_team_without_such_a_member_keeps_nobody_in(api: Api, admin: Person) -> None:
    team = await api.team("Vault", is_private=True)
    person = await member(api, admin, team, Role.VIEWER, Role.VIEWER)
    assert (await remove(api, person, team, person))["__typename"] == "RemoveTeamMemberSuccess"


async def test_everybody_may_leave(api: Api, admin: Person) -> None:
    team = await api.team("Payments")
    for role in (Role.VIEWER, Role.OPERATOR, Role.MANAGER):
        person = await member(api, admin, team, Role.VIEWER, role)
        assert (await remove(api, person, team, person))["userId"] == str(person.id)


async def test_a_private_team_keeps_somebody_who_can_open_its_door(api: Api, admin: Person) -> None:
    team = await api.team("Vault", is_private=True)
    lead = await member(api, admin, team, Role.VIEWER, Role.MANAGER)
    for refused in (
        await remove(api, lead, team, lead),
        await give(api, lead, team, lead, Role.VIEWER),
        await add(api, admin, team, lead, Role.OPERATOR),
    ):
        assert (refused["code"], refused["path"]) == ("INVALID_INPUT", ["userId"])
    await member(api, admin, team, Role.MANAGER, Role.VIEWER)
    assert (await remove(api, lead, team, lead))["__typename"] == "RemoveTeamMemberSuccess"


@pytest.mark.parametrize("field", ["changeTeamRole", "removeTeamMember"])
async def test_who_is_no_member_is_named(api: Api, admin: Person, field: str) -> None:
    team, person = await api.team("Payments"), await api.person(Role.VIEWER)
    what = {"teamId": str(team.id), "userId": str(person.id)} | (
        {"role": "VIEWER"} if field == "changeTeamRole" else {}
    )
    for who in (str(person.id), "nonsense"):
        refused = await api.change(field, {**what, "userId": who}, "__typename", who=admin)
        assert (refused["code"], refused["path"]) == ("NOT_FOUND", ["userId"])


async def test_who_leaves_the_primary_team_gets_the_oldest_other_one(api: Api, admin: Person) -> None:
    first, second = await api.team("First"), await api.team("Second")
    person = await member(api, admin, first, Role.VIEWER, Role.VIEWER)
    await add(api, admin, second, person, Role.VIEWER)
    query = "{ me { team { name } } }"
    assert (await api.data(query, who=person))["me"]["team"] == {"name": "First"}
    await remove(api, person, first, person)
    assert (await api.data(query, who=person))["me"]["team"] == {"name": "Second"}
    await remove(api, person, second, person)
    assert (await api.data(query, who=person))["me"]["team"] is None


async def test_who_may_not_sign_in_is_not_let_in(api: Api, admin: Person) -> None:
    team, person = await api.team("Payments"), await api.person(Role.VIEWER)
    async with api.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE users SET is_active = false WHERE role = 'viewer'")
    refused = await add(api, admin, team, person, Role.VIEWER)
    assert (refused["code"], refused["path"]) == ("NOT_FOUND", ["userId"])
