"""Does a client change alerts over GraphQL as the schema promises: life, edits, refusals as data, keys, bulk?"""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
import sqlalchemy as sa

from domain.alerts.model import AlertStatus
from domain.identity.model import Role
from domain.ids import new_id
from persistence.tables import alerts, audit_log
from tests.alert_builder import an_alert
from tests.alert_rows import put_alerts
from tests.api import Api, Person

ALERT = "alert { id title status severity version }"


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def api(module_api: Api) -> Api:
    return module_api


@pytest_asyncio.fixture(loop_scope="module")
async def operator(api: Api) -> Person:
    return await api.person(Role.OPERATOR)


async def _actions(api: Api, who: Person) -> list[str]:
    """What the audit log says somebody did."""
    async with api.engine.connect() as connection:
        found = sa.select(audit_log.c.action).where(audit_log.c.actor_id == who.id).order_by(audit_log.c.id)
        return list(await connection.scalars(found))


async def _create(api: Api, who: Person, **fields: object) -> dict[str, Any]:
    what = {"title": "Disk full", "severity": "HIGH", **fields}
    return await api.change("createAlert", what, f"isNew {ALERT}", who=who)


async def test_an_alert_is_opened_worked_on_and_ended(api: Api, operator: Person) -> None:
    made = await _create(
        api,
        operator,
        description="db-1 has 0 bytes left",
        serviceName="db",
        labels={"instance": "db-1"},
        metadata={"graph": [1, 2.5, None, {"deep": True}]},
    )
    assert made["isNew"]
    alert_id = made["alert"]["id"]
    version = made["alert"]["version"]
    for mutation, more in (
        ("acknowledgeAlert", {}),
        ("investigateAlert", {}),
        ("assignAlert", {"assigneeId": str(operator.id)}),
        ("updateAlert", {"severity": "CRITICAL", "description": None}),
        ("snoozeAlert", {"until": (api.clock.now() + timedelta(hours=1)).isoformat()}),
        ("wakeAlert", {}),
        ("resolveAlert", {"reason": "bigger disk"}),
        ("reopenAlert", {}),
    ):
        answer = await api.change(mutation, {"id": alert_id, "expectedVersion": version, **more}, ALERT, who=operator)
        assert answer["__typename"].endswith("Success"), answer
        assert answer["alert"]["version"] == version + 1
        version += 1
    said = await api.change(
        "commentOnAlert",
        {"id": alert_id, "text": "looks better"},
        "event { kind comment actor { __typename } }",
        who=operator,
    )
    assert said["event"] == {"kind": "COMMENTED", "comment": "looks better", "actor": {"__typename": "User"}}
    shown = (
        await api.data(
            """query($id: ID!) { alert(id: $id) {
                 title description severity status source serviceName labels metadata dedupKey dedupRecipe occurrences
                 episode resolvedAt resolvedBy resolution isFalsePositive snoozedUntil version allowedStatuses
                 assignedTo { id } integration { name } team { id } group { id } suppression { silences { id } }
                 attachments { id }
                 decisions { __typename ... on Explanation { reason } ... on DedupKeyDecision { key } }
                 timeline(first: 100) { totalCount nodes {
                   kind actor { __typename ... on User { id } } changes { field before after } comment reason version }
                 }
               } }""",
            {"id": alert_id},
            who=operator,
        )
    )["alert"]
    assert shown["metadata"] == {"graph": [1, 2.5, None, {"deep": True}]}
    assert (shown["description"], shown["severity"], shown["status"]) == (None, "CRITICAL", "ACTIVE")
    assert (shown["episode"], shown["source"], shown["integration"]) == (2, "manual", None)
    assert shown["assignedTo"] == {"id": str(operator.id)}
    assert shown["allowedStatuses"] == ["ACKNOWLEDGED", "RESOLVED"]
    assert {entry["__typename"] for entry in shown["decisions"]} == {"DedupKeyDecision", "FoldDecision"}
    timeline = shown["timeline"]
    kinds = [event["kind"] for event in timeline["nodes"]]
    assert kinds == [
        "OPENED", "ACKNOWLEDGED", "INVESTIGATING", "ASSIGNED", "UPDATED", "SNOOZED", "WOKEN", "RESOLVED", "REOPENED",
        "COMMENTED",
    ]  # fmt: skip
    assert timeline["totalCount"] == len(kinds)
    assert {event["actor"]["id"] for event in timeline["nodes"]} == {str(operator.id)}
    assert {"field": "severity", "before": "HIGH", "after": "CRITICAL"} in timeline["nodes"][4]["changes"]
    assert timeline["nodes"][1]["changes"] == [{"field": "status", "before": "ACTIVE", "after": "ACKNOWLEDGED"}]


