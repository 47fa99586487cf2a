"""Is every read of somebody's personal data on the log before its answer leaves: who, which kind, of whom, bounded?"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from graphql import GraphQLObjectType, build_schema

from domain.identity.model import Role
from graphql_api.audit.noted import MOST_NAMED, Noted
from graphql_api.fields_below import FIELDS
from graphql_api.permissions import ROOT_FIELDS
from graphql_api.schema import printed
from persistence.tables import audit_log
from tests.api import Api, Person, api_settings, running_api
from tests.sockets import connected, listening

# What a field is called that tells of a person. A new one is declared personal, or listed here with the reason.
TELLING = {"email", "lastLogin", "ipAddress", "userAgent", "phone", "phoneNumber", "pendingEmail", "newEmail"}
_LINK = "shown to whoever holds the link that was mailed there"
REACHED_ONLY_BY = {
    **dict.fromkeys(
        [
            f"{name}Success.email"
            for name in ("AcceptInvitation", "ConfirmAddressChange", "ResetPassword", "VerifyAddress")
        ],
        _LINK,
    ),
    "AuditEntry.ipAddress": "auditEntries and auditEntry are recorded whatever they show",
    "Session.ipAddress": "User.sessions is recorded as a whole; `sessions` are one's own",
    "Session.userAgent": "User.sessions is recorded as a whole; `sessions` are one's own",
}
EVENTS = "subscription { alertEvents { ... on AlertEvent { id actor { ... on User { email } } } } }"


@pytest.fixture
async def api(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(api_settings(database_url, tmp_path, redis_url=redis_url)) as opened:
        yield opened


async def reads(api: Api, who: Person) -> list[sa.Row[Any]]:
    async with api.engine.connect() as connection:
        statement = sa.select(audit_log).where(audit_log.c.actor_id == who.id, audit_log.c.action == "readPersonalData")
        return list(await connection.execute(statement.order_by(audit_log.c.seq)))


async def test_a_list_of_people_is_one_entry_that_names_them(api: Api) -> None:
    reader, *others = [await api.person(Role.ADMIN), await api.person(Role.VIEWER), await api.person(Role.OPERATOR)]
    await api.data("{ a: users { nodes { email } } b: users { nodes { lastLogin } } }", who=reader)
    (entry,) = await reads(api, reader)
    assert (entry.outcome, entry.target_kind, entry.target_id) == ("done", "user", None)
    assert entry.session_id == reader.session_id
    assert entry.after["fields"] == ["users", "users"]
    assert entry.after["user"]["count"] == len(others)
    assert set(entry.after["user"]["ids"]) == {str(one.id) for one in others}


async def test_one_person_is_found_by_the_id(api: Api) -> None:
    reader, other = await api.person(Role.ADMIN), await api.person(Role.OPERATOR)
    made = await api.change("createAlert", {"title": "x", "severity": "LOW"}, "alert { id }", who=other)
    query = "query($id: ID!) { alert(id: $id) { timeline { nodes { actor { ... on User { email } } } } } }"
    await api.data(query, {"id": made["alert"]["id"]}, who=reader)
    (entry,) = await reads(api, reader)
    assert (entry.target_kind, entry.target_id) == ("user", other.id)


async def test_what_is_nobodys_or_ones_own_leaves_no_entry(api: Api) -> None:
    reader, other = await api.person(Role.ADMIN), await api.person(Role.OPERATOR)
    await api.change("createAlert", {"title": "x", "severity": "LOW"}, "alert { id }", who=other)
    for query in (
        "{ me { email lastLogin } }",
        "{ users { nodes { id name role } } }",
        "{ serverInfo { version } }",
        "{ alerts { nodes { timeline { nodes { actor { ... on User { name } } } } } } }",
    ):
        await api.data(query, who=reader)
    assert await reads(api, reader) == []


async def test_no_entry_no_answer(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    reader, other = await api.person(Role.ADMIN), await api.person(Role.OPERATOR)

    async def refuse(*_: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr("persistence.audit.AuditTrail.append", refuse)
    answer = await api.post("{ users { nodes { email } } }", who=reader)
    assert other.email not in answer.text
    assert answer.json()["errors"]


async def test_a_subscription_is_recorded_when_it_begins_and_once(api: Api) -> None:
    reader = await api.person(Role.OPERATOR)
    other = await api.person(Role.OPERATOR)
    headers = {**api.headers(reader), "accept": "text/event-stream"}

    async def follow(query: str) -> None:
        async with api.http.stream("POST", "/graphql", json={"query": query}, headers=headers) as stream:
            async for _ in stream.aiter_lines():
                pass

    following = [asyncio.create_task(follow(query)) for query in (EVENTS, "subscription { alertCounts { total } }")]
    try:
        for _ in range(100):
            if await reads(api, reader):
                break
            await asyncio.sleep(0.05)
        for _ in range(3):
            await api.change("createAlert", {"title": "x", "severity": "LOW"}, "alert { id }", who=other)
        await asyncio.sleep(0.3)
    finally:
        for task in following:
            task.cancel()
        await asyncio.gather(*following, return_exceptions=True)
    (entry,) = await reads(api, reader)
    assert entry.after == {"fields": ["alertEvents"], "follows": ["User.email"]}


async def test_over_a_socket_the_entry_is_there_before_the_answer_too(api: Api) -> None:
    reader, other = await api.person(Role.ADMIN), await api.person(Role.OPERATOR)
    async with listening(api) as address, connected(address, reader.token) as socket:
        await socket.send(id="1", type="subscribe", payload={"query": "{ users { nodes { email } } }"})
        answer = await socket.receive()
        assert answer["type"] == "next"
        (entry,) = await reads(api, reader)
    assert entry.after["user"]["ids"] == [str(other.id)]


async def test_a_refused_field_below_the_root_is_on_the_log(api: Api) -> None:
    manager, viewer = await api.person(Role.MANAGER), await api.person(Role.VIEWER)
    await api.change("createIntegration", {"name": "Keys", "source": "GENERIC"}, "key", who=manager)
    assert await api.code("{ integrations { keys { prefix } } }", who=viewer) == "FORBIDDEN"
    async with api.engine.connect() as connection:
        found = await connection.execute(
            sa.select(audit_log.c.action, audit_log.c.outcome).where(audit_log.c.actor_id == viewer.id)
        )
        assert [tuple(row) for row in found] == [("Integration.keys", "refused")]


def test_an_entry_names_a_hundred_and_counts_the_rest() -> None:
    from uuid import UUID  # noqa: PLC0415

    noted = Noted()
    noted.read("user", *(UUID(int=number) for number in range(MOST_NAMED + 50)))
    told = noted.told()["user"]
    assert (told["count"], len(told["ids"])) == (MOST_NAMED + 50, MOST_NAMED)
    noted.is_recorded = True
    noted.read("user", UUID(int=10**6))
    noted.refuse("x")
    assert (noted.told()["user"]["count"], noted.refused) == (MOST_NAMED + 50, {})


def test_every_field_that_tells_of_a_person_is_declared() -> None:
    schema = build_schema(printed())
    undeclared = []
    for kind in schema.type_map.values():
        if not isinstance(kind, GraphQLObjectType) or kind.name.startswith("__"):
            continue
        for name in kind.fields:
            place = f"{kind.name}.{name}"
            need = FIELDS.get(place)
            if name in TELLING and not (need and need.personal) and place not in REACHED_ONLY_BY:
                undeclared.append(place)
    assert undeclared == []
    assert all(ROOT_FIELDS["Query"][name].personal for name in ("auditEntries", "auditEntry"))
