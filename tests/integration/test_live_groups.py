"""Do those who may share a subscription pay for one, and does everybody still get all they may see, once, in order?"""

import asyncio
import base64
import json
import os
import random
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID

import asyncpg
import httpx2
import pytest

from bench.machine import resident_bytes
from domain.alerts.cursor import Cursor
from domain.identity.model import Role
from graphql_api.alerts import events, loaders, subscriptions
from graphql_api.live import sharing
from graphql_api.live.member import Member, Payload, Send, SendAtOnce, Stop
from graphql_api.live.overtaken import Overtaken
from persistence.reads import counts
from tests.api import Api, Person
from tests.integration.test_alert_subscriptions import COUNTS, EVENTS, followed, start_cursor
from tests.log_writer import insert_alert, insert_event, insert_told_alert, logged_ids
from tests.outages import FailingAtFirst
from tests.sockets import Socket, connected
from tests.waiting import until

STALLED = 50
MOST_MORE_BYTES = 40_000_000


async def subscribed(stack: AsyncExitStack, address: str, who: Person, query: str, variables: object = None) -> Socket:
    socket = await stack.enter_async_context(connected(address, who))
    await socket.subscribe(query, variables, operation=f"of {who.email}")
    return socket


async def until_reset(socket: Socket) -> tuple[list[str], dict[str, Any]]:
    """The ids before a reset, and the reset."""
    received: list[str] = []
    while (item := (await socket.next_data())["alertEvents"])["__typename"] != "StreamReset":
        received.append(item["id"])
    return received, item


async def next_id(socket: Socket) -> str:
    event: dict[str, Any] = (await socket.next_data())["alertEvents"]
    return str(event["id"])


async def test_fifty_subscribers_cost_one_load_an_event(
    api: Api, address: str, operator: Person, writer: asyncpg.Connection, loads: list[list[UUID]]
) -> None:
    other = await api.person(Role.OPERATOR)
    async with AsyncExitStack() as stack:
        sockets = [await subscribed(stack, address, (operator, other)[n % 2], EVENTS) for n in range(50)]
        await followed(api, 50)
        loads.clear()
        for _ in range(5):
            await insert_told_alert(writer)
        expected = [str(event_id) for event_id in await logged_ids(writer)]
        for socket in sockets:
            assert [await next_id(socket) for _ in range(5)] == expected
        assert sum(map(len, loads)) == 5
    await followed(api, 0)