async def test_refusals_are_data_with_what_the_client_needs(api: Api, operator: Person) -> None:
    alert_id = (await _create(api, operator))["alert"]["id"]
    query = """mutation($input: InvestigateAlertInput!) { investigateAlert(input: $input) { __typename
        ... on UserError { message code path } ... on IllegalMove { current allowed } } }"""
    illegal = (await api.data(query, {"input": {"id": alert_id}}, who=operator))["investigateAlert"]
    assert (illegal["__typename"], illegal["code"]) == ("IllegalMove", "ILLEGAL_MOVE")
    assert (illegal["current"], illegal["allowed"]) == ("ACTIVE", ["ACKNOWLEDGED", "RESOLVED"])
    stale = await api.change("acknowledgeAlert", {"id": alert_id, "expectedVersion": 7}, ALERT, who=operator)
    assert (stale["__typename"], stale["path"]) == ("StaleVersion", ["expectedVersion"])
    for unknown in (str(new_id()), "no id at all"):
        gone = await api.change("acknowledgeAlert", {"id": unknown}, ALERT, who=operator)
        assert (gone["__typename"], gone["code"]) == ("NotFound", "NOT_FOUND")
    viewer = await api.person(Role.VIEWER)
    forbidden = await api.change("acknowledgeAlert", {"id": alert_id}, ALERT, who=viewer)
    assert forbidden["__typename"] == "Forbidden"
    assert await api.code(query, {"input": {"id": alert_id}}) == "UNAUTHENTICATED"


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"title": "  "}, ["title"]),
        ({"title": "x" * 501}, ["title"]),
        ({"labels": {"a": 1}}, ["labels", "a"]),
        ({"labels": ["a"]}, ["labels"]),
        ({"metadata": "text"}, ["metadata"]),
        ({"teamId": "nobody"}, ["teamId"]),
        ({"teamId": str(new_id())}, ["teamId"]),
        ({"dedupKey": "k" * 201}, ["dedupKey"]),
        ({"idempotencyKey": ""}, ["idempotencyKey"]),
    ],
)
async def test_a_draft_that_cannot_be_kept_is_refused_by_name(
    api: Api, operator: Person, fields: dict[str, Any], path: list[str]
) -> None:
    answer = await _create(api, operator, **fields)
    refusal = "NotFound" if path == ["teamId"] else "InvalidInput"
    assert (answer["__typename"], answer["path"]) == (refusal, path)
    assert await _actions(api, operator) == []


@pytest.mark.parametrize("fields", [{"title": "nul \x00"}, {"metadata": {"deep": [{"\x00": 1}]}}])
async def test_a_character_that_no_store_keeps_is_refused_at_the_door(
    api: Api, operator: Person, fields: dict[str, Any]
) -> None:
    query = "mutation($input: CreateAlertInput!) { createAlert(input: $input) { __typename } }"
    assert await api.code(query, {"input": {"title": "t", "severity": "LOW", **fields}}, who=operator) == "BAD_REQUEST"


async def test_a_creation_sent_again_finds_what_it_made(api: Api, operator: Person) -> None:
    first = await _create(api, operator, idempotencyKey="k1")
    again = await _create(api, operator, idempotencyKey="k1")
    assert again == first
    other = await _create(api, operator, idempotencyKey="k1", title="Another")
    assert (other["__typename"], other["code"]) == ("IdempotencyConflict", "IDEMPOTENCY_CONFLICT")
    somebody = await api.person(Role.OPERATOR)
    theirs = await _create(api, somebody, idempotencyKey="k1")
    assert theirs["alert"]["id"] != first["alert"]["id"]


