"""Is a job that falls silent noticed, once, and its return too; and does a 2xx mean that the ping is on disk?"""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from domain.alerts.model import HEARTBEAT_INTEGRATION_ID
from domain.heartbeats.model import new_secret
from domain.identity.model import Role
from graphql_api.webhooks.app import ingest_app
from persistence.engine import create_engine
from tests.api import api_settings, running_api
from tests.integration.thresholds.conftest import World
from tests.waiting import until_true

SHOWN = "key url heartbeat { id state version pingCount lastPingFrom keyPrefix }"
HEARTBEAT = """query($id: ID!) { heartbeat(id: $id) { state pingCount lastPingAt lastPingFrom dueAt version
  watch { integration { name } labels } alert { id status source } } }"""
HOUR = timedelta(hours=1)


async def make(world: World, **more: object) -> dict[str, Any]:
    what = {"name": "Backup", "interval": "PT1H", "grace": "PT10M", "severity": "CRITICAL", **more}
    answer = await world.api.change("createHeartbeat", what, SHOWN, who=world.manager)
    assert answer["__typename"] == "CreateHeartbeatSuccess", answer
    return {"key": answer["key"], "url": answer["url"], **answer["heartbeat"]}


async def shown(world: World, made: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = (await world.api.data(HEARTBEAT, {"id": made["id"]}, who=world.manager))["heartbeat"]
    return found


async def ping(world: World, made: dict[str, Any], method: str = "POST") -> None:
    answer = await world.api.http.request(method, f"/heartbeats/{made['key']}")
    assert answer.status_code == 200, answer.text


async def change(world: World, mutation: str, made: dict[str, Any], **more: object) -> dict[str, Any]:
    answer = await world.api.change(mutation, {"id": made["id"], **more}, "heartbeat { state }", who=world.manager)
    assert answer["__typename"].endswith("Success"), answer
    return answer


def wait(world: World, how_long: timedelta) -> None:
    world.api.clock.ahead += how_long


async def test_a_missed_ping_raises_an_alert_and_the_next_one_resolves_it(world: World) -> None:
    made = await make(world, labels={"host": "db1"}, serviceName="backup", description="See the runbook.")
    assert made["url"].endswith(f"/heartbeats/{made['key']}")
    assert made["key"].startswith(made["keyPrefix"])
    await ping(world, made)
    assert (await shown(world, made))["state"] == "UP"
    wait(world, HOUR + timedelta(minutes=5))
    assert ((await shown(world, made))["state"], await world.beat()) == ("LATE", 0)
    wait(world, timedelta(minutes=6))
    assert await world.beat() == 1
    (alert,) = await world.alerts("heartbeat")
    assert (alert["title"], alert["severity"]) == ("No heartbeat from Backup", "critical")
    assert (alert["integration_id"], alert["service_name"]) == (HEARTBEAT_INTEGRATION_ID, "backup")
    assert "See the runbook." in alert["description"]
    down = await shown(world, made)
    assert (down["state"], down["alert"]) == (
        "DOWN", {"id": str(alert["id"]), "status": "ACTIVE", "source": "heartbeat"}
    )  # fmt: skip
    assert await world.beat() == 0
    await ping(world, made)
    assert await world.beat() == 1
    (alert,) = await world.alerts("heartbeat")
    assert (alert["status"], alert["resolution"].startswith("a ping came at ")) == ("resolved", True)
    assert ((await shown(world, made))["state"], (await shown(world, made))["pingCount"]) == ("UP", 2)


async def test_its_alert_tells_of_the_heartbeat(world: World) -> None:
    made = await make(world)
    await ping(world, made)
    wait(world, 2 * HOUR)
    await world.beat()
    query = """query { alerts(first: 5) { nodes { labels decisions { __typename
      ... on HeartbeatDecision { reason dueAt lastPingAt heartbeat { id } } } } } }"""
    (alert,) = (await world.api.data(query, who=world.manager))["alerts"]["nodes"]
    (decision,) = [one for one in alert["decisions"] if one["__typename"] == "HeartbeatDecision"]
    assert decision["heartbeat"] == {"id": made["id"]}
    assert decision["reason"].startswith("no ping came by ")
    assert alert["labels"] == {"heartbeat": "Backup"}


async def test_one_that_never_pinged_calls_for_nobody(world: World) -> None:
    made = await make(world)
    wait(world, 30 * HOUR)
    assert await world.beat() == 0
    assert (await shown(world, made))["state"] == "NEW"


async def test_two_schedulers_raise_one_alert(world: World) -> None:
    made = [await make(world, name=f"Job {number}") for number in range(10)]
    await asyncio.gather(*[ping(world, one) for one in made])
    wait(world, 2 * HOUR)
    assert sum(await asyncio.gather(*[world.beat() for _ in range(3)])) == 10
    assert [one["occurrences"] for one in await world.alerts("heartbeat")] == [1] * 10
    await asyncio.gather(*[ping(world, one) for one in made])
    assert sum(await asyncio.gather(*[world.beat() for _ in range(3)])) == 10
    assert {one["status"] for one in await world.alerts("heartbeat")} == {"resolved"}


async def test_it_goes_down_again_after_it_was_back(world: World) -> None:
    made = await make(world)
    for _ in range(3):
        await ping(world, made)
        await world.beat()
        wait(world, 2 * HOUR)
        await world.beat()
    assert [one["status"] for one in await world.alerts("heartbeat")] == ["resolved", "resolved", "active"]


@pytest.mark.parametrize(
    ("mutation", "more", "reason"),
    [
        ("pauseHeartbeat", {}, "was paused"),
        ("archiveHeartbeat", {}, "was ended"),
        ("updateHeartbeat", {"interval": "PT12H"}, "was given more time"),
    ],
    ids=["paused", "ended", "more time"],
)
async def test_its_alert_ends_when_nobody_waits_for_it(
    world: World, mutation: str, more: dict[str, Any], reason: str
) -> None:
    made = await make(world)
    await ping(world, made)
    wait(world, 2 * HOUR)
    await world.beat()
    await change(world, mutation, made, **more)
    assert await world.beat() == 1
    (alert,) = await world.alerts("heartbeat")
    assert (alert["status"], reason in alert["resolution"]) == ("resolved", True)
    assert await world.beat() == 0


async def test_more_time_that_is_over_as_well_raises_anew(world: World) -> None:
    made = await make(world)
    await ping(world, made)
    wait(world, 2 * HOUR)
    await world.beat()
    await change(world, "updateHeartbeat", made, interval="PT80M")
    assert [await world.beat(), await world.beat()] == [1, 1]
    assert [one["status"] for one in await world.alerts("heartbeat")] == ["active"]


async def test_a_paused_one_is_not_missed_and_a_resumed_one_has_its_time_from_then(world: World) -> None:
    made = await make(world)
    await ping(world, made)
    await change(world, "pauseHeartbeat", made)
    wait(world, 5 * HOUR)
    await ping(world, made)
    assert ((await shown(world, made))["state"], (await shown(world, made))["pingCount"]) == ("PAUSED", 2)
    wait(world, 5 * HOUR)
    assert await world.beat() == 0
    await change(world, "resumeHeartbeat", made)
    assert ((await shown(world, made))["state"], await world.beat()) == ("UP", 0)
    wait(world, 2 * HOUR)
    assert await world.beat() == 1


async def test_a_ping_between_the_look_and_the_write_wins(world: World) -> None:
    """The look is as of a moment at which it was overdue; the ping came since."""
    made = await make(world)
    await ping(world, made)
    wait(world, 2 * HOUR)
    overdue = world.api.clock.now()
    blocker = await world.pool.acquire()
    hold = blocker.transaction()
    await hold.start()
    await blocker.execute("SELECT FROM heartbeats FOR UPDATE")
    turning = asyncio.create_task(world.beat())
    waits = "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = $1"
    await until_true(lambda: world.pool.fetchval(waits, "tocsin-own-signals"))
    await blocker.execute(
        "UPDATE heartbeats SET last_ping_at = $1::timestamptz, due_at = $1::timestamptz + period + grace", overdue
    )
    await hold.commit()
    await world.pool.release(blocker)
    assert await turning == 0
    assert await world.alerts("heartbeat") == []


@pytest.mark.parametrize("method", ["POST", "GET", "HEAD"])
async def test_every_tool_can_ping(world: World, method: str) -> None:
    made = await make(world)
    await ping(world, made, method)
    assert (await shown(world, made))["pingCount"] == 1


async def test_the_key_may_come_as_any_tool_gives_one(world: World) -> None:
    made, http = await make(world), world.api.http
    assert (await http.post("/heartbeats", headers={"x-api-key": made["key"]})).status_code == 200
    assert (await http.get("/heartbeats", headers={"authorization": f"Bearer {made['key']}"})).status_code == 200
    assert (await http.get("/heartbeats", params={"key": made["key"]})).status_code == 200
    assert (await shown(world, made))["pingCount"] == 3


async def test_pings_at_once_are_all_counted(world: World) -> None:
    made = [await make(world, name=f"Job {number}") for number in range(5)]
    await asyncio.gather(*[ping(world, one) for one in made for _ in range(20)])
    assert [(await shown(world, one))["pingCount"] for one in made] == [20] * 5


async def test_an_unknown_key_is_none_and_no_key_is_logged(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    made, http = await make(world), world.api.http
    for key in (new_secret(), "tch_short", "x" * 5000, "%00", "tch_" + "é" * 43):
        answer = await http.post(f"/heartbeats/{key}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")
    assert (await http.post("/heartbeats")).status_code == 404
    assert (await http.put(f"/heartbeats/{made['key']}")).status_code == 405
    await change(world, "archiveHeartbeat", made)
    assert (await http.post(f"/heartbeats/{made['key']}")).status_code == 404
    assert made["key"] not in capsys.readouterr().out


async def test_the_address_in_the_servers_log_holds_no_key(world: World) -> None:
    key = new_secret()
    scope: dict[str, Any] = {
        "type": "http", "method": "GET", "path": f"/heartbeats/{key}", "raw_path": f"/heartbeats/{key}".encode(),
        "query_string": b"", "headers": [], "client": ("127.0.0.1", 1),
    }  # fmt: skip

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_message: object) -> None:
        return

    await ingest_app(world.api.state)(scope, receive, send)
    assert key not in str(scope)


async def test_a_rotated_key_ends_and_the_new_one_works(world: World) -> None:
    made = await make(world)
    answer = await world.api.change("rotateHeartbeatKey", {"id": made["id"]}, "key url", who=world.manager)
    assert (await world.api.http.post(f"/heartbeats/{made['key']}")).status_code == 404
    assert (await world.api.http.post(answer["url"].replace(world.api.settings.effective_public_url, ""))).is_success
    kept = await world.pool.fetch("SELECT to_jsonb(heartbeats)::text AS row FROM heartbeats")
    assert not any(answer["key"] in row["row"] or made["key"] in row["row"] for row in kept)


@pytest.fixture
async def paced(application_url: str, tmp_path: Any) -> AsyncIterator[World]:  # noqa: ANN401 - a path
    settings = api_settings(application_url, tmp_path, ingest_rate_limit=2)
    async with running_api(settings) as api:
        manager = await api.person(Role.MANAGER)
        yield World(api, manager, None, None, None)  # type: ignore[arg-type] # no relay is needed


async def test_who_pings_too_often_is_told_to_wait(paced: World) -> None:
    made = await make(paced)
    answers = [(await paced.api.http.post(f"/heartbeats/{made['key']}")) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert int(answers[-1].headers["retry-after"]) > 0


async def test_without_a_database_nothing_is_said_to_be_on_disk(world: World) -> None:
    made = await make(world)
    nowhere = create_engine(
        api_settings("postgresql://tocsin:x@127.0.0.1:9/none", world.api.settings.data_dir), pool_size=1
    )
    whole, world.api.state.engine = world.api.state.engine, nowhere
    try:
        door = ingest_app(world.api.state)
        answers: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:  # noqa: ANN401 - an ASGI message
            answers.append(message)

        scope = {"type": "http", "method": "POST", "path": f"/heartbeats/{made['key']}", "query_string": b""}
        await door({**scope, "headers": [], "client": None}, receive, send)
    finally:
        world.api.state.engine = whole
        await nowhere.dispose()
    assert answers[0]["status"] == 503
    assert b"retry-after" in dict(answers[0]["headers"])


async def test_a_watched_alert_that_always_fires_is_a_heartbeat(world: World) -> None:
    what = {"name": "Prometheus", "source": "GENERIC"}
    tool = await world.api.change("createIntegration", what, "key integration { id }", who=world.manager)
    watch = {"integrationId": tool["integration"]["id"], "labels": {"alertname": "Watchdog"}}
    made = await make(world, watch=watch)
    assert (await shown(world, made))["watch"] == {"integration": {"name": "Prometheus"}, "labels": watch["labels"]}

    async def post(name: str) -> None:
        body = {"title": name, "dedup_key": name, "labels": {"alertname": name}}
        sent = await world.api.http.post("/webhooks/generic", json=body, headers={"x-api-key": tool["key"]})
        assert sent.status_code == 202, sent.text

    await post("Other")
    await world.beat()
    assert (await shown(world, made))["state"] == "NEW"
    await post("Watchdog")
    await world.beat()
    first = await shown(world, made)
    assert (first["state"], first["pingCount"], first["lastPingFrom"]) == ("UP", 1, "integration Prometheus")
    wait(world, 2 * HOUR)
    assert await world.beat() == 1
    await post("Watchdog")
    assert await world.beat() == 1
    assert (await shown(world, made))["state"] == "UP"
    await change(world, "updateHeartbeat", made, watch=None)
    assert (await shown(world, made))["watch"] is None


@pytest.mark.parametrize(
    ("more", "path"),
    [
        ({"interval": "PT5S"}, ["interval"]),
        ({"interval": "P400D"}, ["interval"]),
        ({"grace": "P32D"}, ["grace"]),
        ({"name": " "}, ["name"]),
        ({"labels": {"a": 1}}, ["labels", "a"]),
        ({"labels": ["a"]}, ["labels"]),
        ({"watch": {"integrationId": "x", "labels": {"a": "b"}}}, ["watch", "integrationId"]),
        ({"watch": {"integrationId": "00000000-0000-7000-8000-000000000001", "labels": {}}}, ["watch", "labels"]),
        (
            {"watch": {"integrationId": "00000000-0000-7000-8000-000000000001", "labels": {"a": "b"}}},
            ["watch", "integrationId"],
        ),
    ],
    ids=["short", "long", "grace", "name", "label", "labels", "no id", "no label", "our own"],
)
async def test_what_is_no_heartbeat_is_refused(world: World, more: dict[str, Any], path: list[str]) -> None:
    what = {"name": "Odd", "interval": "PT1H", **more}
    answer = await world.api.change("createHeartbeat", what, SHOWN, who=world.manager)
    assert (answer.get("code"), answer.get("path")) == ("INVALID_INPUT", path), answer
