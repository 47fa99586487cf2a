"""Does a private team keep its integrations to itself: their names, their keys, their receipts, what they rejected?"""

from typing import Any

import pytest
import sqlalchemy as sa

from domain.alerts.model import AlertStatus
from domain.identity.model import Role, Team
from domain.ids import new_id
from persistence.tables import alerts, integrations
from tests.alert_builder import an_alert
from tests.alert_rows import put_alerts
from tests.api import Api, Person
from tests.waiting import until_true

INTEGRATIONS = "{ integrations(includeArchived: true) { id name lastSeenAt keys { id } } }"
ONE = "query($id: ID!) { integration(id: $id) { name } }"
RECEIPT = """query($id: ID!) { ingestReceipt(id: $id) {
  accepted rejected items { nodes { index outcome alert { id } rejection { rawText } } } } }"""
REJECTED = "query($id: ID!) { rejectedItems(integrationId: $id) { totalCount nodes { id rawText } } }"
BODY = [{"title": "Disk full", "dedup_key": "d"}, {"titel": "?"}]


@pytest.fixture
async def secret(api: Api) -> Team:
    return await api.team("Secret", is_private=True)


@pytest.fixture
async def insider(api: Api, secret: Team) -> Person:
    return await api.person(Role.MANAGER, teams=(secret,))


@pytest.fixture
async def outsider(api: Api) -> Person:
    return await api.person(Role.MANAGER)


async def create(api: Api, who: Person, **more: object) -> dict[str, Any]:
    what = {"name": "Theirs", "source": "GENERIC", **more}
    return await api.change("createIntegration", what, "key integration { id version keys { id } }", who=who)


async def post(api: Api, key: str) -> str:
    """The receipt's id of a post of one good item and a bad one."""
    answers: list[Any] = []

    async def is_taken() -> bool:
        answers.append(await api.http.post("/webhooks/generic", json=BODY, headers={"authorization": f"Bearer {key}"}))
        return bool(answers[-1].status_code < 400)

    await until_true(is_taken)
    receipt_id: str = answers[-1].headers["x-receipt-id"]
    return receipt_id


async def test_it_is_listed_for_its_members_and_administrators(
    api: Api, secret: Team, insider: Person, outsider: Person
) -> None:
    made = (await create(api, insider, defaultTeamId=str(secret.id)))["integration"]
    open_to_all = (await create(api, outsider, name="Everybody's"))["integration"]
    for who, seen in (
        (insider, {made["id"], open_to_all["id"]}),
        (await api.person(Role.ADMIN), {made["id"], open_to_all["id"]}),
        (outsider, {open_to_all["id"]}),
    ):
        listed = (await api.data(INTEGRATIONS, who=who))["integrations"]
        assert {row["id"] for row in listed} == seen
        one = (await api.data(ONE, {"id": made["id"]}, who=who))["integration"]
        assert (one is not None) == (made["id"] in seen)


async def test_a_team_out_of_sight_is_no_team(api: Api, secret: Team, insider: Person, outsider: Person) -> None:
    theirs = (await create(api, insider, defaultTeamId=str(secret.id)))["integration"]
    ours = (await create(api, outsider))["integration"]
    draft: dict[str, Any] = {"draft": {"source": "GENERIC"}, "payload": {"title": "t"}}

    async def tried(team_id: str) -> list[dict[str, Any]]:
        preview = {**draft, "draft": {**draft["draft"], "defaultTeamId": team_id}}
        alert = {"title": "t", "severity": "LOW", "teamId": team_id}
        moved = {"id": ours["id"], "defaultTeamId": team_id}
        return [
            await create(api, outsider, defaultTeamId=team_id),
            await api.change("updateIntegration", moved, "integration { id }", who=outsider),
            await api.change("previewSignal", preview, "total", who=outsider),
            await api.change("createAlert", alert, "alert { id }", who=outsider),
        ]

    refused = [await tried(str(team_id)) for team_id in (secret.id, new_id())]
    assert refused[0] == refused[1]
    assert {answer["code"] for answer in refused[0]} == {"NOT_FOUND"}
    assert [answer["path"] for answer in refused[0]] == [
        ["defaultTeamId"], ["defaultTeamId"], ["draft", "defaultTeamId"], ["teamId"],
    ]  # fmt: skip
    kept = await api.change(
        "updateIntegration", {"id": theirs["id"], "name": "Renamed"}, "integration { name }", who=insider
    )
    assert kept["integration"] == {"name": "Renamed"}


