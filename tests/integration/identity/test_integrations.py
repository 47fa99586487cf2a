"""Integrations over the API: keys that are shown once, rotated and revoked, and what is kept of them (I1, P6, T3)."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from domain.identity.model import Role
from domain.integrations.keys import key_digest
from persistence.integrations import HMAC_COLUMN
from persistence.tables import audit_log, integration_keys, integrations
from tests.api import Api, Person
from tests.waiting import until_true

SHOWN = (
    "key integration { id name source webhookUrl isSigned version archivedAt lastSeenAt defaultTeam { name } "
    "severityMap { word severity } mapping { title labels { name expression } } keys { id prefix isLive expiresAt } }"
)
NO_SUCH = "01a20c5a-94e5-7298-974a-3a44fd3ce6dc"


async def create(api: Api, who: Person, **more: object) -> dict[str, Any]:
    what = {"name": "Orders", "source": "GENERIC", **more}
    return await api.change("createIntegration", what, SHOWN, who=who)


async def post(api: Api, key: str, **more: str) -> int:
    """The status of a post of one alert with this key."""
    headers = {"authorization": f"Bearer {key}", **more}
    response = await api.http.post("/webhooks/generic", json={"title": "Disk full", "dedup_key": "d"}, headers=headers)
    return response.status_code


async def taken(api: Api, key: str, status: int) -> None:
    """Wait until posts with the key are answered so: every process learns of a change within moments."""

    async def is_so() -> bool:
        return await post(api, key) == status

    await until_true(is_so)


async def test_a_key_is_shown_once_and_opens_the_door(api: Api, manager: Person) -> None:
    made = await create(api, manager)
    key = made["key"]
    assert key.startswith("tcs_")
    assert len(key) == 47
    assert made["integration"]["webhookUrl"].endswith("/webhooks/generic")
    assert [row["prefix"] for row in made["integration"]["keys"]] == [key[:10]]
    assert await post(api, key) == 202
    async with api.engine.connect() as connection:
        stored = (await connection.execute(sa.select(integration_keys))).one()
        audited = repr((await connection.execute(sa.select(audit_log))).all())
    assert stored.digest == key_digest(key)
    assert key not in repr(stored)
    assert key not in audited


async def test_a_replay_finds_the_integration_and_never_the_key(api: Api, manager: Person) -> None:
    first = await create(api, manager, idempotencyKey="k")
    second = await create(api, manager, idempotencyKey="k")
    assert second["integration"]["id"] == first["integration"]["id"]
    assert first["key"] is not None
    assert second["key"] is None
    async with api.engine.connect() as connection:
        kept = (await connection.execute(sa.text("SELECT input_digest, result::text FROM idempotency_keys"))).one()
    assert first["key"] not in repr(kept)


@pytest.mark.parametrize(
    ("what", "code", "path"),
    [
        ({"name": "  "}, "INVALID_INPUT", ["name"]),
        ({"name": "x" * 101}, "INVALID_INPUT", ["name"]),
        ({"source": "MANUAL"}, "INVALID_INPUT", ["source"]),
        ({"defaultTeamId": NO_SUCH}, "NOT_FOUND", ["defaultTeamId"]),
        ({"hmacSecret": "short"}, "INVALID_INPUT", ["hmacSecret"]),
        ({"severityMap": [{"word": "", "severity": "HIGH"}]}, "INVALID_INPUT", ["severityMap", "word"]),
        (
            {"severityMap": [{"word": "P1", "severity": "HIGH"}, {"word": "p1 ", "severity": "LOW"}]},
            "INVALID_INPUT",
            ["severityMap"],
        ),
        ({"mapping": {"title": "item."}}, "INVALID_INPUT", ["mapping", "title"]),
        ({"mapping": {"dedupKey": ""}}, "INVALID_INPUT", ["mapping", "dedupKey"]),
        ({"mapping": {"startedAt": "[1]"}}, "INVALID_INPUT", ["mapping", "startedAt"]),
        ({"source": "PROMETHEUS", "mapping": {"title": "item.t"}}, "INVALID_INPUT", ["mapping"]),
        (
            {"mapping": {"labels": [{"name": "a", "expression": "item.a"}, {"name": "a", "expression": "item.b"}]}},
            "INVALID_INPUT",
            ["mapping", "labels"],
        ),
    ],
)
async def test_a_bad_value_is_named(
    api: Api, manager: Person, what: dict[str, Any], code: str, path: list[str]
) -> None:
    refused = await create(api, manager, **what)
    assert (refused.get("code"), refused.get("path")) == (code, path), refused


async def test_what_is_given_is_kept_and_shown(api: Api, manager: Person) -> None:
    team = await api.team("Payments")
    made = await create(
        api,
        manager,
        defaultTeamId=str(team.id),
        severityMap=[{"word": " SEV-A ", "severity": "CRITICAL"}],
        mapping={"title": "item.subject", "labels": [{"name": "host", "expression": "item.host"}]},
        hmacSecret="a shared secret",
    )
    shown = made["integration"]
    assert shown["defaultTeam"] == {"name": "Payments"}
    assert shown["severityMap"] == [{"word": "sev-a", "severity": "CRITICAL"}]
    assert shown["mapping"] == {"title": "item.subject", "labels": [{"name": "host", "expression": "item.host"}]}
    assert shown["isSigned"] is True


async def test_the_shared_secret_is_sealed_for_its_row(api: Api, manager: Person) -> None:
    made = await create(api, manager, hmacSecret="a shared secret")
    async with api.engine.connect() as connection:
        row = (await connection.execute(sa.select(integrations).where(integrations.c.name == "Orders"))).one()
    assert b"a shared secret" not in row.sealed_hmac_secret
    assert api.state.sealer.unseal(row.sealed_hmac_secret, column=HMAC_COLUMN, row=row.id) == "a shared secret"
    assert str(row.id) == made["integration"]["id"]


async def test_an_edit_changes_what_it_names_and_no_more(api: Api, manager: Person) -> None:
    team = await api.team("Payments")
    made = await create(api, manager, defaultTeamId=str(team.id), hmacSecret="a shared secret")
    integration_id = made["integration"]["id"]
    shown = SHOWN.removeprefix("key ")
    renamed = await api.change("updateIntegration", {"id": integration_id, "name": "Checkout"}, shown, who=manager)
    assert renamed["integration"] == {**made["integration"], "name": "Checkout", "version": 2}
    cleared = await api.change(
        "updateIntegration",
        {"id": integration_id, "defaultTeamId": None, "hmacSecret": None, "severityMap": [], "mapping": None},
        shown,
        who=manager,
    )
    assert cleared["integration"]["defaultTeam"] is None
    assert cleared["integration"]["isSigned"] is False
    same = await api.change("updateIntegration", {"id": integration_id, "name": "Checkout"}, shown, who=manager)
    assert same["integration"]["version"] == 3
    async with api.engine.connect() as connection:
        statement = sa.select(audit_log).where(audit_log.c.action == "updateIntegration").order_by(audit_log.c.id)
        entries = list(await connection.execute(statement))
    assert [entry.before["name"] for entry in entries] == ["Orders", "Checkout"]
    assert entries[0].after["name"] == "Checkout"
    assert "secret" not in repr(entries).lower()


async def test_an_edit_of_what_changed_meanwhile_is_refused(api: Api, manager: Person) -> None:
    integration_id = (await create(api, manager))["integration"]["id"]
    await api.change("updateIntegration", {"id": integration_id, "name": "B"}, "integration { id }", who=manager)
    query = """mutation($id: ID!) { updateIntegration(input: {id: $id, expectedVersion: 1, name: "C"}) {
      ... on StaleVersion { code expected actual path } } }"""
    answer = await api.data(query, {"id": integration_id}, who=manager)
    assert answer["updateIntegration"] == {
        "code": "STALE_VERSION",
        "expected": 1,
        "actual": 2,
        "path": ["expectedVersion"],
    }


async def test_two_keys_live_while_one_replaces_the_other(api: Api, manager: Person) -> None:
    made = await create(api, manager)
    old, integration_id = made["key"], made["integration"]["id"]
    what = {"id": integration_id, "overlap": "PT1H"}
    turned = await api.change("rotateIntegrationKey", what, SHOWN + " oldKeysEndAt", who=manager)
    new = turned["key"]
    assert [key["isLive"] for key in turned["integration"]["keys"]] == [True, True]
    assert turned["integration"]["keys"][1]["expiresAt"] == turned["oldKeysEndAt"]
    assert await post(api, new) == 202
    assert await post(api, old) == 202
    api.clock.ahead = timedelta(hours=1, seconds=1)
    assert await post(api, new) == 202
    assert await post(api, old) == 401


async def test_a_second_rotation_does_not_cut_short_what_the_first_promised(api: Api, manager: Person) -> None:
    made = await create(api, manager)
    integration_id = made["integration"]["id"]
    first = await api.change("rotateIntegrationKey", {"id": integration_id, "overlap": "PT1H"}, SHOWN, who=manager)
    await api.change("rotateIntegrationKey", {"id": integration_id, "overlap": "PT2H"}, SHOWN, who=manager)
    api.clock.ahead = timedelta(minutes=59)
    assert await post(api, made["key"]) == 202
    assert await post(api, first["key"]) == 202
    api.clock.ahead = timedelta(minutes=61)
    assert await post(api, made["key"]) == 401
    assert await post(api, first["key"]) == 202


async def test_an_overlap_of_nothing_ends_the_old_key_now(api: Api, manager: Person) -> None:
    made = await create(api, manager)
    assert await post(api, made["key"]) == 202
    what = {"id": made["integration"]["id"], "overlap": "PT0S"}
    turned = await api.change("rotateIntegrationKey", what, SHOWN, who=manager)
    assert [key["isLive"] for key in turned["integration"]["keys"]] == [True, False]
    await taken(api, made["key"], 401)
    assert await post(api, turned["key"]) == 202


async def test_a_rotation_sent_twice_makes_one_key(api: Api, manager: Person) -> None:
    made = await create(api, manager)
    what = {"id": made["integration"]["id"], "idempotencyKey": "k"}
    first = await api.change("rotateIntegrationKey", what, SHOWN + " oldKeysEndAt", who=manager)
    second = await api.change("rotateIntegrationKey", what, SHOWN + " oldKeysEndAt", who=manager)
    assert second == {**first, "key": None}
    assert len(second["integration"]["keys"]) == 2


@pytest.mark.parametrize(("overlap", "is_duration"), [("P31D", True), ("-PT1H", False), ("soon", False)])
async def test_an_absurd_overlap_is_refused(api: Api, manager: Person, overlap: str, is_duration: bool) -> None:
    made = await create(api, manager)
    query = """mutation($o: Duration, $id: ID!) {
      rotateIntegrationKey(input: {id: $id, overlap: $o}) { ... on UserError { code } } }"""
    answer = await api.ask(query, {"o": overlap, "id": made["integration"]["id"]}, who=manager)
    if is_duration:
        assert answer == {"data": {"rotateIntegrationKey": {"code": "INVALID_INPUT"}}}
    else:
        assert "ISO 8601" in answer["errors"][0]["message"]
        assert answer["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


async def test_a_revoked_key_is_refused_and_its_neighbour_is_not(api: Api, manager: Person) -> None:
    made = await create(api, manager)
    integration_id = made["integration"]["id"]
    turned = await api.change("rotateIntegrationKey", {"id": integration_id}, SHOWN, who=manager)
    old = turned["integration"]["keys"][1]
    what = {"id": integration_id, "keyId": old["id"]}
    for _ in range(2):
        answer = await api.change("revokeIntegrationKey", what, "integration { keys { isLive } }", who=manager)
        assert [key["isLive"] for key in answer["integration"]["keys"]] == [True, False]
    await taken(api, made["key"], 401)
    assert await post(api, turned["key"]) == 202
    missing = await api.change(
        "revokeIntegrationKey", {"id": integration_id, "keyId": NO_SUCH}, "integration { id }", who=manager
    )
    assert (missing["code"], missing["path"]) == ("NOT_FOUND", ["keyId"])


async def test_an_archived_integration_takes_nothing_and_is_still_there_to_read(api: Api, manager: Person) -> None:
    made = await create(api, manager)
    integration_id = made["integration"]["id"]
    assert await post(api, made["key"]) == 202
    gone = await api.change("archiveIntegration", {"id": integration_id}, "integration { archivedAt }", who=manager)
    assert gone["integration"]["archivedAt"] is not None
    await taken(api, made["key"], 401)
    assert (await api.data("{ integrations { id } }", who=manager))["integrations"] == []
    listed = await api.data("{ integrations(includeArchived: true) { id } }", who=manager)
    assert listed["integrations"] == [{"id": integration_id}]
    one = "query($id: ID!) { integration(id: $id) { name } }"
    assert (await api.data(one, {"id": integration_id}, who=manager))["integration"] == {"name": "Orders"}
    again = await api.change("archiveIntegration", {"id": integration_id}, "integration { id }", who=manager)
    assert again["code"] == "NOT_FOUND"


@pytest.mark.parametrize("integration_id", [NO_SUCH, "nonsense", "", "00000000-0000-7000-8000-000000000001"])
async def test_what_is_no_integration_is_not_found(api: Api, manager: Person, integration_id: str) -> None:
    for mutation in ("updateIntegration", "rotateIntegrationKey", "archiveIntegration"):
        answer = await api.change(mutation, {"id": integration_id}, "integration { id }", who=manager)
        assert (answer["code"], answer["path"]) == ("NOT_FOUND", ["id"])
    one = "query($id: ID!) { integration(id: $id) { name } }"
    assert (await api.data(one, {"id": integration_id}, who=manager))["integration"] is None


async def test_a_post_is_seen(api: Api, manager: Person) -> None:
    made = await create(api, manager)
    assert made["integration"]["lastSeenAt"] is None
    assert await post(api, made["key"]) == 202
    await api.state.directory.activity.flush()
    query = "{ integrations { lastSeenAt } }"
    assert (await api.data(query, who=manager))["integrations"][0]["lastSeenAt"] is not None


async def test_an_integration_of_a_hidden_team_is_hidden_too(api: Api, manager: Person) -> None:
    hidden = await api.team("Hidden", is_private=True)
    admin = await api.person(Role.ADMIN)
    await create(api, admin, defaultTeamId=str(hidden.id))
    query = "{ integrations { defaultTeam { name } } }"
    assert (await api.data(query, who=admin))["integrations"] == [{"defaultTeam": {"name": "Hidden"}}]
    assert (await api.data(query, who=manager))["integrations"] == []
