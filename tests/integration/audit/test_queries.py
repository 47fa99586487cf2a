"""Does an auditor find what was done, by whom and from where; and see that it stands as it was sealed?"""

import hashlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa

from domain.audit.merkle import proves_inclusion
from domain.identity.model import Role
from domain.ids import new_id
from jobs.sealing import AuditSealing
from persistence.direct import open_log_pool
from persistence.tables import audit_log
from tests.api import Api, Person, api_settings, running_api

LIST = """
query($filter: AuditFilter, $first: Int, $after: String) {
  auditEntries(filter: $filter, first: $first, after: $after) {
    nodes { id action outcome actorId targetKind targetId } pageInfo { hasNextPage endCursor }
  }
}
"""
ONE = """
query($id: ID!) { auditEntry(id: $id) {
  id occurredAt actorKind actorId user { id } sessionId ipAddress requestId action outcome targetKind targetId
  before after seal { number rowCount root key content signature previous hash firstRow sealedAt }
  proof { place row leaf path isValid }
} }
"""


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(api_settings(database_url, tmp_path, audit_seal_interval=0)) as opened:
        yield opened


@pytest.fixture
async def auditor(api: Api) -> Person:
    return await api.person(Role.ADMIN)


async def seal(api: Api) -> None:
    pool = await open_log_pool(api.settings, size=1, name="tests")
    try:
        await AuditSealing(api.settings, pool, clock=api.clock).round()
    finally:
        pool.terminate()


async def made(api: Api, **values: Any) -> str:  # noqa: ANN401 - columns
    """One entry, straight into the table."""
    row = {
        "id": new_id(),
        "occurred_at": datetime.now(tz=UTC),
        "actor_kind": "user",
        "action": "act",
        "outcome": "done",
    }
    async with api.engine.begin() as connection:
        await connection.execute(sa.insert(audit_log).values(row | values))
    return str((row | values)["id"])


async def found(api: Api, auditor: Person, **wanted: object) -> list[str]:
    answer = await api.data(LIST, {"filter": wanted}, who=auditor)
    return [node["id"] for node in answer["auditEntries"]["nodes"]]


async def test_each_filter_finds_its_entries_the_newest_first(api: Api, auditor: Person) -> None:
    actor, target, session = new_id(), new_id(), new_id()
    then = datetime(2026, 1, 5, 12, tzinfo=UTC)
    by_actor = await made(api, actor_id=actor, occurred_at=then)
    on_target = await made(api, target_id=target, target_kind="alert", occurred_at=then + timedelta(hours=1))
    in_session = await made(api, session_id=session, occurred_at=then + timedelta(hours=2))
    from_address = await made(api, ip_address="2001:db8::7", occurred_at=then + timedelta(hours=3))
    refused = await made(api, outcome="refused", action="deleteAll", occurred_at=then + timedelta(hours=4))
    newest_first = [refused, from_address, in_session, on_target, by_actor]

    assert await found(api, auditor, actorId=str(actor)) == [by_actor]
    assert await found(api, auditor, targetId=str(target)) == [on_target]
    assert await found(api, auditor, targetKind="alert") == [on_target]
    assert await found(api, auditor, sessionId=str(session)) == [in_session]
    assert await found(api, auditor, ipAddress="2001:DB8:0::7") == [from_address]
    assert await found(api, auditor, outcome="REFUSED") == [refused]
    assert await found(api, auditor, action="deleteAll", outcome="REFUSED") == [refused]
    assert await found(api, auditor, action="deleteAll", outcome="DONE") == []
    until = (then + timedelta(days=1)).isoformat()
    assert await found(api, auditor, until=until) == newest_first
    since = (then + timedelta(hours=3)).isoformat()
    assert await found(api, auditor, since=since, until=until) == newest_first[:2]
    assert await found(api, auditor, until=(then + timedelta(hours=1)).isoformat()) == [by_actor]
    for nothing in ("no uuid", str(new_id())):
        assert await found(api, auditor, actorId=nothing) == []