@pytest.mark.parametrize(
    ("mutation", "more"),
    [
        ("updateIntegration", {"defaultTeamId": None}),
        ("updateIntegration", {"name": "Mine now"}),
        ("rotateIntegrationKey", {}),
        ("revokeIntegrationKey", {"keyId": "key"}),
        ("archiveIntegration", {}),
    ],
)
async def test_managers_outside_cannot_administer_it(
    api: Api, secret: Team, insider: Person, outsider: Person, mutation: str, more: dict[str, Any]
) -> None:
    made = (await create(api, insider, defaultTeamId=str(secret.id)))["integration"]
    if "keyId" in more:
        more = {"keyId": made["keys"][0]["id"]}
    answers = [
        await api.change(mutation, {"id": wanted, **more}, "integration { id }", who=outsider)
        for wanted in (made["id"], str(new_id()))
    ]
    assert answers[0] == answers[1]
    assert (answers[0]["code"], answers[0]["path"]) == ("NOT_FOUND", ["id"])
    async with api.engine.connect() as connection:
        row = (await connection.execute(sa.select(integrations).where(integrations.c.id == made["id"]))).one()
    assert (row.default_team_id, row.version, row.archived_at) == (secret.id, 1, None)
    assert (await api.change(mutation, {"id": made["id"], **more}, "integration { id }", who=insider))[
        "integration"
    ] == {"id": made["id"]}


async def test_its_posts_are_hidden_too(api: Api, secret: Team, insider: Person, outsider: Person) -> None:
    made = await create(api, insider, defaultTeamId=str(secret.id))
    receipt_id = await post(api, made["key"])
    integration_id = made["integration"]["id"]
    assert (await api.data(RECEIPT, {"id": receipt_id}, who=outsider))["ingestReceipt"] is None
    assert (await api.data(REJECTED, {"id": integration_id}, who=outsider))["rejectedItems"] == {
        "totalCount": 0, "nodes": [],
    }  # fmt: skip
    preview = {"integrationId": integration_id, "payload": {"title": "t"}}
    assert (await api.change("previewSignal", preview, "total", who=outsider))["code"] == "NOT_FOUND"
    seen = (await api.data(RECEIPT, {"id": receipt_id}, who=insider))["ingestReceipt"]
    assert (seen["accepted"], seen["rejected"], len(seen["items"]["nodes"])) == (1, 1, 2)
    (item,) = (await api.data(REJECTED, {"id": integration_id}, who=insider))["rejectedItems"]["nodes"]

    results = "results { receiptId error { code message path } }"
    refused = [
        await api.change("replayRejectedItems", {"ids": [wanted]}, results, who=outsider)
        for wanted in (item["id"], str(new_id()))
    ]
    assert refused[0] == refused[1]
    assert refused[0]["results"][0]["error"]["code"] == "NOT_FOUND"


async def test_a_receipt_shows_each_viewer_what_is_theirs_to_see(
    api: Api, secret: Team, insider: Person, outsider: Person
) -> None:
    made = await create(api, insider)
    body = [{"title": "Ours", "dedup_key": "ours"}, {"titel": "?"}, {"title": "Theirs", "dedup_key": "theirs"}]
    headers = {"authorization": f"Bearer {made['key']}"}
    await post(api, made["key"])
    answer = await api.http.post("/webhooks/generic", json=body, headers=headers)
    receipt_id = answer.headers["x-receipt-id"]
    only_theirs = (await api.http.post("/webhooks/generic", json=body[2:], headers=headers)).headers["x-receipt-id"]
    async with api.engine.begin() as connection:
        await connection.execute(sa.update(alerts).where(alerts.c.dedup_key.like("%theirs")).values(team_id=secret.id))
    whole = (await api.data(RECEIPT, {"id": receipt_id}, who=insider))["ingestReceipt"]
    assert (whole["accepted"], [item["index"] for item in whole["items"]["nodes"]]) == (2, [0, 1, 2])
    part = (await api.data(RECEIPT, {"id": receipt_id}, who=outsider))["ingestReceipt"]
    assert (part["accepted"], part["rejected"]) == (1, 1)
    assert [item["index"] for item in part["items"]["nodes"]] == [0, 1]
    assert (await api.data(RECEIPT, {"id": only_theirs}, who=outsider))["ingestReceipt"] is None
    assert (await api.data(RECEIPT, {"id": only_theirs}, who=insider))["ingestReceipt"]["accepted"] == 1


async def test_a_newer_alert_out_of_sight_is_not_named(api: Api, secret: Team, outsider: Person) -> None:
    old = an_alert(status=AlertStatus.RESOLVED, dedup_key="manual:2:-:moved")
    new = an_alert(dedup_key="manual:2:-:moved", team_id=secret.id)
    async with api.engine.begin() as connection:
        await put_alerts(connection, [old, new])
    query = "mutation($id: ID!) { reopenAlert(input: {id: $id}) { ... on NewerAlertOpen { code newerAlertId } } }"
    answer = await api.data(query, {"id": str(old.id)}, who=outsider)
    assert answer["reopenAlert"] == {"code": "NEWER_ALERT_OPEN", "newerAlertId": None}


async def test_an_alert_in_sight_does_not_name_an_integration_that_is_not(
    api: Api, secret: Team, insider: Person, outsider: Person
) -> None:
    made = await create(api, insider)
    await post(api, made["key"])
    moved = {"id": made["integration"]["id"], "defaultTeamId": str(secret.id)}
    await api.change("updateIntegration", moved, "integration { id }", who=insider)
    query = "{ alerts { nodes { integration { name } timeline { nodes { actor { __typename } } } } } }"
    for who, name in ((insider, {"name": "Theirs"}), (outsider, None)):
        (alert,) = (await api.data(query, who=who))["alerts"]["nodes"]
        assert alert["integration"] == name
