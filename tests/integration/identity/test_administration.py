"""What administrators do about people, over the API and a real database: invite, edit, roles, sending away (P1, P2)."""

import asyncio
from typing import Any

import sqlalchemy as sa

from domain.identity.model import Role
from persistence.tables import audit_log
from tests.accounts import GOOD, Mailboxes
from tests.api import Api, Person

ADA = "ada@example.com"
USER = "user { id role isActive version team { name } }"


async def invite(api: Api, who: Person, **more: object) -> dict[str, Any]:
    what = {"email": ADA, "role": "OPERATOR", **more}
    return await api.change("inviteUser", what, "invitation { id email role team { name } }", who=who)


async def accept(api: Api, token: str, **more: str) -> dict[str, Any]:
    return await api.change("acceptInvitation", {"token": token, "password": GOOD, **more}, "email", who=None)


async def test_an_invited_person_comes_in(api: Api, admin: Person, mail: Mailboxes) -> None:
    team = await api.team("Core")
    made = await invite(api, admin, teamId=str(team.id), firstName="Ada")
    assert made["invitation"]["team"] == {"name": "Core"}
    query = "{ invitations { totalCount nodes { email invitedBy { id } } } }"
    listed = (await api.data(query, who=admin))["invitations"]
    assert listed == {"totalCount": 1, "nodes": [{"email": ADA, "invitedBy": {"id": str(admin.id)}}]}
    assert (await accept(api, await mail.token(), lastName="Lovelace"))["email"] == ADA
    assert (await api.data(query, who=admin))["invitations"]["nodes"] == []
    signed_in = await api.change(
        "login", {"email": ADA, "password": GOOD}, "user { name role team { name } emailVerified }", who=None
    )
    assert signed_in["user"] == {
        "name": "Ada Lovelace",
        "role": "OPERATOR",
        "team": {"name": "Core"},
        "emailVerified": True,
    }


async def test_of_many_who_accept_at_once_one_comes_in(api: Api, admin: Person, mail: Mailboxes) -> None:
    await invite(api, admin)
    token = await mail.token()
    answers = await asyncio.gather(*(accept(api, token) for _ in range(6)))
    assert sum("email" in answer for answer in answers) == 1
    assert {answer.get("code") for answer in answers} == {None, "INVALID_LINK"}


async def test_the_same_key_invites_once_and_never_shows_the_link(api: Api, admin: Person, mail: Mailboxes) -> None:
    first = await invite(api, admin, idempotencyKey="k")
    second = await invite(api, admin, idempotencyKey="k")
    assert first == second
    token = await mail.token()
    assert token not in repr(first)
    await accept(api, token)
    assert (await invite(api, admin, idempotencyKey="k"))["invitation"] is None


async def test_an_invitation_is_taken_back_and_a_newer_one_replaces_the_older(
    api: Api, admin: Person, mail: Mailboxes
) -> None:
    await invite(api, admin)
    first = await mail.token()
    made = await invite(api, admin, role="VIEWER")
    second = await mail.token()
    assert (await accept(api, first))["code"] == "INVALID_LINK"
    gone = await api.change("revokeInvitation", {"id": made["invitation"]["id"]}, "id", who=admin)
    assert gone["id"] == made["invitation"]["id"]
    assert (await accept(api, second))["code"] == "INVALID_LINK"
    again = await api.change("revokeInvitation", {"id": made["invitation"]["id"]}, "id", who=admin)
    assert again["code"] == "NOT_FOUND"


async def test_only_administrators_invite_edit_and_send_away(api: Api, admin: Person) -> None:
    """Broken function level authorization (API5:2023)."""
    manager = await api.person(Role.MANAGER)
    assert (await invite(api, manager))["code"] == "FORBIDDEN"
    for field, what in (
        ("updateUser", {"firstName": "X"}),
        ("changeUserRole", {"role": "ADMIN"}),
        ("deactivateUser", {}),
        ("reactivateUser", {}),
    ):
        answer = await api.change(field, {"id": str(manager.id), **what}, USER, who=manager)
        assert answer["code"] == "FORBIDDEN", field


