"""People, teams, and what a private team hides (P2, P3)."""

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa

from domain.identity.model import Role
from persistence.tables import audit_log, idempotency_keys
from tests.api import PASSWORD, Api

USER = "user { id email name role team { id name } }"


def new_user(**more: object) -> dict[str, Any]:
    return {"email": "grace@example.com", "password": PASSWORD, "role": "VIEWER", **more}


async def test_an_administrator_lets_a_person_in_and_it_is_on_the_audit_log(api: Api) -> None:
    admin = await api.person(Role.ADMIN)
    made = await api.change("createUser", new_user(firstName=" Grace ", lastName="Hopper"), USER, who=admin)
    assert made["user"]["name"] == "Grace Hopper"
    assert made["user"]["role"] == "VIEWER"
    async with api.engine.connect() as connection:
        entry = (await connection.execute(sa.select(audit_log).where(audit_log.c.action == "createUser"))).one()
    assert (str(entry.target_id), entry.actor_id) == (made["user"]["id"], admin.id)
    assert entry.session_id == admin.session_id
    assert PASSWORD not in repr(entry)


@pytest.mark.parametrize(
    ("what", "path"),
    [
        ({"email": "no address"}, ["email"]),
        ({"email": "a@b@c"}, ["email"]),
        ({"email": "x" * 300 + "@example.com"}, ["email"]),
        ({"email": "a\nb@example.com"}, ["email"]),
        ({"password": "short"}, ["password"]),
        ({"password": "x" * 1025}, ["password"]),
        ({"firstName": "x" * 101}, ["firstName"]),
        ({"lastName": "two\nlines"}, ["lastName"]),
        ({"idempotencyKey": ""}, ["idempotencyKey"]),
        ({"idempotencyKey": "x" * 201}, ["idempotencyKey"]),
    ],
)
async def test_a_bad_value_is_named(api: Api, what: dict[str, Any], path: list[str]) -> None:
    admin = await api.person(Role.ADMIN)
    refused = await api.change("createUser", new_user(**what), USER, who=admin)
    assert (refused["code"], refused["path"]) == ("INVALID_INPUT", path)


async def test_an_address_belongs_to_one_person_however_it_is_written(api: Api) -> None:
    admin = await api.person(Role.ADMIN)
    assert (await api.change("createUser", new_user(), USER, who=admin))["user"]
    again = await api.change("createUser", new_user(email="GRACE@Example.COM"), USER, who=admin)
    assert (again["code"], again["path"]) == ("ALREADY_EXISTS", ["email"])


async def test_a_team_that_is_not_there_cannot_be_joined(api: Api) -> None:
    admin = await api.person(Role.ADMIN)
    for team_id in ("01a20c5a-94e5-7298-974a-3a44fd3ce6dc", "nonsense"):
        refused = await api.change("createUser", new_user(teamId=team_id), USER, who=admin)
        assert (refused["code"], refused["path"]) == ("NOT_FOUND", ["teamId"])


async def test_the_primary_team_makes_a_member(api: Api) -> None:
    admin = await api.person(Role.ADMIN)
    made = await api.change("createTeam", {"name": "Core Infra"}, "team { id slug }", who=admin)
    assert made["team"]["slug"] == "core-infra"
    user = await api.change("createUser", new_user(teamId=made["team"]["id"]), USER, who=admin)
    assert user["user"]["team"]["name"] == "Core Infra"
    (team,) = (await api.data("{ teams { members { role user { email } } } }", who=admin))["teams"]
    assert team["members"] == [{"role": "VIEWER", "user": {"email": "grace@example.com"}}]


@pytest.mark.parametrize(
    ("what", "code", "path"),
    [
        ({"name": " "}, "INVALID_INPUT", ["name"]),
        ({"name": "x" * 101}, "INVALID_INPUT", ["name"]),
        ({"name": "Fine", "slug": "Not a slug"}, "INVALID_INPUT", ["slug"]),
        ({"name": "日本"}, "INVALID_INPUT", ["slug"]),
        ({"name": "TAKEN"}, "ALREADY_EXISTS", ["name"]),
    ],
)
async def test_a_team_needs_a_name_of_its_own(api: Api, what: dict[str, Any], code: str, path: list[str]) -> None:
    manager = await api.person(Role.MANAGER)
    await api.change("createTeam", {"name": "taken"}, "team { id }", who=manager)
    refused = await api.change("createTeam", what, "team { id }", who=manager)
    assert (refused["code"], refused["path"]) == (code, path)