async def test_all_who_share_a_run_that_is_overtaken_are_told_and_share_again(
    api: Api, address: str, operator: Person, writer: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with AsyncExitStack() as stack:
        sockets = [await subscribed(stack, address, operator, EVENTS) for _ in range(3)]
        await followed(api, 3)
        monkeypatch.setattr(Overtaken, "is_at", lambda *_: True)
        await insert_told_alert(writer)
        told = [await until_reset(socket) for socket in sockets]
        assert [(received, item["reason"]) for received, item in told] == [([], "OVERTAKEN")] * 3
        monkeypatch.undo()
        for socket, (_, item) in zip(sockets, told, strict=True):
            assert (await socket.receive())["type"] == "complete"
            await socket.subscribe(EVENTS, {"after": item["resumeAfter"]}, operation="again")
        await followed(api, 3)
        await insert_told_alert(writer)
        newest = str((await logged_ids(writer))[-1])
        assert [await next_id(socket) for socket in sockets] == [newest] * 3


async def test_the_operations_id_is_the_clients_own(
    api: Api, address: str, operator: Person, writer: asyncpg.Connection
) -> None:
    async with connected(address, operator) as socket:
        await socket.subscribe(EVENTS, operation='a "quoted" \\ id')
        await socket.subscribe(EVENTS, operation="2")
        await followed(api, 2)
        await insert_told_alert(writer)
        messages = [await socket.receive(), await socket.receive()]
        assert {message["id"] for message in messages} == {'a "quoted" \\ id', "2"}
        assert messages[0]["payload"] == messages[1]["payload"]


async def test_those_who_see_differently_or_ask_differently_do_not_share(
    api: Api, address: str, operator: Person, writer: asyncpg.Connection, loads: list[list[UUID]]
) -> None:
    team = await api.team("Vault", is_private=True)
    member = await api.person(Role.OPERATOR, teams=(team,))
    async with AsyncExitStack() as stack:
        outside = await subscribed(stack, address, operator, EVENTS)
        inside = await subscribed(stack, address, member, EVENTS)
        critical = await subscribed(stack, address, operator, EVENTS, {"filter": {"severity": ["CRITICAL"]}})
        await followed(api, 3)
        loads.clear()
        secret = await insert_event(writer, alert_id=await insert_alert(writer, team_id=team.id))
        public = await insert_event(writer, alert_id=await insert_alert(writer))
        assert [await next_id(inside), await next_id(inside)] == [str(secret), str(public)]
        assert await next_id(outside) == str(public)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await critical.receive()
        # Two events, two sights: what each sees of an alert is asked of one row.
        assert sum(map(len, loads)) == 2


async def test_a_document_with_a_personal_field_is_run_for_each(
    api: Api,
    address: str,
    operator: Person,
    writer: asyncpg.Connection,
    loads: list[list[UUID]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sharing, "PERSONAL_FIELDS", frozenset({"Alert.title"}))
    async with AsyncExitStack() as stack:
        sockets = [await subscribed(stack, address, operator, EVENTS) for _ in range(3)]
        await followed(api, 3)
        loads.clear()
        await insert_told_alert(writer)
        assert len({await next_id(socket) for socket in sockets}) == 1
        assert len(loads) == 3


async def test_a_change_of_teams_moves_a_member_before_the_next_event(
    api: Api, address: str, operator: Person, writer: asyncpg.Connection
) -> None:
    team = await api.team("Vault", is_private=True)
    async with connected(address, operator) as socket:
        await socket.subscribe(EVENTS)
        await followed(api)
        hidden = await insert_alert(writer, team_id=team.id)
        await insert_event(writer, alert_id=hidden)
        marker = await insert_event(writer, alert_id=await insert_alert(writer))
        assert await next_id(socket) == str(marker)
        await writer.execute(
            "INSERT INTO memberships (team_id, user_id, role, created_at) VALUES ($1, $2, 'viewer', now())",
            team.id,
            operator.id,
        )
        sessions = api.app.state.sessions
        assert sessions is not None
        await sessions.look()
        seen = await insert_event(writer, alert_id=hidden)
        assert await next_id(socket) == str(seen)
        await writer.execute("DELETE FROM memberships WHERE user_id = $1", operator.id)
        await sessions.look()
        await insert_event(writer, alert_id=hidden)
        public = await insert_event(writer, alert_id=await insert_alert(writer))
        assert await next_id(socket) == str(public)


@pytest.mark.parametrize("seed", range(3))
async def test_whoever_joins_from_anywhere_gets_the_rest_of_the_log_once_and_in_order(
    api: Api, address: str, operator: Person, writer: asyncpg.Connection, seed: int
) -> None:
    chance = random.Random(seed)
    for _ in range(20):
        await insert_told_alert(writer)
    start = await start_cursor(writer)
    async with connected(address, operator) as socket:
        await socket.subscribe(EVENTS, {"after": start})
        cursors = [(await socket.next_data())["alertEvents"]["cursor"] for _ in range(20)]

    async def write() -> None:
        for _ in range(60):
            await insert_told_alert(writer)
            await asyncio.sleep(chance.random() * 0.02)

    async def follow(index: int) -> list[str]:
        await asyncio.sleep(chance.random() * 0.6)
        async with connected(address, operator) as socket:
            await socket.subscribe(EVENTS, {"after": cursors[index]})
            return [await next_id(socket) for _ in range(79 - index)]

    indexes = [chance.randrange(20) for _ in range(15)]
    writing = asyncio.create_task(write())
    received = await asyncio.gather(*(follow(index) for index in indexes))
    await writing
    log = [str(event_id) for event_id in await logged_ids(writer)]
    for index, ids in zip(indexes, received, strict=True):
        assert ids == log[index + 1 :]


async def test_stalled_readers_cost_the_others_nothing_and_are_told_where_to_go_on(
    api: Api, address: str, operator: Person, writer: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Member] = []
    make = Member.__init__

    def noted(member: Member, send: Send, place: Cursor | None, *, at_once: SendAtOnce | None = None) -> None:
        make(member, send, place, at_once=at_once)
        made.append(member)

    monkeypatch.setattr(Member, "__init__", noted)
    put = Member.put

    def put_few(member: Member, payload: Payload, *, most: int) -> bool:
        return put(member, payload, most=50 if member in made[:STALLED] else most)

    monkeypatch.setattr(Member, "put", put_few)
    # Not compressible, and 400 of them more than the kernel's buffers hold.
    big = base64.b64encode(os.urandom(45_000)).decode()
    query = EVENTS.replace("title", "title description")
    async with AsyncExitStack() as stack:
        stalled = []
        for _ in range(STALLED):
            socket = await subscribed(stack, address, operator, query)
            stalled.append(socket)
        await followed(api, STALLED)
        healthy = await subscribed(stack, address, operator, query)
        await followed(api, STALLED + 1)
        for socket in stalled:
            socket.connection.transport.pause_reading()
        alert_id = await insert_alert(writer)
        await writer.execute("UPDATE alerts SET description = $2 WHERE id = $1", alert_id, big)
        expected: list[str] = []
        held = 0
        for _ in range(400):
            expected.append(str(await insert_event(writer, alert_id=alert_id)))
            held = resident_bytes(os.getpid()) if len(expected) == 100 else held
            if len(expected) % 80 == 0:
                for event_id in expected[-80:]:
                    assert await next_id(healthy) == event_id
        await until(lambda: sum(member.stop is Stop.SLOW for member in made) == STALLED)
        # By then each was stalled. Had each kept 300 events of its own, that were 900 MB.
        assert resident_bytes(os.getpid()) - held < MOST_MORE_BYTES
        # What waited for them was let go.
        assert all(member.waiting == 0 for member in made[:STALLED])
        stalled[0].connection.transport.resume_reading()
        received, item = await until_reset(stalled[0])
        assert item["reason"] == "SLOW_CONSUMER"
        assert received == expected[: len(received)]
        again = await subscribed(stack, address, operator, query, {"after": item["resumeAfter"]})
        assert await next_id(again) == expected[len(received)]
        for socket in stalled:
            socket.connection.transport.abort()  # a goodbye would wait for an answer that does not come


async def test_an_event_whose_execution_met_an_outage_waits_for_the_database(
    api: Api, address: str, operator: Person, writer: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = FailingAtFirst(loaders.load_log_epoch)
    # What is executed, and not told directly.
    query = EVENTS.replace("kind", "kind changes { field }")
    async with AsyncExitStack() as stack:
        sockets = [await subscribed(stack, address, operator, query) for _ in range(3)]
        await followed(api, 3)
        monkeypatch.setattr(events, "load_log_epoch", load)
        await insert_told_alert(writer)
        expected = [str(event_id) for event_id in await logged_ids(writer)]
        for socket in sockets:
            assert [await next_id(socket)] == expected  # without errors
        assert load.tries == 3


async def test_server_sent_events_share_with_sockets(
    api: Api, address: str, operator: Person, writer: asyncpg.Connection, loads: list[list[UUID]]
) -> None:
    headers = {**Api.headers(operator), "accept": "text/event-stream"}
    async with (
        connected(address, operator) as socket,
        httpx2.AsyncClient() as client,
        client.stream("POST", f"http://{address}", json={"query": EVENTS}, headers=headers) as answer,
    ):
        await socket.subscribe(EVENTS)
        await followed(api, 2)
        loads.clear()
        await insert_told_alert(writer)
        line = ""
        lines = answer.aiter_lines()
        while not line.startswith("data: {"):
            line = await anext(lines)
        event = json.loads(line.removeprefix("data: "))["data"]["alertEvents"]
        assert event["id"] == await next_id(socket)
        assert len(loads) == 1


async def test_counts_are_made_once_for_all_who_watch_the_same(
    api: Api, address: str, operator: Person, writer: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []
    read = counts.read_counts

    async def counted(*given: Any, **named: Any) -> Any:  # noqa: ANN401 - passed on
        made.append(1)
        return await read(*given, **named)

    monkeypatch.setattr(subscriptions, "read_counts", counted)
    async with AsyncExitStack() as stack:
        sockets = [await subscribed(stack, address, operator, COUNTS) for _ in range(20)]
        for socket in sockets:
            assert (await socket.next_data())["alertCounts"]["total"] == 0
        for _ in range(30):
            await insert_told_alert(writer)
        for socket in sockets:
            while (await socket.next_data())["alertCounts"]["total"] < 30:
                pass
        assert len(made) <= 8  # not one for each socket


async def test_counts_are_watched_by_one_run_and_who_comes_later_is_told_at_once(
    api: Api, address: str, operator: Person, writer: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[int] = []
    counted = subscriptions._counted  # noqa: SLF001 - each run of a document is one of these

    def noted(*given: Any, **named: Any) -> Any:  # noqa: ANN401 - passed on
        runs.append(1)
        return counted(*given, **named)

    monkeypatch.setattr(subscriptions, "_counted", noted)
    other = await api.person(Role.OPERATOR)
    await insert_told_alert(writer)
    async with AsyncExitStack() as stack:
        sockets = [await subscribed(stack, address, (operator, other)[n % 2], COUNTS) for n in range(10)]
        for socket in sockets:
            assert (await socket.next_data())["alertCounts"]["total"] == 1
        late = await subscribed(stack, address, operator, COUNTS)
        assert (await late.next_data())["alertCounts"]["total"] == 1
        await insert_told_alert(writer)
        for socket in (*sockets, late):
            assert (await socket.next_data())["alertCounts"]["total"] == 2
        assert len(runs) == 1


async def test_counts_of_who_joins_a_team_are_those_of_its_members(
    api: Api, address: str, operator: Person, writer: asyncpg.Connection
) -> None:
    team = await api.team("Vault", is_private=True)
    await insert_event(writer, alert_id=await insert_alert(writer, team_id=team.id))
    async with connected(address, operator) as socket:
        await socket.subscribe(COUNTS)
        assert (await socket.next_data())["alertCounts"]["total"] == 0
        await writer.execute(
            "INSERT INTO memberships (team_id, user_id, role, created_at) VALUES ($1, $2, 'viewer', now())",
            team.id,
            operator.id,
        )
        sessions = api.app.state.sessions
        assert sessions is not None
        await sessions.look()
        assert (await socket.next_data())["alertCounts"]["total"] == 1


async def test_counts_of_a_team_that_becomes_private_are_told_anew(
    api: Api, address: str, writer: asyncpg.Connection
) -> None:
    """Though nothing happens to its alerts: neither who counts already nor who comes now hears of them."""
    team = await api.team("Open")
    viewer, lead = await api.person(Role.VIEWER), await api.person(Role.MANAGER, teams=(team,))
    await insert_alert(writer, team_id=team.id)
    # Others count the same by another document: what is counted is shared, what is made of it is not.
    other = "subscription { alertCounts { total isExact: total } }"
    async with connected(address, viewer) as socket, connected(address, viewer) as late:
        await socket.subscribe(COUNTS)
        assert (await socket.next_data())["alertCounts"]["total"] == 1
        told = await api.change("updateTeam", {"id": str(team.id), "isPrivate": True}, "__typename", who=lead)
        assert told["__typename"] == "UpdateTeamSuccess"
        assert (await socket.next_data())["alertCounts"]["total"] == 0
        await late.subscribe(other)
        assert (await late.next_data())["alertCounts"]["total"] == 0