async def test_a_primary_team_takes_no_role_in_it_away(api: Api, admin: Person) -> None:
    team = await api.team("Core")
    person = await api.person(Role.VIEWER)
    lead = {"teamId": str(team.id), "userId": str(person.id), "role": "MANAGER"}
    assert (await api.change("addTeamMember", lead, "__typename", who=admin))["__typename"] == "AddTeamMemberSuccess"
    for team_id in (None, str(team.id)):
        await api.change("updateUser", {"id": str(person.id), "teamId": team_id}, USER, who=admin)
    members = (await api.data("{ teams { members { role user { id } } } }", who=admin))["teams"][0]["members"]
    assert members == [{"role": "MANAGER", "user": {"id": str(person.id)}}]


async def test_a_person_is_edited_by_version(api: Api, admin: Person) -> None:
    person, team = await api.person(Role.VIEWER), await api.team("Core")
    what = {"id": str(person.id), "firstName": "Grace", "teamId": str(team.id), "expectedVersion": 1}
    edited = await api.change("updateUser", what, "user { name version team { name } }", who=admin)
    assert edited["user"] == {"name": "Grace", "version": 2, "team": {"name": "Core"}}
    assert (await api.change("updateUser", what, USER, who=admin))["code"] == "STALE_VERSION"
    team_query = "{ teams { members { user { id } } } }"
    assert (await api.data(team_query, who=admin))["teams"][0]["members"] == [{"user": {"id": str(person.id)}}]
    none = await api.change("updateUser", {"id": str(person.id), "teamId": None}, USER, who=admin)
    assert none["user"]["team"] is None
    missing = "01a20c5a-94e5-7298-974a-3a44fd3ce6dc"
    for bad in ({"id": missing}, {"id": "nonsense"}, {"id": str(person.id), "teamId": missing}):
        assert (await api.change("updateUser", bad, USER, who=admin))["code"] == "NOT_FOUND"
    async with api.engine.connect() as connection:
        entries = (await connection.execute(sa.select(audit_log).where(audit_log.c.action == "updateUser"))).all()
    assert entries[0].after == {"teamId": str(team.id), "nameChanged": True}
    assert "Grace" not in repr(entries)


async def test_a_role_counts_from_the_next_request_and_is_told(api: Api, admin: Person, mail: Mailboxes) -> None:
    person = await api.person(Role.VIEWER)
    what = {"id": str(person.id), "role": "MANAGER"}
    team = {"name": "Mine"}
    assert (await api.change("createTeam", team, "team { id }", who=person))["code"] == "FORBIDDEN"
    assert (await api.change("changeUserRole", what, USER, who=admin))["user"]["role"] == "MANAGER"
    assert (await api.change("createTeam", team, "team { id }", who=person))["team"]
    sent = await mail.one()
    assert (sent.to, sent.subject) == (person.email, "Tocsin: your role was changed")


async def test_whoever_is_sent_away_is_out_at_once_and_may_come_back(api: Api, admin: Person) -> None:
    person = await api.person(Role.OPERATOR)
    sent_away = await api.change("deactivateUser", {"id": str(person.id)}, USER, who=admin)
    assert sent_away["user"]["isActive"] is False
    assert await api.code("{ users { nodes { id } } }", who=person) == "UNAUTHENTICATED"
    back = await api.change("reactivateUser", {"id": str(person.id)}, USER, who=admin)
    assert back["user"]["isActive"] is True
    # The sessions of before stay ended.
    assert await api.code("{ users { nodes { id } } }", who=person) == "UNAUTHENTICATED"


async def test_the_last_administrator_stays_however_many_try_at_once(api: Api) -> None:
    """Race on a limit (ASVS 15.4): of two who take each other away, one is refused."""
    for field, what in (("deactivateUser", {}), ("changeUserRole", {"role": "VIEWER"})) * 3:
        first, second = await api.person(Role.ADMIN), await api.person(Role.ADMIN)
        async with api.engine.begin() as connection:
            others = sa.text("UPDATE users SET role = 'viewer' WHERE role = 'admin' AND id NOT IN (:a, :b)")
            await connection.execute(others.bindparams(a=first.id, b=second.id))
        answers = await asyncio.gather(
            api.change(field, {"id": str(second.id), **what}, USER, who=first),
            api.change(field, {"id": str(first.id), **what}, USER, who=second),
            return_exceptions=True,
        )
        codes = [answer.get("code", "done") if isinstance(answer, dict) else "ended" for answer in answers]
        assert codes.count("done") == 1, codes
        async with api.engine.connect() as connection:
            left = sa.text("SELECT count(*) FROM users WHERE role = 'admin' AND is_active")
            assert await connection.scalar(left) == 1


