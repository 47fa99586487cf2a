"""Documents are registered, run by their hash over every transport, and are all that runs where that is asked (T4)."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import sqlalchemy as sa

from domain.documents.model import MAX_AT_ONCE, MAX_BODY, document_hash
from domain.identity.model import Role
from graphql_api.documents.shipped import FOLDER
from tests.api import Api, Person, api_settings, running_api
from tests.sockets import connected, listening

pytestmark = pytest.mark.asyncio(loop_scope="module")

SHOWN = "documents { isNew document { id hash body name clientName createdBy { id } } }"
ME = "query Me { me { id } }"
COUNTS = "subscription Counts { alertCounts { total } }"
EVENTS = {"accept": "text/event-stream"}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def closed(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    """A process of the same house that runs registered documents alone."""
    settings = api_settings(module_database_url, tmp_path_factory.mktemp("closed"), trusted_documents_only=True)
    async with running_api(settings) as opened:
        yield opened


async def register(api: Api, who: Person | None, *bodies: str, **more: object) -> dict[str, Any]:
    documents = [{"body": body} for body in bodies]
    return await api.change("registerDocuments", {"documents": documents, **more}, SHOWN, who=who)


async def send(api: Api, who: Person | None = None, *, accept: str = "application/json", **members: object) -> Any:  # noqa: ANN401 - JSON
    headers = {**Api.headers(who), "accept": accept}
    return (await api.http.post("/graphql", json=members, headers=headers)).json()


def by_hash(body: str) -> str:
    return f"sha256:{document_hash(body)}"


def codes(answer: dict[str, Any]) -> list[str]:
    assert "data" not in answer
    return [error["extensions"]["code"] for error in answer["errors"]]


async def test_a_registered_document_runs_by_its_hash(api: Api, admin: Person) -> None:
    made = await register(api, admin, ME, clientName=" console ")
    (one,) = made["documents"]
    assert one["isNew"]
    shown = one["document"]
    assert (shown["hash"], shown["body"], shown["name"]) == (document_hash(ME), ME, "Me")
    assert (shown["clientName"], shown["createdBy"]) == ("console", {"id": str(admin.id)})

    expected = {"data": {"me": {"id": str(admin.id)}}}
    apollo = {"persistedQuery": {"version": 1, "sha256Hash": shown["hash"]}}
    assert await send(api, admin, documentId=by_hash(ME)) == expected
    assert await send(api, admin, extensions=apollo) == expected
    assert await send(api, admin, extensions=apollo, query=ME) == expected
    parameters = {"documentId": by_hash(ME)}
    headers = {**Api.headers(admin), "accept": "text/html, application/json"}
    assert (await api.http.get("/graphql", params=parameters, headers=headers)).json() == expected
    parameters = {"extensions": json.dumps(apollo)}
    assert (await api.http.get("/graphql", params=parameters, headers=headers)).json() == expected


async def test_registering_the_same_text_again_changes_nothing(api: Api, admin: Person) -> None:
    other = "query Again { me { email } }"
    first = await register(api, admin, other, other)
    second = await register(api, admin, other, clientName="another")
    assert [one["isNew"] for one in first["documents"] + second["documents"]] == [True, False]
    assert first["documents"][0]["document"] == second["documents"][0]["document"]


async def test_a_hundred_large_documents_hold_nobody_up(api: Api, admin: Person) -> None:
    fields = " ".join(
        f"f{n}: alerts(first: {n}) {{ nodes {{ id title }} pageInfo {{ endCursor }} }}" for n in range(25)
    )
    bodies = [f"query Large{number} {{ {fields} }}" for number in range(MAX_AT_ONCE)]
    registering = asyncio.create_task(register(api, admin, *bodies))
    turns = 0
    while not registering.done():
        await asyncio.sleep(0.01)
        turns += 1
    assert len((await registering)["documents"]) == MAX_AT_ONCE
    # Judged on the event loop they would leave it two or three turns in all.
    assert turns >= 10


async def test_variables_and_the_operation_name_go_with_the_hash(api: Api, admin: Person) -> None:
    text = "query A($id: ID!) { alert(id: $id) { id } } query B { serverInfo { version } }"
    made = await register(api, admin, text)
    assert made["documents"][0]["document"]["name"] == "A, B"
    answer = await send(api, admin, documentId=by_hash(text), operationName="B")
    assert set(answer["data"]) == {"serverInfo"}
    answer = await send(api, admin, documentId=by_hash(text), operationName="A", variables={"id": str(admin.id)})
    assert answer == {"data": {"alert": None}}
    refused = await send(api, admin, documentId=by_hash(text), operationName="A", variables={"id": "\x00"})
    assert codes(refused) == ["BAD_REQUEST"]


async def test_a_mutation_by_its_hash_may_not_come_by_get(api: Api, admin: Person) -> None:
    text = (FOLDER / "sign_in.graphql").read_text()
    response = await api.http.get("/graphql", params={"documentId": by_hash(text)}, headers=Api.headers(admin))
    assert response.status_code == 405


@pytest.mark.parametrize(
    ("input_", "path", "says"),
    [
        ({"documents": []}, ["documents"], "1 to 100"),
        ({"documents": [{"body": ME}] * (MAX_AT_ONCE + 1)}, ["documents"], "1 to 100"),
        ({"documents": [{"body": ME}, {"body": "{ me {"}]}, ["documents", "1", "body"], "Syntax Error"),
        ({"documents": [{"body": "{ nothing }"}]}, ["documents", "0", "body"], "Cannot query field"),
        ({"documents": [{"body": "fragment F on User { id }"}]}, ["documents", "0", "body"], "F"),
        ({"documents": [{"body": "{" + " ...F" * 30 + "} fragment F on Query { me { id } }"}]}, None, "repeated"),
        ({"documents": [{"body": "# " + "x" * MAX_BODY + "\n{ me { id } }"}]}, ["documents", "0", "body"], "bytes"),
        ({"documents": [{"body": ME, "hash": "0" * 64}]}, ["documents", "0", "hash"], "is not the SHA-256"),
        ({"documents": [{"body": ME, "hash": "abc"}]}, ["documents", "0", "hash"], "64 lower-case"),
        ({"documents": [{"body": ME}], "clientName": " "}, ["clientName"], "empty"),
    ],
)
async def test_what_could_not_run_is_not_registered(
    api: Api, admin: Person, input_: dict[str, object], path: list[str] | None, says: str
) -> None:
    async with api.engine.connect() as connection:
        before = await connection.scalar(sa.text("SELECT count(*) FROM trusted_documents"))
        answer = await api.change("registerDocuments", input_, SHOWN, who=admin)
        assert answer["__typename"] == "InvalidInput"
        assert says in answer["message"]
        assert answer["path"] == (path or answer["path"])
        assert await connection.scalar(sa.text("SELECT count(*) FROM trusted_documents")) == before


async def test_a_hash_nobody_registered_is_an_answer_with_one_error(api: Api, admin: Person) -> None:
    unknown = f"sha256:{'0' * 64}"
    assert codes(await send(api, admin, documentId=unknown)) == ["PERSISTED_QUERY_NOT_FOUND"]
    response = await api.http.post(
        "/graphql", json={"documentId": unknown}, headers={"accept": "application/graphql-response+json"}
    )
    assert (response.status_code, len(response.json()["errors"])) == (400, 1)


async def test_it_is_listed_removed_and_gone_everywhere(api: Api, closed: Api, admin: Person) -> None:
    text = "query Gone { me { role } }"
    await register(api, admin, "query Stays { me { role } }")
    made = await register(api, admin, text)
    document_id = made["documents"][0]["document"]["id"]
    listed = "{ trustedDocuments(first: 1) { nodes { id hash } totalCount pageInfo { hasNextPage } } }"
    page = (await api.data(listed, who=admin))["trustedDocuments"]
    assert page["nodes"] == [{"id": document_id, "hash": document_hash(text)}]
    assert page["totalCount"] > 1
    assert page["pageInfo"]["hasNextPage"]
    assert "data" in await send(api, admin, documentId=by_hash(text))

    gone = await api.change("removeDocument", {"id": document_id}, "documentId", who=admin)
    assert gone["documentId"] == document_id
    assert codes(await send(api, admin, documentId=by_hash(text))) == ["PERSISTED_QUERY_NOT_FOUND"]
    assert codes(await send(closed, admin, documentId=by_hash(text))) == ["PERSISTED_QUERY_NOT_FOUND"]
    again = await api.change("removeDocument", {"id": document_id}, "documentId", who=admin)
    assert again["__typename"] == "NotFound"


async def test_both_changes_are_on_the_audit_log(api: Api, admin: Person) -> None:
    text = "query Audited { me { role } }"
    made = await register(api, admin, text, clientName="a build")
    await api.change("removeDocument", {"id": made["documents"][0]["document"]["id"]}, "documentId", who=admin)
    async with api.engine.connect() as connection:
        rows = (
            await connection.execute(
                sa.text(
                    "SELECT action, before, after, actor_id FROM audit_log "
                    "WHERE action IN ('registerDocuments', 'removeDocument') ORDER BY occurred_at DESC, id DESC LIMIT 2"
                )
            )
        ).mappings()
        removed, registered = rows
    assert (registered["action"], removed["action"]) == ("registerDocuments", "removeDocument")
    assert registered["actor_id"] == removed["actor_id"] == admin.id
    (shown,) = registered["after"]["documents"]
    assert shown == {"hash": document_hash(text), "name": "Audited", "isNew": True, "client": "a build"}
    assert removed["before"]["body"] == text


@pytest.mark.parametrize("role", [Role.MANAGER, Role.OPERATOR, Role.VIEWER])
async def test_only_administrators_vouch_for_documents(api: Api, role: Role) -> None:
    person = await api.person(role)
    assert (await register(api, person, ME))["__typename"] == "Forbidden"
    assert await api.code("{ trustedDocuments { totalCount } }", who=person) == "FORBIDDEN"


async def test_while_the_database_is_away_a_hash_is_not_called_unknown(
    api: Api, admin: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_hash: str) -> None:
        raise ConnectionRefusedError

    unseen = by_hash("query Unseen { me { id } }")
    monkeypatch.setattr(api.state.trusted, "_lookup", away)
    assert codes(await send(api, admin, documentId=unseen)) == ["OVERLOADED"]
    async with listening(api) as address, connected(address, admin) as socket:
        await socket.send(id="1", type="subscribe", payload={"documentId": unseen})
        answer = await socket.receive()
        assert (answer["type"], answer["payload"][0]["extensions"]["code"]) == ("error", "OVERLOADED")


# --- Where nothing else runs ------------------------------------------------------------------------------------------


async def test_nothing_else_runs_over_http(closed: Api, admin: Person) -> None:
    assert codes(await send(closed, admin, query="{ __typename }")) == ["DOCUMENT_NOT_TRUSTED"]
    assert codes(await send(closed, admin, query="{ me { id } }")) == ["DOCUMENT_NOT_TRUSTED"]
    response = await closed.http.get("/graphql", params={"query": "{ __typename }"}, headers=Api.headers(admin))
    assert codes(response.json()) == ["DOCUMENT_NOT_TRUSTED"]
    response = await closed.http.post(
        "/graphql", json={"query": COUNTS + " #"}, headers={**Api.headers(admin), **EVENTS}
    )
    (data,) = [line for line in response.text.splitlines() if line.startswith("data: {")]
    assert codes(json.loads(data.removeprefix("data: "))) == ["DOCUMENT_NOT_TRUSTED"]


async def test_what_was_registered_runs_there_over_every_transport(api: Api, closed: Api, admin: Person) -> None:
    await register(api, admin, ME, COUNTS)
    expected = {"me": {"id": str(admin.id)}}
    assert await send(closed, admin, documentId=by_hash(ME)) == {"data": expected}
    assert await send(closed, admin, query=ME) == {"data": expected}
    headers = {**Api.headers(admin), **EVENTS}
    response = await closed.http.post("/graphql", json={"documentId": by_hash(ME)}, headers=headers)
    assert json.dumps(expected, separators=(",", ":")) in response.text
    async with listening(closed) as address, connected(address, admin) as socket:
        await socket.send(id="1", type="subscribe", payload={"documentId": by_hash(COUNTS)})
        assert "total" in (await socket.next_data())["alertCounts"]
        await socket.send(id="2", type="subscribe", payload={"query": "{ __typename }"})
        refused = await socket.receive()
        assert (refused["id"], refused["type"]) == ("2", "error")
        assert refused["payload"][0]["extensions"]["code"] == "DOCUMENT_NOT_TRUSTED"
        await socket.send(id="3", type="subscribe", payload={"documentId": f"sha256:{'0' * 64}"})
        assert (await socket.receive())["payload"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"
        await socket.send(id="4", type="subscribe", payload={"query": ME})
        assert await socket.next_data() == expected


async def test_an_administrator_can_sign_in_and_register_there(closed: Api, admin: Person) -> None:
    sign_in = (FOLDER / "sign_in.graphql").read_text()
    wrong = {"input": {"email": "nobody@example.com", "password": "wrong"}}
    answer = await send(closed, documentId=by_hash(sign_in), variables=wrong)
    assert answer["data"]["login"]["__typename"] == "InvalidCredentials"
    registering = (FOLDER / "register_documents.graphql").read_text()
    text = "query There { serverInfo { version } }"
    variables = {"input": {"documents": [{"body": text}]}}
    answer = await send(closed, admin, documentId=by_hash(registering), variables=variables)
    assert answer["data"]["registerDocuments"]["documents"][0]["isNew"]
    assert "data" in await send(closed, admin, documentId=by_hash(text))


async def test_a_browser_is_told_that_graphiql_is_off_there(closed: Api) -> None:
    response = await closed.http.get("/graphql", headers={"accept": "text/html"})
    assert response.status_code == 403
    assert "registered documents alone" in response.text


async def test_limits_hold_for_what_was_registered_under_wider_ones(
    module_database_url: str, tmp_path: Path, api: Api, admin: Person
) -> None:
    text = "query Wide { alerts(first: 100) { nodes { timeline(first: 100) { nodes { id } } } } }"
    await register(api, admin, text)
    async with running_api(api_settings(module_database_url, tmp_path, graphql_max_cost=5_000)) as narrow:
        answer = await send(narrow, admin, documentId=by_hash(text))
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
    assert error["extensions"]["budget"] == 5_000
    assert error["extensions"]["heaviestPath"] == "alerts.nodes.timeline.nodes"