async def test_pages_hang_together_also_across_entries_of_one_moment(api: Api, auditor: Person) -> None:
    then = datetime(2026, 1, 5, 12, tzinfo=UTC)
    written = [await made(api, occurred_at=then + timedelta(seconds=number // 3)) for number in range(8)]
    seen: list[str] = []
    after = None
    while True:
        variables = {"filter": {"until": "2026-02-01T00:00:00Z"}, "first": 3, "after": after}
        page = (await api.data(LIST, variables, who=auditor))["auditEntries"]
        seen += [node["id"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert seen == written[::-1]
    backwards = '{ auditEntries(last: 2, filter: {until: "2026-02-01T00:00:00Z"}) { nodes { id } } }'
    assert [node["id"] for node in (await api.data(backwards, who=auditor))["auditEntries"]["nodes"]] == written[1::-1]


@pytest.mark.parametrize(
    ("wanted", "path"),
    [
        ({"ipAddress": "not an address"}, ["filter", "ipAddress"]),
        ({"action": "x" * 201}, ["filter", "action"]),
        ({"targetKind": "x" * 201}, ["filter", "targetKind"]),
        ({"since": "2026-02-01T00:00:00Z", "until": "2026-01-01T00:00:00Z"}, ["filter", "until"]),
    ],
)
async def test_a_filter_that_cannot_be_is_refused(
    api: Api, auditor: Person, wanted: dict[str, str], path: list[str]
) -> None:
    (error,) = (await api.ask(LIST, {"filter": wanted}, who=auditor))["errors"]
    assert (error["extensions"]["code"], error["extensions"]["path"]) == ("INVALID_INPUT", path)


async def test_an_entry_is_shown_as_it_was_written_with_its_seal_and_a_proof_that_holds(
    api: Api, auditor: Person
) -> None:
    alert = await api.change("createAlert", {"title": "disk full", "severity": "HIGH"}, "alert { id }", who=auditor)
    (entry_id,) = await found(api, auditor, targetId=alert["alert"]["id"])
    waiting = (await api.data(ONE, {"id": entry_id}, who=auditor))["auditEntry"]
    assert (waiting["seal"], waiting["proof"]) == (None, None)
    await seal(api)

    entry = (await api.data(ONE, {"id": entry_id}, who=auditor))["auditEntry"]
    assert (entry["action"], entry["outcome"], entry["actorKind"]) == ("createAlert", "DONE", "USER")
    assert entry["actorId"] == entry["user"]["id"] == str(auditor.id)
    assert (entry["sessionId"], entry["targetKind"]) == (str(auditor.session_id), "alert")
    assert entry["requestId"]
    assert entry["after"]["title"] == "disk full"
    proof, sealed = entry["proof"], entry["seal"]
    assert proof["isValid"]
    leaf = hashlib.sha256(b"\x00" + proof["row"].encode()).digest()
    assert leaf.hex() == proof["leaf"]
    assert json.loads(proof["row"])[1] == entry_id
    path = [bytes.fromhex(one) for one in proof["path"]]
    root = bytes.fromhex(sealed["root"])
    assert proves_inclusion(leaf, place=proof["place"], count=sealed["rowCount"], proof=path, root=root)
    assert json.loads(sealed["content"])[7] == sealed["root"]


async def test_a_proof_says_that_an_entry_was_changed(api: Api, auditor: Person, superuser: asyncpg.Connection) -> None:
    entry_id = await made(api)
    await seal(api)
    await superuser.execute("UPDATE audit_log SET action = 'other' WHERE id = $1", entry_id)
    entry = (await api.data(ONE, {"id": entry_id}, who=auditor))["auditEntry"]
    assert (entry["action"], entry["proof"]["isValid"]) == ("other", False)


async def test_what_is_not_there_is_null(api: Api, auditor: Person) -> None:
    for nothing in ("no uuid", str(new_id())):
        assert (await api.data(ONE, {"id": nothing}, who=auditor))["auditEntry"] is None


async def test_the_seals_are_listed_the_newest_first(api: Api, auditor: Person) -> None:
    for _ in range(3):
        await made(api)
        await seal(api)
    query = (
        "query($after: String) { auditSeals(first: 2, after: $after)"
        " { nodes { number previous hash } pageInfo { endCursor } } }"
    )
    page = (await api.data(query, who=auditor))["auditSeals"]
    rest = (await api.data(query, {"after": page["pageInfo"]["endCursor"]}, who=auditor))["auditSeals"]
    seals = [*page["nodes"], *rest["nodes"]]
    assert [one["number"] for one in seals] == [3, 2, 1]
    assert [one["previous"] for one in seals] == [seals[1]["hash"], seals[2]["hash"], None]


async def test_who_may_not_is_refused_and_the_refusal_is_on_the_log(api: Api, auditor: Person) -> None:
    manager = await api.person(Role.MANAGER)
    queries = (
        "{ auditEntries { nodes { id } } }",
        '{ auditEntry(id: "1") { id } }',
        "{ auditSeals { nodes { key } } }",
    )
    for query in queries:
        assert await api.code(query, who=manager) == "FORBIDDEN"
        assert await api.code(query) == "UNAUTHENTICATED"
    answer = await api.data(LIST, {"filter": {"actorId": str(manager.id), "outcome": "REFUSED"}}, who=auditor)
    actions = [node["action"] for node in answer["auditEntries"]["nodes"]]
    assert actions == ["auditSeals", "auditEntry", "auditEntries"]


async def test_looking_into_the_log_is_on_the_log(api: Api, auditor: Person) -> None:
    target = new_id()
    entry_id = await made(api, target_id=target)
    assert await found(api, auditor, targetId=str(target)) == [entry_id]
    (looked,) = await found(api, auditor, action="readPersonalData")
    entry = (await api.data(ONE, {"id": looked}, who=auditor))["auditEntry"]
    assert (entry["targetKind"], entry["targetId"]) == ("audit_entry", entry_id)
    assert entry["after"] == {
        "fields": ["auditEntries"],
        "audit_entry": {"count": 1, "ids": [entry_id], "asked": {"target_id": str(target)}},
    }