async def test_twenty_creations_at_once_with_one_key_make_one_alert(api: Api, operator: Person) -> None:
    title = f"Once {new_id()}"
    answers = await asyncio.gather(*(_create(api, operator, title=title, idempotencyKey="k2") for _ in range(20)))
    assert {answer["alert"]["id"] for answer in answers} == {answers[0]["alert"]["id"]}
    assert await _actions(api, operator) == ["createAlert"]
    async with api.engine.connect() as connection:
        made = sa.select(sa.func.count()).select_from(alerts).where(alerts.c.title == title)
        assert await connection.scalar(made) == 1


async def test_drafts_of_one_dedup_key_fold_into_one_alert(api: Api, operator: Person) -> None:
    first = await _create(api, operator, dedupKey="fold")
    again = await _create(api, operator, dedupKey="fold")
    assert (again["isNew"], again["alert"]["id"]) == (False, first["alert"]["id"])
    ended = await api.change("resolveAlert", {"id": first["alert"]["id"]}, ALERT, who=operator)
    assert ended["alert"]["status"] == "RESOLVED"
    # A person who says that it happens again is no re-send.
    third = await _create(api, operator, dedupKey="fold")
    assert (third["isNew"], third["alert"]["status"]) == (False, "ACTIVE")


async def test_a_team_keeps_its_keys_to_itself(api: Api, operator: Person) -> None:
    secret = await api.team("Secret", is_private=True)
    member = await api.person(Role.OPERATOR, teams=(secret,))
    theirs = await _create(api, member, dedupKey="k", teamId=str(secret.id))
    assert theirs["isNew"]
    assert (await _create(api, operator, dedupKey="k"))["isNew"]
    assert (await _create(api, operator, teamId=str(secret.id)))["path"] == ["teamId"]
    hidden = await api.change("acknowledgeAlert", {"id": theirs["alert"]["id"]}, ALERT, who=operator)
    assert hidden["__typename"] == "NotFound"


async def test_a_newer_open_alert_is_named(api: Api, operator: Person) -> None:
    old = an_alert(status=AlertStatus.RESOLVED, dedup_key="manual:2:-:newer")
    new = an_alert(dedup_key="manual:2:-:newer")
    async with api.engine.begin() as connection:
        await put_alerts(connection, [old, new])
    query = """mutation($id: ID!) { reopenAlert(input: {id: $id}) { ... on NewerAlertOpen { code newerAlertId } } }"""
    answer = await api.data(query, {"id": str(old.id)}, who=operator)
    assert answer["reopenAlert"] == {"code": "NEWER_ALERT_OPEN", "newerAlertId": str(new.id)}


async def test_bulk_has_a_result_for_each(api: Api, operator: Person) -> None:
    ids = [(await _create(api, operator))["alert"]["id"] for _ in range(3)]
    await api.change("resolveAlert", {"id": ids[0]}, ALERT, who=operator)
    shown = "results { id alert { status } error { __typename message code ... on IllegalMove { current } } }"
    wanted = [*ids, str(new_id())]
    answer = await api.change("acknowledgeAlerts", {"ids": wanted}, shown, who=operator)
    results = answer["results"]
    assert [result["id"] for result in results] == wanted
    assert [result["error"] and result["error"]["code"] for result in results] == [
        "ILLEGAL_MOVE", None, None, "NOT_FOUND",
    ]  # fmt: skip
    assert results[0]["error"]["current"] == "RESOLVED"
    assert results[1]["alert"] == {"status": "ACKNOWLEDGED"}
    assigned = await api.change("assignAlerts", {"ids": ids, "assigneeId": str(operator.id)}, shown, who=operator)
    assert [result["error"] for result in assigned["results"]] == [None, None, None]
    resolved = await api.change("resolveAlerts", {"ids": ids[1:], "falsePositive": True}, shown, who=operator)
    assert [result["alert"]["status"] for result in resolved["results"]] == ["RESOLVED", "RESOLVED"]
    assert (await api.change("resolveAlerts", {"ids": []}, shown, who=operator))["path"] == ["ids"]


