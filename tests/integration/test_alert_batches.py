"""Does a dashboard get a storm as a few lists that hold every event it may see, once and in order, from any place?"""

import asyncio
import base64
import os
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID

import asyncpg
import httpx2
import pytest

from domain.alerts.events import LogPosition
from graphql_api.alerts import batches, events, loaders, passing
from graphql_api.context import Context
from graphql_api.live.member import Member
from graphql_api.live.pace import Pace
from tests.api import Api, Person
from tests.integration.test_alert_subscriptions import followed, start_cursor
from tests.log_writer import insert_alert, insert_event, insert_told_alert, logged_ids
from tests.outages import FailingAtFirst
from tests.sockets import Socket, connected
from tests.waiting import until

BATCHES = """
subscription ($filter: AlertFilter, $after: String, $maxWait: Duration! = "PT0.2S") {
  alertEventBatches(filter: $filter, after: $after, maxWait: $maxWait) {
    __typename
    ... on AlertEventBatch { cursor events { id cursor kind alert { id title status } } }
    ... on StreamReset { reason resumeAfter }
  }
}
"""


async def next_batch(socket: Socket) -> dict[str, Any]:
    batch: dict[str, Any] = (await socket.next_data())["alertEventBatches"]
    return batch


async def taken(socket: Socket, count: int) -> list[list[str]]:
    """The ids in each list, until there are that many."""
    lists: list[list[str]] = []
    while sum(map(len, lists)) < count:
        lists.append([event["id"] for event in (await next_batch(socket))["events"]])
    return lists


async def test_a_storm_is_a_few_lists_and_each_list_one_load(
    api: Api, address: str, operator: Person, writer: asyncpg.Connection, loads: list[list[UUID]]
) -> None:
    async with connected(address, operator) as socket:
        await socket.subscribe(BATCHES, {"maxWait": "PT1S"})
        await followed(api)
        async with writer.transaction():
            for _ in range(150):
                await insert_told_alert(writer)
        lists = await taken(socket, 150)
        assert [event_id for ids in lists for event_id in ids] == [str(one) for one in await logged_ids(writer)]
        assert len(lists) <= 4
        assert 1 <= len(loads) <= len(lists)  # what has come of the next list is read with one


async def test_one_event_alone_waits_no_longer_than_it_may(
    api: Api, address: str, operator: Person, writer: asyncpg.Connection
) -> None:
    async with connected(address, operator) as socket:
        await socket.subscribe(BATCHES, {"maxWait": "PT0.1S"})
        await followed(api)
        for _ in range(2):
            alert_id = await insert_told_alert(writer)
            # A list that waits for others never comes: a read of the socket ends in time.
            batch = await next_batch(socket)
            assert [UUID(event["alert"]["id"]) for event in batch["events"]] == [alert_id]
            assert batch["cursor"] == batch["events"][-1]["cursor"]