async def test_an_administrator_alone_cannot_leave(api: Api, admin: Person) -> None:
    for field, what in (("deactivateUser", {}), ("changeUserRole", {"role": "MANAGER"})):
        answer = await api.change(field, {"id": str(admin.id), **what}, USER, who=admin)
        assert answer["code"] == "LAST_ADMINISTRATOR"
    other = await api.person(Role.ADMIN)
    assert (await api.change("changeUserRole", {"id": str(admin.id), "role": "VIEWER"}, USER, who=other))["user"]


async def found(api: Api, who: Person, filter_: str, arguments: str = "") -> list[str]:
    query = f"{{ users(filter: {{{filter_}}}{arguments}) {{ nodes {{ id }} totalCount }} }}"
    return [node["id"] for node in (await api.data(query, who=who))["users"]["nodes"]]


async def test_people_are_found_by_address_name_role_team_and_activity(api: Api, admin: Person) -> None:
    hidden = await api.team("Hidden", is_private=True)
    ada = await api.person(Role.OPERATOR, email=ADA)
    grace = await api.person(Role.VIEWER, teams=(hidden,))
    for person, first, last in ((ada, "Augusta Ada", "King-Lovelace"), (grace, "Grace", "Hopper")):
        await api.change("updateUser", {"id": str(person.id), "firstName": first, "lastName": last}, USER, who=admin)
    await api.change("deactivateUser", {"id": str(grace.id)}, USER, who=admin)
    for filter_, expected in (
        ('search: "ADA@example.com"', [ada]),
        ('search: "ada@example"', []),
        ('search: "ad"', [ada]),
        ('search: "love aug"', [ada]),
        ('search: "ovelace"', []),
        ('search: "gr hop"', [grace]),
        ("role: OPERATOR", [ada]),
        ("isActive: false", [grace]),
        (f'teamId: "{hidden.id}"', [grace]),
        (f'teamId: "{hidden.id}", isActive: true', []),
        ('teamId: "nonsense"', []),
        ('search: " "', [admin, ada, grace]),
    ):
        assert await found(api, admin, filter_) == [str(one.id) for one in expected], filter_
    # Who may not see a private team does not learn who is in it.
    assert await found(api, ada, f'teamId: "{hidden.id}"') == []
    one = await api.data(f'{{ user(id: "{grace.id}") {{ name isActive }} }}', who=ada)
    assert one["user"] == {"name": "Grace Hopper", "isActive": False}
    assert (await api.data('{ user(id: "nonsense") { id } }', who=ada))["user"] is None


async def test_a_search_by_name_pages_both_ways_and_counts_nothing(api: Api, admin: Person) -> None:
    people = [await api.person(Role.VIEWER) for _ in range(6)]
    for number, person in enumerate(people):
        name = "Ada" if number % 2 else "Grace"
        await api.change("updateUser", {"id": str(person.id), "firstName": name}, USER, who=admin)
    wanted = [str(person.id) for person in people[1::2]]
    query = (
        '{ users(filter: {search: "ada"}, %s)'
        " { totalCount nodes { id } pageInfo { hasNextPage hasPreviousPage endCursor startCursor } } }"
    )
    first = (await api.data(query % "first: 2", who=admin))["users"]
    assert [node["id"] for node in first["nodes"]] == wanted[:2]
    assert (first["totalCount"], first["pageInfo"]["hasNextPage"]) == (None, True)
    after = f'first: 2, after: "{first["pageInfo"]["endCursor"]}"'
    rest = (await api.data(query % after, who=admin))["users"]
    assert [node["id"] for node in rest["nodes"]] == wanted[2:]
    last = (await api.data(query % "last: 2", who=admin))["users"]
    assert [node["id"] for node in last["nodes"]] == wanted[1:]
    assert last["pageInfo"]["hasPreviousPage"] is True
    before = f'last: 2, before: "{last["pageInfo"]["startCursor"]}"'
    assert [node["id"] for node in (await api.data(query % before, who=admin))["users"]["nodes"]] == wanted[:1]


async def test_a_first_password_must_be_hard_to_guess(api: Api, admin: Person) -> None:
    what = {"email": ADA, "password": "ada@example.com1", "role": "VIEWER"}
    shown = "user { id } } ... on WeakPassword { score suggestions"
    refused = await api.change("createUser", what, shown, who=admin)
    assert (refused["code"], refused["path"]) == ("WEAK_PASSWORD", ["password"])