@pytest.mark.parametrize("field", ["acknowledgeAlerts", "assignAlerts", "resolveAlerts"])
async def test_text_that_is_no_id_keeps_no_other_from_being_changed(api: Api, operator: Person, field: str) -> None:
    shown = "results { id alert { id } error { __typename code path } }"
    alert_id = (await _create(api, operator))["alert"]["id"]
    more = {"assigneeId": str(operator.id)} if field == "assignAlerts" else {}
    missing = {"__typename": "NotFound", "code": "NOT_FOUND", "path": ["id"]}
    answer = await api.change(field, {"ids": ["x", alert_id, "x", ""], **more}, shown, who=operator)
    assert answer["results"] == [
        {"id": "x", "alert": None, "error": missing},
        {"id": alert_id, "alert": {"id": alert_id}, "error": None},
        {"id": "", "alert": None, "error": missing},
    ]
    assert (await api.change(field, {"ids": ["x"], **more}, shown, who=operator))["results"][0]["error"] == missing
    too_many = [f"x{number}" for number in range(101)]
    assert (await api.change(field, {"ids": too_many, **more}, shown, who=operator))["path"] == ["ids"]


async def test_a_comment_sent_again_is_written_once(api: Api, operator: Person) -> None:
    alert_id = (await _create(api, operator))["alert"]["id"]
    what = {"id": alert_id, "text": "on it", "idempotencyKey": "c1"}
    first = await api.change("commentOnAlert", what, "event { id } alert { version }", who=operator)
    again = await api.change("commentOnAlert", what, "event { id } alert { version }", who=operator)
    assert first == again


@pytest.mark.parametrize(
    ("patch", "path"),
    [
        ({}, None),
        ({"title": ""}, ["title"]),
        ({"labels": ["x"]}, ["labels"]),
        ({"labels": {"x": None}}, ["labels", "x"]),
    ],
)
async def test_an_edit_that_cannot_be_made_is_refused(
    api: Api, operator: Person, patch: dict[str, Any], path: list[str] | None
) -> None:
    alert_id = (await _create(api, operator))["alert"]["id"]
    answer = await api.change("updateAlert", {"id": alert_id, **patch}, ALERT, who=operator)
    assert (answer["__typename"], answer["path"]) == ("InvalidInput", path)


@pytest.mark.parametrize("field", ["title", "severity", "isFalsePositive"])
async def test_what_cannot_be_null_is_named(api: Api, operator: Person, field: str) -> None:
    alert_id = (await _create(api, operator))["alert"]["id"]
    written = f"mutation($id: ID!) {{ updateAlert(input: {{id: $id, {field}: null}}) {{ __typename }} }}"
    given = "mutation($input: UpdateAlertInput!) { updateAlert(input: $input) { __typename } }"
    for query, variables, code in (
        (written, {"id": alert_id}, "BAD_REQUEST"),
        (given, {"input": {"id": alert_id, field: None}}, "INVALID_INPUT"),
    ):
        (error,) = (await api.ask(query, variables, who=operator))["errors"]
        assert (error["message"], error["extensions"]["code"]) == (f"`{field}` must not be null", code)


async def test_audit_rows_say_who_changed_what(api: Api, operator: Person) -> None:
    alert_id = (await _create(api, operator))["alert"]["id"]
    await api.change("acknowledgeAlert", {"id": alert_id}, ALERT, who=operator)
    async with api.engine.connect() as connection:
        found = sa.select(audit_log).where(audit_log.c.actor_id == operator.id).order_by(audit_log.c.id)
        rows = (await connection.execute(found)).mappings().all()
    assert [(row["action"], row["outcome"]) for row in rows] == [("createAlert", "done"), ("acknowledgeAlert", "done")]
    for row in rows:
        assert (row["actor_id"], row["session_id"], str(row["target_id"])) == (
            operator.id,
            operator.session_id,
            alert_id,
        )
        assert row["request_id"]