async def test_the_making_of_a_list_is_work_to_rest_for_and_the_wait_for_others_is_not(
    address: str, api: Api, operator: Person, writer: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a list of one event, in a storm of others, were rested for until followers are as late as they may be."""
    hub, load = api.app.state.hub, loaders.load_for_any_sight
    assert hub is not None
    worked: list[float] = []
    loading: list[float] = []

    async def give_way(_pace: Pace, seconds: float) -> None:
        worked.append(seconds)

    async def while_more_comes(context: Context, ids: list[UUID]) -> Any:  # noqa: ANN401 - what is loaded
        if not loading:
            began, place = asyncio.get_running_loop().time(), hub.place
            await insert_told_alert(writer)
            await until(lambda: hub.place != place)
            loading.append(asyncio.get_running_loop().time() - began)
        return await load(context, ids)

    monkeypatch.setattr(Pace, "give_way", give_way)
    monkeypatch.setattr(passing, "load_for_any_sight", while_more_comes)
    async with connected(address, operator) as socket:
        await socket.subscribe(BATCHES, {"maxWait": "PT2S"})
        await followed(api)
        await insert_told_alert(writer)
        await until(lambda: bool(worked))
    assert loading[0] <= worked[0] < loading[0] + 2


async def test_batches_cut_anywhere_make_the_log(
    api: Api, address: str, operator: Person, writer: asyncpg.Connection
) -> None:
    await insert_told_alert(writer)
    after = await start_cursor(writer)

    async def write() -> None:
        for _ in range(300):
            await insert_told_alert(writer)
            await asyncio.sleep(0.003)

    writing = asyncio.create_task(write())
    received: list[str] = []
    while len(received) < 301:
        async with connected(address, operator) as socket:
            await socket.subscribe(BATCHES, {"after": after})
            for _ in range(2):
                batch = await next_batch(socket)
                received += [event["id"] for event in batch["events"]]
                after = batch["cursor"]
                if len(received) >= 301:
                    break
            socket.connection.transport.abort()  # no goodbye
    await writing
    assert received == [str(event_id) for event_id in await logged_ids(writer)]


async def test_a_long_replay_is_no_single_message(
    api: Api, address: str, operator: Person, writer: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "MOST", 10)
    for _ in range(35):
        await insert_told_alert(writer)
    end: Any = await writer.fetchrow("SELECT xid, seq FROM alert_events ORDER BY xid DESC, seq DESC LIMIT 1")
    hub = api.state.hub
    assert hub is not None
    await hub.ready()
    # What the process itself has not read yet comes as new, in lists of its own.
    await until(lambda: hub.place.position >= LogPosition(*end))
    async with connected(address, operator) as socket:
        # Long, so that the lists are full on a machine that is slow, too: only the last one waits for it.
        await socket.subscribe(BATCHES, {"after": await start_cursor(writer), "maxWait": "PT5S"})
        lists = await taken(socket, 35)
    assert [len(ids) for ids in lists] == [10, 10, 10, 5]
    assert [event_id for ids in lists for event_id in ids] == [str(one) for one in await logged_ids(writer)]


async def test_what_is_not_to_be_seen_or_not_asked_for_is_in_no_list(
    api: Api, address: str, operator: Person, writer: asyncpg.Connection
) -> None:
    team = await api.team("Vault", is_private=True)
    async with connected(address, operator) as socket:
        await socket.subscribe(BATCHES, {"filter": {"source": ["shown"]}})
        await followed(api)
        shown = []
        for _ in range(10):
            await insert_event(writer, alert_id=await insert_alert(writer, team_id=team.id, source="shown"))
            await insert_event(writer, alert_id=await insert_alert(writer, source="other"))
            shown.append(str(await insert_event(writer, alert_id=await insert_alert(writer, source="shown"))))
        assert [event_id for ids in await taken(socket, 10) for event_id in ids] == shown


async def test_a_wait_out_of_range_and_a_search_are_refused(api: Api, address: str, operator: Person) -> None:
    refused = ({"maxWait": "PT0S"}, {"maxWait": "PT31S"}, {"filter": {"search": "disk"}})
    async with connected(address, operator) as socket:
        for number, variables in enumerate(refused):
            await socket.subscribe(BATCHES, variables, operation=str(number))
            message = await socket.receive()
            errors = message["payload"] if message["type"] == "error" else message["payload"]["errors"]
            assert errors[0]["extensions"]["code"] == "INVALID_INPUT"
            if message["type"] == "next":
                await socket.receive()


async def test_a_cursor_of_another_log_is_answered_with_a_reset(
    api: Api, address: str, operator: Person, writer: asyncpg.Connection
) -> None:
    after = await start_cursor(writer)
    await writer.execute("UPDATE log_epoch SET epoch = gen_random_uuid()")
    async with connected(address, operator) as socket:
        await socket.subscribe(BATCHES, {"after": after})
        assert (await next_batch(socket))["reason"] == "LOG_RESTORED"
        assert (await socket.receive())["type"] == "complete"


async def test_dashboards_that_ask_the_same_are_given_the_same_lists(
    api: Api, address: str, operator: Person, writer: asyncpg.Connection, loads: list[list[UUID]]
) -> None:
    async with AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(connected(address, operator)) for _ in range(30)]
        for socket in sockets:
            await socket.subscribe(BATCHES, {"maxWait": "PT0.5S"})
        await followed(api, 30)
        loads.clear()
        for _ in range(60):
            await insert_told_alert(writer)
        log = [str(one) for one in await logged_ids(writer)]
        for socket in sockets:
            assert [event_id for ids in await taken(socket, 60) for event_id in ids] == log
        assert sum(map(len, loads)) < 2 * len(log)  # not thirty times; twice where a list began before somebody came


async def test_dashboards_that_come_back_from_anywhere_get_the_rest_once_for_one_price(
    api: Api, address: str, operator: Person, writer: asyncpg.Connection, loads: list[list[UUID]]
) -> None:
    for _ in range(100):
        await insert_told_alert(writer)
    async with connected(address, operator) as socket:
        await socket.subscribe(BATCHES, {"after": await start_cursor(writer)})
        cursors: list[str] = []
        while len(cursors) < 100:
            cursors += [event["cursor"] for event in (await next_batch(socket))["events"]]
    await followed(api, 0)
    loads.clear()
    async with AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(connected(address, operator)) for _ in range(50)]
        for number, socket in enumerate(sockets):
            await socket.subscribe(BATCHES, {"after": cursors[number * 7 % 99]})
        for _ in range(20):
            await insert_told_alert(writer)
        log = [str(one) for one in await logged_ids(writer)]
        for number, socket in enumerate(sockets):
            place = number * 7 % 99 + 1
            assert [one for ids in await taken(socket, 120 - place) for one in ids] == log[place:]
    # Fifty alone would load some 3,500.
    assert sum(map(len, loads)) < 500


async def test_a_list_whose_session_ended_is_not_given(
    api: Api, address: str, operator: Person, writer: asyncpg.Connection
) -> None:
    headers = {**Api.headers(operator), "accept": "text/event-stream"}
    async with (
        httpx2.AsyncClient(timeout=15) as client,
        client.stream("POST", f"http://{address}", json={"query": BATCHES}, headers=headers) as answer,
    ):
        await followed(api)
        await writer.execute("UPDATE sessions SET revoked_at = now() WHERE id = $1", operator.session_id)
        sessions = api.app.state.sessions
        assert sessions is not None
        await sessions.look()
        await insert_told_alert(writer)
        text = "".join([line async for line in answer.aiter_lines()])
    assert "UNAUTHENTICATED" in text
    assert "AlertEventBatch" not in text
    await followed(api, 0)


async def test_a_dashboard_that_does_not_take_is_told_where_to_go_on(
    api: Api, address: str, operator: Person, writer: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "MOST", 4)
    put = Member.put
    monkeypatch.setattr(Member, "put", lambda member, payload, *, most: put(member, payload, most=min(most, 5)))
    alert_id = await insert_alert(writer)
    big = base64.b64encode(os.urandom(120_000)).decode()
    await writer.execute("UPDATE alerts SET description = $2 WHERE id = $1", alert_id, big)
    query = BATCHES.replace("title", "title description")
    async with connected(address, operator) as stalled, connected(address, operator) as healthy:
        for socket in (stalled, healthy):
            await socket.subscribe(query, {"maxWait": "PT0.05S"})
        await followed(api, 2)
        stalled.connection.transport.pause_reading()
        expected: list[str] = []
        for _ in range(4):
            new = [str(await insert_event(writer, alert_id=alert_id)) for _ in range(20)]
            assert [event_id for ids in await taken(healthy, 20) for event_id in ids] == new
            expected += new
        stalled.connection.transport.resume_reading()
        received: list[str] = []
        while (batch := await next_batch(stalled))["__typename"] != "StreamReset":
            received += [event["id"] for event in batch["events"]]
        assert batch["reason"] == "SLOW_CONSUMER"
        assert received == expected[: len(received)]
        await stalled.subscribe(query, {"after": batch["resumeAfter"]}, operation="again")
        rest: list[str] = []
        while len(rest) < len(expected) - len(received):
            message = await stalled.receive()
            if message["type"] == "next":
                rest += [event["id"] for event in message["payload"]["data"]["alertEventBatches"]["events"]]
        assert received + rest == expected


async def test_a_list_whose_execution_met_an_outage_waits_for_the_database(
    api: Api, address: str, operator: Person, writer: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = FailingAtFirst(loaders.load_log_epoch)
    async with connected(address, operator) as socket:
        await socket.subscribe(BATCHES, {"maxWait": "PT0.05S"})
        await followed(api)
        monkeypatch.setattr(events, "load_log_epoch", load)
        await insert_told_alert(writer)
        assert await taken(socket, 1) == [[str(one) for one in await logged_ids(writer)]]  # without errors
        assert load.tries == 3
