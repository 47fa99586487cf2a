"""Do programs get in by their keys, do what they were made for and nothing else, and go when their key ends? (P6)."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
import sqlalchemy as sa

from domain.access import keys
from domain.access.scopes import Scope
from domain.documents.model import document_hash
from domain.identity.model import Role
from domain.ids import new_id
from persistence.tables import api_keys, audit_log, idempotency_keys
from tests.api import Api, Person, running_api
from tests.api_keys import api_key, own_key, service_account
from tests.schema_operations import operation
from tests.sockets import connected, listening

pytestmark = pytest.mark.asyncio(loop_scope="module")
ALERTS = "{ alerts { nodes { id } } }"
OPEN = {"title": "Disk full", "severity": "HIGH", "source": "robot", "serviceName": "db"}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def address(api: Api) -> AsyncIterator[str]:
    async with listening(api) as opened:
        yield opened


async def key_of(api: Api, admin: Person, role: Role, *scopes: Scope, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    return await api_key(api, admin, await service_account(api, admin, role), scopes, **more)


async def problem(api: Api, key: str, **headers: str) -> str:
    """Why a request with the key is one of nobody."""
    answer = await api.http.post("/graphql", json={"query": ALERTS}, headers={"x-api-key": key, **headers})
    (error,) = answer.json()["errors"]
    assert error["extensions"]["code"] == "UNAUTHENTICATED"
    message: str = error["message"]
    return message


async def test_a_key_is_shown_once_and_kept_as_a_digest(api: Api, admin: Person) -> None:
    """ASVS 5.0 11.4.1, 13.3.1: neither the table nor the audit log nor a replay holds the key."""
    account = await service_account(api, admin, Role.OPERATOR)
    once = str(new_id())
    made = await api_key(api, admin, account, [Scope.ALERTS_READ], idempotencyKey=once)
    secret = made["key"]
    assert keys.is_key(secret)
    again = await api_key(api, admin, account, [Scope.ALERTS_READ], idempotencyKey=once)
    assert again["key"] is None
    assert again["apiKey"]["id"] == made["apiKey"]["id"]
    async with api.engine.connect() as connection:
        for table in (api_keys, audit_log, idempotency_keys):
            rows = (await connection.execute(sa.select(table))).all()
            assert secret[len(keys.PREFIX) + 6 :] not in repr(rows), table.name


async def test_a_key_comes_in_either_header_and_over_a_socket_and_a_stream(
    api: Api, admin: Person, address: str
) -> None:
    made = await key_of(api, admin, Role.VIEWER, Scope.ALERTS_READ)
    secret = made["key"]
    for headers in ({"authorization": f"Bearer {secret}"}, {"x-api-key": secret}):
        answer = await api.http.post("/graphql", json={"query": ALERTS}, headers=headers)
        assert "errors" not in answer.json(), answer.json()
        stream = await api.http.post(
            "/graphql", json={"query": ALERTS}, headers={**headers, "accept": "text/event-stream"}
        )
        assert '"nodes"' in stream.text
        assert "errors" not in stream.text
    async with connected(address, secret) as socket:
        await socket.subscribe(ALERTS)
        assert "alerts" in await socket.next_data()


@pytest.mark.parametrize("wrong", ["tck_", "tck_nothing", keys.new_secret()[:-1]], ids=["empty", "short", "cut off"])
async def test_what_is_no_key_is_told_so_without_asking_the_database(
    api: Api, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: object) -> None:
        raise AssertionError("asked")

    monkeypatch.setattr(api.state.keys, "find", never)
    assert await problem(api, wrong) == "this is no API key: it was cut off or mistyped"


async def test_a_key_nobody_made_is_nobodys(api: Api) -> None:
    assert await problem(api, keys.new_secret()) == "the API key is unknown, expired or revoked"


async def test_a_program_acts_under_its_own_name(api: Api, admin: Person) -> None:
    account = await service_account(api, admin, Role.OPERATOR, name="deploy robot")
    made = await api_key(api, admin, account, [Scope.ALERTS_WRITE])
    opened = await api.change("createAlert", OPEN, "alert { id }", who=made["key"])
    alert_id = opened["alert"]["id"]
    await api.change("acknowledgeAlert", {"id": alert_id}, "alert { id }", who=made["key"])
    query = """query($id: ID!) { alert(id: $id) { timeline { nodes { kind actor {
      __typename ... on ServiceAccount { id name } } } } } }"""
    events = (await api.data(query, {"id": alert_id}, who=admin))["alert"]["timeline"]["nodes"]
    actor = {"__typename": "ServiceAccount", "id": account["id"], "name": "deploy robot"}
    assert [event["actor"] for event in events] == [actor, actor], events
    async with api.engine.connect() as connection:
        chosen = sa.select(audit_log).where(audit_log.c.target_id == UUID(alert_id))
        entries = (await connection.execute(chosen)).all()
    assert {(entry.actor_kind, entry.actor_id, entry.session_id) for entry in entries} == {
        ("service_account", UUID(account["id"]), UUID(made["apiKey"]["id"]))
    }


async def test_a_program_sees_the_private_alerts_of_its_teams_alone(api: Api, admin: Person) -> None:
    """OWASP API1:2023."""
    mine, other = await api.team("Robots", is_private=True), await api.team("Others", is_private=True)
    account = await service_account(api, admin, Role.VIEWER, teams=[mine])
    made = await api_key(api, admin, account, [Scope.ALERTS_READ])
    ids = {}
    for team in (mine, other):
        opened = await api.change(
            "createAlert", {**OPEN, "title": team.name, "teamId": str(team.id)}, "alert { id }", who=admin
        )
        ids[team.id] = opened["alert"]["id"]
    query = "query($id: ID!) { alert(id: $id) { id } }"
    assert (await api.data(query, {"id": ids[mine.id]}, who=made["key"]))["alert"]
    assert (await api.data(query, {"id": ids[other.id]}, who=made["key"]))["alert"] is None
    what = {"id": account["id"], "teamIds": [str(other.id)]}
    await api.change("updateServiceAccount", what, "serviceAccount { id }", who=admin)
    assert (await api.data(query, {"id": ids[mine.id]}, who=made["key"]))["alert"] is None
    assert (await api.data(query, {"id": ids[other.id]}, who=made["key"]))["alert"]


async def test_a_key_for_alerts_reads_no_person_by_way_of_one(api: Api, admin: Person) -> None:
    """OWASP API3:2023, ASVS 5.0 8.2.3: scope escape through a nested object."""
    opened = await api.change("createAlert", {**OPEN, "title": "Whose?"}, "alert { id }", who=admin)
    await api.change(
        "assignAlert", {"id": opened["alert"]["id"], "assigneeId": str(admin.id)}, "alert { id }", who=admin
    )
    query = "query($id: ID!) { alert(id: $id) { assignedTo { %s } } }"
    narrow = await key_of(api, admin, Role.ADMIN, Scope.ALERTS_READ)
    variables = {"id": opened["alert"]["id"]}
    shown = await api.data(query % "id", variables, who=narrow["key"])
    assert shown["alert"]["assignedTo"]["id"] == str(admin.id)
    for field in ("email", "lastLogin", "role", "isActive", "team { id }"):
        assert await api.code(query % field, variables, who=narrow["key"]) == "FORBIDDEN", field
    wide = await key_of(api, admin, Role.ADMIN, Scope.ALERTS_READ, Scope.PEOPLE_READ)
    assert (await api.data(query % "email", variables, who=wide["key"]))["alert"]["assignedTo"]["email"] == admin.email


async def test_a_revoked_key_is_refused_at_once_in_every_process(api: Api, admin: Person, tmp_path: Path) -> None:
    made = await key_of(api, admin, Role.VIEWER, Scope.ALERTS_READ)
    async with running_api(api.settings.model_copy(update={"data_dir": tmp_path})) as other:
        assert "errors" not in await other.ask(ALERTS, who=made["key"])
        await api.change("revokeApiKey", {"id": made["apiKey"]["id"]}, "apiKey { revokedAt }", who=admin)
        assert await problem(other, made["key"]) == "the API key is unknown, expired or revoked"
        assert await problem(api, made["key"]) == "the API key is unknown, expired or revoked"


@pytest.mark.parametrize("ending", ["revoked", "expired", "archived"])
async def test_a_socket_ends_within_seconds_of_its_key(api: Api, admin: Person, address: str, ending: str) -> None:
    account = await service_account(api, admin, Role.VIEWER)
    made = await api_key(api, admin, account, [Scope.ALERTS_READ])
    async with connected(address, made["key"]) as socket:
        await socket.subscribe("subscription { alertEvents { __typename } }")
        if ending == "revoked":
            await api.change("revokeApiKey", {"id": made["apiKey"]["id"]}, "apiKey { id }", who=admin)
        elif ending == "archived":
            await api.change("archiveServiceAccount", {"id": account["id"]}, "serviceAccount { id }", who=admin)
        else:
            async with api.engine.begin() as connection:
                chosen = sa.update(api_keys).where(api_keys.c.id == UUID(made["apiKey"]["id"]))
                await connection.execute(chosen.values(expires_at=api.clock.now()))
        assert await socket.close_code() == 4401
    assert await problem(api, made["key"])


async def test_each_operation_of_a_socket_asks_for_the_key_again(api: Api, admin: Person, address: str) -> None:
    account = await service_account(api, admin, Role.OPERATOR)
    made = await api_key(api, admin, account, [Scope.ALERTS_READ])
    async with connected(address, made["key"]) as socket:
        await socket.subscribe(ALERTS, operation="1")
        await socket.next_data()
        assert (await socket.receive())["type"] == "complete"
        await api.change("revokeApiKey", {"id": made["apiKey"]["id"]}, "apiKey { id }", who=admin)
        await socket.subscribe(ALERTS, operation="2")
        message = await socket.receive()
    assert message["payload"]["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED", message


async def test_a_key_ends_by_itself(api: Api, admin: Person) -> None:
    ends = api.clock.now() + timedelta(hours=1)
    made = await key_of(api, admin, Role.VIEWER, Scope.ALERTS_READ, expiresAt=ends.isoformat())
    assert "errors" not in await api.ask(ALERTS, who=made["key"])
    api.clock.ahead += timedelta(hours=2)
    try:
        assert await problem(api, made["key"]) == "the API key is unknown, expired or revoked"
    finally:
        api.clock.ahead -= timedelta(hours=2)


async def test_a_key_is_used_from_its_networks_alone(api: Api, admin: Person) -> None:
    elsewhere = await key_of(api, admin, Role.VIEWER, Scope.ALERTS_READ, allowedNetworks=["192.0.2.0/24"])
    assert await problem(api, elsewhere["key"]) == "the API key may not be used from this address"
    here = await key_of(api, admin, Role.VIEWER, Scope.ALERTS_READ, allowedNetworks=["127.0.0.0/8"])
    assert "errors" not in await api.ask(ALERTS, who=here["key"])
    # A header does not change where a request comes from, unless it is a trusted proxy's.
    forged = await problem(api, elsewhere["key"], **{"x-forwarded-for": "192.0.2.1"})
    assert forged == "the API key may not be used from this address"


async def test_last_use_is_written_once_a_minute(api: Api, admin: Person) -> None:
    made = await key_of(api, admin, Role.VIEWER, Scope.ALERTS_READ)
    query = "{ apiKeys(first: 100) { nodes { id lastUsedAt } } }"

    async def last_used() -> str | None:
        await api.state.key_use.flush()
        nodes = (await api.data(query, who=admin))["apiKeys"]["nodes"]
        found: str | None = next(node["lastUsedAt"] for node in nodes if node["id"] == made["apiKey"]["id"])
        return found

    assert await last_used() is None
    await api.ask(ALERTS, who=made["key"])
    first = await last_used()
    assert first is not None
    await api.ask(ALERTS, who=made["key"])
    assert await last_used() == first
    api.clock.ahead += timedelta(seconds=61)
    try:
        await api.ask(ALERTS, who=made["key"])
        assert str(await last_used()) > first
    finally:
        api.clock.ahead -= timedelta(seconds=61)


async def test_a_rotated_key_goes_on_beside_its_successor_for_the_overlap(api: Api, admin: Person) -> None:
    old = await key_of(api, admin, Role.VIEWER, Scope.ALERTS_READ)
    what = {"id": old["apiKey"]["id"], "overlap": "PT1H"}
    shown = "key apiKey { id scopes } oldKey { id replacedBy isLive }"
    new = await api.change("rotateApiKey", what, shown, who=admin)
    assert new["oldKey"] == {"id": old["apiKey"]["id"], "replacedBy": new["apiKey"]["id"], "isLive": True}
    assert new["apiKey"]["scopes"] == ["ALERTS_READ"]
    for key in (old["key"], new["key"]):
        assert "errors" not in await api.ask(ALERTS, who=key)
    twice = await api.change("rotateApiKey", what, "key", who=admin)
    assert twice["code"] == "INVALID_INPUT"
    api.clock.ahead += timedelta(hours=2)
    try:
        assert await problem(api, old["key"])
        assert "errors" not in await api.ask(ALERTS, who=new["key"])
    finally:
        api.clock.ahead -= timedelta(hours=2)


async def test_a_persons_own_key_does_no_more_than_the_person(api: Api) -> None:
    """OWASP API5:2023: privilege climbing by input."""
    person = await api.person(Role.VIEWER)
    refused = await own_key(api, person, [Scope.ALERTS_READ, Scope.INTEGRATIONS_WRITE])
    assert (refused["code"], refused["path"]) == ("INVALID_INPUT", ["scopes"])
    person = await api.person(Role.OPERATOR)
    made = await own_key(api, person, [Scope.ALERTS_WRITE])
    opened = await api.change("createAlert", {**OPEN, "title": "Mine"}, "alert { id }", who=made["key"])
    assert opened["alert"]["id"]
    async with api.engine.begin() as connection:
        await connection.execute(sa.text("UPDATE users SET role = 'viewer' WHERE id = :id"), {"id": person.id})
    refused = await api.change("createAlert", {**OPEN, "title": "Mine too"}, "alert { id }", who=made["key"])
    assert refused["code"] == "FORBIDDEN"
    async with api.engine.begin() as connection:
        await connection.execute(sa.text("UPDATE users SET is_active = false WHERE id = :id"), {"id": person.id})
    assert await problem(api, made["key"]) == "the API key is unknown, expired or revoked"


async def test_a_key_makes_no_key_and_signs_nobody_in(api: Api) -> None:
    """OWASP API2:2023: a stolen key must not outlive its end by making another."""
    person = await api.person(Role.ADMIN)
    made = await own_key(api, person, list(Scope))
    what = {"name": "another", "scopes": ["ALERTS_READ"]}
    refused = await api.change("createMyApiKey", what, "key", who=made["key"])
    assert refused["code"] == "FORBIDDEN"
    for field in ("rotateApiKey", "revokeApiKey"):
        refused = await api.change(field, {"id": made["apiKey"]["id"]}, "apiKey { id }", who=made["key"])
        assert refused["code"] == "FORBIDDEN", field


@pytest.mark.parametrize(
    ("field", "more"),
    [
        ("createMyApiKey", {"userId": str(UUID(int=1))}),
        ("createMyApiKey", {"role": "ADMIN"}),
        ("createMyApiKey", {"serviceAccountId": str(UUID(int=1))}),
        ("createApiKey", {"digest": "x"}),
        ("updateServiceAccount", {"archivedAt": None}),
        ("updateServiceAccount", {"createdBy": str(UUID(int=1))}),
    ],
)
async def test_what_an_input_does_not_name_cannot_be_set(api: Api, field: str, more: dict[str, Any]) -> None:
    """OWASP API3:2023, ASVS 5.0 15.3.3: mass assignment."""
    person = await api.person(Role.ADMIN)
    text, variables = operation("Mutation", field)
    answer = await api.ask(text, {"input": {**variables["input"], **more}}, who=person)
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "BAD_REQUEST"
    assert f"unknown field '{next(iter(more))}'" in error["message"], answer


async def test_a_key_of_somebody_else_looks_like_none(api: Api) -> None:
    """OWASP API1:2023, ASVS 5.0 8.2.2."""
    owner, other = await api.person(Role.OPERATOR), await api.person(Role.MANAGER)
    made = await own_key(api, owner, [Scope.ALERTS_READ])
    for field in ("rotateApiKey", "revokeApiKey"):
        theirs = await api.change(field, {"id": made["apiKey"]["id"]}, "apiKey { id }", who=other)
        nobodys = await api.change(field, {"id": str(new_id())}, "apiKey { id }", who=other)
        assert theirs == nobodys
        assert theirs["code"] == "NOT_FOUND"
    assert (await api.data("{ myApiKeys { id } }", who=other))["myApiKeys"] == []
    assert [key["id"] for key in (await api.data("{ myApiKeys { id } }", who=owner))["myApiKeys"]] == [
        made["apiKey"]["id"]
    ]


# -- keys bound to one document ---------------------------------------------------------------------------------------

BOUND = "query Bound($first: Int) { alerts(first: $first) { nodes { id } } }"
OTHER = "query Other { alertCounts { total } }"


async def registered(api: Api, admin: Person, *texts: str) -> list[str]:
    what = {"documents": [{"body": text} for text in texts]}
    made = await api.change("registerDocuments", what, "documents { document { id } }", who=admin)
    return [one["document"]["id"] for one in made["documents"]]


async def test_a_key_bound_to_a_document_runs_that_one_and_no_other(api: Api, admin: Person, address: str) -> None:
    """OWASP API5:2023: escape from the bound document, by every transport and by every way to name a document."""
    document_id, _ = await registered(api, admin, BOUND, OTHER)
    hash_ = document_hash(BOUND)
    made = await key_of(api, admin, Role.ADMIN, *Scope, documentHash=hash_)
    headers = {"x-api-key": made["key"]}

    async def post(body: dict[str, Any], **more: str) -> str:
        answer = await api.http.post("/graphql", json=body, headers={**headers, **more})
        return answer.text

    for body in ({"query": BOUND}, {"documentId": f"sha256:{hash_}"}, {"query": BOUND, "variables": {"first": 1}}):
        assert '"errors"' not in await post(body), body
    escapes: list[dict[str, Any]] = [
        {"query": OTHER},
        {"query": ALERTS},
        {"query": BOUND + " "},
        {"query": BOUND + " query Second { me { id } }", "operationName": "Second"},
        {"documentId": f"sha256:{document_hash(OTHER)}"},
        {"query": OTHER, "documentId": f"sha256:{hash_}"},
        {"query": OTHER, "extensions": {"persistedQuery": {"version": 1, "sha256Hash": hash_}}},
        {"query": "{ __schema { types { name } } }"},
    ]
    for body in escapes:
        for accept in ("application/json", "text/event-stream"):
            text = await post(body, accept=accept)
            assert "DOCUMENT_NOT_TRUSTED" in text or "PERSISTED_QUERY_HASH_MISMATCH" in text, (body, text)
    got = await api.http.get("/graphql", params={"query": OTHER}, headers=headers)
    assert "DOCUMENT_NOT_TRUSTED" in got.text
    async with connected(address, made["key"]) as socket:
        await socket.subscribe(OTHER)
        assert "DOCUMENT_NOT_TRUSTED" in json.dumps(await socket.receive())
        await socket.subscribe(BOUND, operation="2")
        await socket.next_data()
    fetched = await api.http.get(f"/attachments/{new_id()}/{new_id()}", headers=headers)
    assert (fetched.status_code, fetched.json()["code"]) == (403, "FORBIDDEN")

    await api.change("removeDocument", {"id": document_id}, "documentId", who=admin)
    assert "DOCUMENT_NOT_TRUSTED" in await post({"query": BOUND})


async def test_a_key_is_bound_to_a_document_that_is_there(api: Api, admin: Person) -> None:
    account = await service_account(api, admin)
    what = {"serviceAccountId": account["id"], "name": "x", "scopes": ["ALERTS_READ"], "documentHash": "0" * 64}
    refused = await api.change("createApiKey", what, "key", who=admin)
    assert (refused["code"], refused["path"]) == ("NOT_FOUND", ["documentHash"])


async def test_an_account_has_a_bounded_number_of_keys(api: Api, admin: Person) -> None:
    account = await service_account(api, admin)
    for _ in range(20):
        await api_key(api, admin, account, [Scope.ALERTS_READ])
    what = {"serviceAccountId": account["id"], "name": "x", "scopes": ["ALERTS_READ"]}
    assert (await api.change("createApiKey", what, "key", who=admin))["code"] == "INVALID_INPUT"


async def test_files_go_by_scopes_too(api: Api, admin: Person) -> None:
    """OWASP API5:2023: the routes beside GraphQL."""
    narrow = await key_of(api, admin, Role.ADMIN, Scope.PEOPLE_READ)
    fetched = await api.http.get(f"/attachments/{new_id()}/{new_id()}", headers={"x-api-key": narrow["key"]})
    assert (fetched.status_code, fetched.json()["message"]) == (
        403,
        "downloadAttachment needs an API key with the scope ALERTS_READ",
    )


async def test_a_program_attaches_a_file(api: Api, admin: Person) -> None:
    made = await key_of(api, admin, Role.OPERATOR, Scope.ALERTS_WRITE)
    opened = await api.change("createAlert", {**OPEN, "title": "With a log"}, "alert { id }", who=made["key"])
    place = f"/attachments/{opened['alert']['id']}"
    files = {"file": ("build.log", b"it broke", "text/plain")}
    sent = await api.http.post(place, files=files, headers={"x-api-key": made["key"]})
    assert sent.status_code == 201, sent.text
    fetched = await api.http.get(f"{place}/{sent.json()['id']}", headers={"x-api-key": made["key"]})
    assert fetched.content == b"it broke"


async def test_what_others_may_see_is_not_shared_with_a_narrower_key() -> None:
    """Streams are made once for all with the same rights: scopes are among them."""
    from domain.access.grant import Grant  # noqa: PLC0415 - for this test alone
    from domain.identity.model import Viewer  # noqa: PLC0415
    from graphql_api.live.sharing import Permissions  # noqa: PLC0415

    me = Viewer(user_id=new_id(), session_id=new_id(), role=Role.VIEWER)
    narrow = replace(me, grant=Grant(key_id=new_id(), scopes=frozenset({Scope.ALERTS_READ})))
    same = replace(me, grant=Grant(key_id=new_id(), scopes=frozenset({Scope.ALERTS_READ})))
    assert Permissions.of(me) != Permissions.of(narrow) == Permissions.of(same)
    assert Permissions.of(Permissions.of(narrow).anybody()) == Permissions.of(narrow)