async def test_a_private_team_is_seen_by_its_members_and_administrators_alone(api: Api) -> None:
    public, hidden = await api.team("Public"), await api.team("Hidden", is_private=True)
    admin = await api.person(Role.ADMIN)
    manager = await api.person(Role.MANAGER)
    member = await api.person(Role.VIEWER, teams=(hidden,))
    query = "{ teams { name } }"
    assert [team["name"] for team in (await api.data(query, who=admin))["teams"]] == [hidden.name, public.name]
    assert [team["name"] for team in (await api.data(query, who=member))["teams"]] == [hidden.name, public.name]
    assert [team["name"] for team in (await api.data(query, who=manager))["teams"]] == [public.name]
    # The member's primary team is hidden from whoever may not see it.
    users = "{ users { nodes { id team { name } } } }"
    for who, seen in ((admin, {"name": "Hidden"}), (manager, None)):
        nodes = (await api.data(users, who=who))["users"]["nodes"]
        assert next(node["team"] for node in nodes if node["id"] == str(member.id)) == seen


async def test_joining_a_team_widens_what_is_seen_from_the_next_operation(api: Api) -> None:
    hidden = await api.team("Hidden", is_private=True)
    admin, viewer = await api.person(Role.ADMIN), await api.person(Role.VIEWER)
    assert (await api.data("{ teams { id } }", who=viewer))["teams"] == []
    joined = {"teamId": str(hidden.id), "userId": str(viewer.id)}
    for role in ("OPERATOR", "MANAGER"):
        answer = await api.change("addTeamMember", {**joined, "role": role}, "team { members { role } }", who=admin)
        assert answer["team"]["members"] == [{"role": role}]
    assert (await api.data("{ teams { id } }", who=viewer))["teams"] == [{"id": str(hidden.id)}]


async def test_a_manager_lets_nobody_into_a_private_team_of_others(api: Api) -> None:
    hidden = await api.team("Hidden", is_private=True)
    manager = await api.person(Role.MANAGER)
    joined = {"teamId": str(hidden.id), "userId": str(manager.id)}
    refused = await api.change("addTeamMember", joined, "team { id }", who=manager)
    assert (refused["code"], refused["path"]) == ("NOT_FOUND", ["teamId"])
    assert (await api.data("{ teams { id } }", who=manager))["teams"] == []


async def test_a_manager_who_makes_a_private_team_is_its_first_member(api: Api) -> None:
    manager, viewer = await api.person(Role.MANAGER), await api.person(Role.VIEWER)
    made = await api.change("createTeam", {"name": "Mine", "isPrivate": True}, "team { id }", who=manager)
    joined = {"teamId": made["team"]["id"], "userId": str(viewer.id)}
    answer = await api.change("addTeamMember", joined, "team { members { user { id } } }", who=manager)
    assert [one["user"]["id"] for one in answer["team"]["members"]] == [str(manager.id), str(viewer.id)]


@pytest.mark.parametrize("field", ["teamId", "userId"])
async def test_neither_side_of_a_membership_may_be_missing(api: Api, field: str) -> None:
    team, admin = await api.team("Team"), await api.person(Role.ADMIN)
    what = {"teamId": str(team.id), "userId": str(admin.id), field: "01a20c5a-94e5-7298-974a-3a44fd3ce6dc"}
    refused = await api.change("addTeamMember", what, "team { id }", who=admin)
    assert (refused["code"], refused["path"]) == ("NOT_FOUND", [field])


async def test_the_pages_of_people_join_without_a_gap_both_ways(api: Api) -> None:
    people = [await api.person(Role.VIEWER) for _ in range(7)]
    ids = [str(person.id) for person in people]
    info = "pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }}"
    page = "users({}) {{ nodes {{ id }} edges {{ cursor }} totalCount " + info + " }}"
    seen: list[str] = []
    arguments = "first: 3"
    while True:
        users = (await api.data("{ " + page.format(arguments) + " }", who=people[0]))["users"]
        assert users["totalCount"] == 7
        seen += [node["id"] for node in users["nodes"]]
        if not users["pageInfo"]["hasNextPage"]:
            break
        arguments = f'first: 3, after: "{users["pageInfo"]["endCursor"]}"'
    assert seen == ids
    back = (await api.data("{ " + page.format("last: 3") + " }", who=people[0]))["users"]
    assert [node["id"] for node in back["nodes"]] == ids[-3:]
    assert back["pageInfo"]["hasPreviousPage"] is True
    before = f'last: 3, before: "{back["pageInfo"]["startCursor"]}"'
    earlier = (await api.data("{ " + page.format(before) + " }", who=people[0]))["users"]
    assert [node["id"] for node in earlier["nodes"]] == ids[-6:-3]
    assert earlier["pageInfo"]["hasNextPage"] is True


@pytest.mark.parametrize(
    "arguments",
    ["first: -1", "first: 101", "first: 1, last: 1", 'after: "nonsense"', 'after: "WyJhbGVydHMiLDFd"', 'before: ""'],
)
async def test_a_bad_page_is_refused(api: Api, arguments: str) -> None:
    viewer = await api.person(Role.VIEWER)
    assert await api.code(f"{{ users({arguments}) {{ nodes {{ id }} }} }}", who=viewer) == "INVALID_INPUT"


async def test_people_and_their_teams_cost_a_fixed_number_of_statements(api: Api) -> None:
    team = await api.team("Team")
    viewers = [await api.person(Role.VIEWER, teams=(team,)) for _ in range(12)]
    counted: list[int] = []
    for first in (2, 12):
        query = f"{{ users(first: {first}) {{ nodes {{ id team {{ id members {{ user {{ id }} }} }} }} }} }}"
        counted.append(await statements_of(api, query, viewers[0].token))
    assert counted[0] == counted[1] <= 5


async def statements_of(api: Api, query: str, token: str) -> int:
    count = 0

    def note(*_: object) -> None:
        nonlocal count
        count += 1

    engine = api.state.engine.sync_engine
    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        await api.data(query, who=token)
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
    return count


async def test_the_same_key_finds_what_it_made_and_another_input_is_a_conflict(api: Api) -> None:
    admin, other = await api.person(Role.ADMIN), await api.person(Role.ADMIN)
    what = new_user(idempotencyKey="k1")
    first = await api.change("createUser", what, USER, who=admin)
    second = await api.change("createUser", what, USER, who=admin)
    assert second == first
    changed = await api.change("createUser", {**what, "role": "ADMIN"}, "user { id }", who=admin)
    assert changed["code"] == "IDEMPOTENCY_CONFLICT"
    # The key is the actor's own, and the mutation's.
    assert (await api.change("createUser", what, USER, who=other))["code"] == "ALREADY_EXISTS"
    assert (await api.change("createTeam", {"name": "T", "idempotencyKey": "k1"}, "team { id }", who=admin))["team"]


async def test_of_many_at_once_with_one_key_one_creates(api: Api) -> None:
    admin = await api.person(Role.ADMIN)
    what = {"name": "Once", "idempotencyKey": "k"}
    answers = await asyncio.gather(*(api.change("createTeam", what, "team { id }", who=admin) for _ in range(8)))
    assert len({answer["team"]["id"] for answer in answers}) == 1
    async with api.engine.connect() as connection:
        assert await connection.scalar(sa.text("SELECT count(*) FROM teams")) == 1


async def test_a_key_is_forgotten_after_a_day(api: Api) -> None:
    admin = await api.person(Role.ADMIN)
    await api.change("createTeam", {"name": "One", "idempotencyKey": "k"}, "team { id }", who=admin)
    async with api.engine.begin() as connection:
        await connection.execute(sa.text("UPDATE idempotency_keys SET created_at = created_at - interval '1 day'"))
    made = await api.change("createTeam", {"name": "Two", "idempotencyKey": "k"}, "team { name }", who=admin)
    assert made["team"]["name"] == "Two"


async def test_a_refused_creation_does_not_use_up_its_key(api: Api) -> None:
    admin = await api.person(Role.ADMIN)
    await api.team("Taken")
    refused = await api.change("createTeam", {"name": "Taken", "idempotencyKey": "k"}, "team { id }", who=admin)
    assert refused["code"] == "ALREADY_EXISTS"
    async with api.engine.connect() as connection:
        assert await connection.scalar(sa.select(sa.func.count()).select_from(idempotency_keys)) == 0


async def test_the_server_tells_strangers_its_version_and_people_its_features(api: Api) -> None:
    query = "{ serverInfo { version features { name enabled detail } } }"
    assert (await api.data(query))["serverInfo"]["features"] == []
    viewer = await api.person(Role.VIEWER)
    features = {row["name"]: row for row in (await api.data(query, who=viewer))["serverInfo"]["features"]}
    assert features["search"]["detail"] == "postgresql"
    assert features["redis"]["enabled"] is False
