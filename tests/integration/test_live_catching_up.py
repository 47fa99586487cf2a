"""Do hundreds who come back with as many cursors cost one run of the log, and does each get its rest in order?"""

import asyncio
import base64
import os
import random
from contextlib import AsyncExitStack, aclosing
from dataclasses import replace
from uuid import UUID

import asyncpg

from domain.alerts.cursor import decode_cursor
from domain.alerts.events import AlertEventKind
from domain.identity.model import Role, Team
from domain.teams.events import TeamEventKind
from graphql_api.live.hub import REPLAY_WINDOW, Hub
from tests.api import Api, Person
from tests.integration.test_alert_subscriptions import EVENTS, followed, start_cursor
from tests.log_writer import insert_alert, insert_event, insert_told_alert, logged_ids
from tests.sockets import Socket, connected
from tests.waiting import until

CLIENTS, EVENTS_BEFORE, EVENTS_MEANWHILE = 200, 100, 30


async def received_by(socket: Socket, count: int) -> list[str]:
    return [str((await socket.next_data())["alertEvents"]["id"]) for _ in range(count)]


async def told_by_team_feed(api: Api, team: Team, kind: TeamEventKind, *, after: str) -> None:
    """Return when this process has dealt with what happened to the team: the streams were told that sight changed.

    They are told for other reasons too, so that they were is no sign.
    """
    feed = api.app.state.team_feed
    assert feed is not None
    async with asyncio.timeout(60), aclosing(feed.follow(decode_cursor(after))) as changes:
        async for change, _ in changes:
            if change.event.team_id == team.id and change.event.kind is kind:
                return


async def cursors_of(address: str, who: Person, writer: asyncpg.Connection, count: int) -> list[str]:
    """The cursor of each event so far."""
    async with connected(address, who) as socket:
        await socket.subscribe(EVENTS, {"after": await start_cursor(writer)})
        return [(await socket.next_data())["alertEvents"]["cursor"] for _ in range(count)]


async def test_two_hundred_cursors_cost_one_execution_an_event(
    api: Api, address: str, operator: Person, writer: asyncpg.Connection, loads: list[list[UUID]]
) -> None:
    for _ in range(EVENTS_BEFORE):
        await insert_told_alert(writer)
    cursors = await cursors_of(address, operator, writer, EVENTS_BEFORE)
    await followed(api, 0)
    loads.clear()
    chance = random.Random(3)
    places = [chance.randrange(EVENTS_BEFORE) for _ in range(CLIENTS)]
    owed = EVENTS_BEFORE + EVENTS_MEANWHILE

    async def write() -> None:
        for _ in range(EVENTS_MEANWHILE):
            await insert_told_alert(writer)
            await asyncio.sleep(0.02)

    async with AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(connected(address, operator)) for _ in places]
        writing = asyncio.create_task(write())
        for socket, place in zip(sockets, places, strict=True):
            await socket.subscribe(EVENTS, {"after": cursors[place]})
        received = await asyncio.gather(
            *(received_by(socket, owed - place - 1) for socket, place in zip(sockets, places, strict=True))
        )
        await writing
        # They share from here on, too.
        await insert_told_alert(writer)
        log = [str(event_id) for event_id in await logged_ids(writer)]
        for socket in sockets:
            assert await received_by(socket, 1) == [log[-1]]
    for place, ids in zip(places, received, strict=True):
        assert ids == log[place + 1 : -1]
    # Not clients times events: 13,000 or so. On a busy machine some fall behind and are read for again.
    assert len(loads) <= 5 * len(log)


async def test_what_was_made_while_it_was_seen_is_not_given_when_it_left(
    api: Api, address: str, operator: Person, writer: asyncpg.Connection
) -> None:
    vault = await api.team("Vault", is_private=True)
    await insert_told_alert(writer)
    (start,) = await cursors_of(address, operator, writer, 1)
    alert_id = await insert_alert(writer, title="the secret of the vault")
    async with connected(address, operator) as socket:
        await socket.subscribe(EVENTS, {"after": start})
        await followed(api)
        await insert_event(writer, alert_id=alert_id)
        assert (await socket.next_data())["alertEvents"]["alert"]["title"] == "the secret of the vault"
        change = {"changes": {"team_id": [None, str(vault.id)]}}
        async with writer.transaction():
            await writer.execute("UPDATE alerts SET team_id = $2 WHERE id = $1", alert_id, vault.id)
            await insert_event(writer, alert_id=alert_id, kind=AlertEventKind.UPDATED, data=change)
        assert (await socket.next_data())["alertEvents"]["__typename"] == "AlertLeftView"
        async with connected(address, operator) as again:
            await again.subscribe(EVENTS, {"after": start})
            first = (await again.next_data())["alertEvents"]
            assert first["__typename"] == "AlertLeftView"


async def test_what_was_made_is_not_given_when_its_team_has_become_private(
    api: Api, address: str, operator: Person, writer: asyncpg.Connection
) -> None:
    team = await api.team("Vault")
    admin = await api.person(Role.ADMIN, teams=(team,))
    await api.person(Role.MANAGER, teams=(team,))
    await insert_told_alert(writer)
    (start,) = await cursors_of(address, operator, writer, 1)
    secret = await insert_event(writer, alert_id=await insert_alert(writer, team_id=team.id))
    public = await insert_event(writer, alert_id=await insert_alert(writer))
    async with connected(address, operator) as socket:
        await socket.subscribe(EVENTS, {"after": start})
        assert await received_by(socket, 2) == [str(secret), str(public)]
        changed = await api.change("updateTeam", {"id": str(team.id), "isPrivate": True}, "team { id }", who=admin)
        assert changed["__typename"] == "UpdateTeamSuccess", changed
        await told_by_team_feed(api, team, TeamEventKind.UPDATED, after=start)
        async with connected(address, operator) as again:
            await again.subscribe(EVENTS, {"after": start})
            assert await received_by(again, 1) == [str(public)]


async def test_what_one_of_other_sight_was_given_is_not_given_to_who_sees_less(
    api: Api, address: str, operator: Person, writer: asyncpg.Connection
) -> None:
    vault = await api.team("Vault", is_private=True)
    keeper = await api.person(Role.OPERATOR, teams=(vault,))
    await insert_told_alert(writer)
    (start,) = await cursors_of(address, operator, writer, 1)
    secret = await insert_event(writer, alert_id=await insert_alert(writer, team_id=vault.id))
    public = await insert_event(writer, alert_id=await insert_alert(writer))
    async with connected(address, keeper) as inside, connected(address, operator) as outside:
        await inside.subscribe(EVENTS, {"after": start})
        assert await received_by(inside, 2) == [str(secret), str(public)]
        await outside.subscribe(EVENTS, {"after": start})
        assert await received_by(outside, 1) == [str(public)]


async def test_one_that_stalls_while_it_catches_up_gets_all_when_it_takes_again(
    api: Api, address: str, operator: Person, writer: asyncpg.Connection
) -> None:
    query = EVENTS.replace("title", "title description")
    alert_id = await insert_alert(writer)
    big = base64.b64encode(os.urandom(60_000)).decode()
    await writer.execute("UPDATE alerts SET description = $2 WHERE id = $1", alert_id, big)
    await insert_told_alert(writer)
    (start,) = await cursors_of(address, operator, writer, 1)
    expected = [str(await insert_event(writer, alert_id=alert_id)) for _ in range(300)]
    async with connected(address, operator) as stalled, connected(address, operator) as healthy:
        stalled.connection.transport.pause_reading()
        for socket in (stalled, healthy):
            await socket.subscribe(query, {"after": start})
        assert await received_by(healthy, 300) == expected
        stalled.connection.transport.resume_reading()
        assert await received_by(stalled, 300) == expected
        expected.append(str(await insert_event(writer, alert_id=alert_id)))
        for socket in (stalled, healthy):
            assert await received_by(socket, 1) == expected[-1:]


async def test_two_hundred_sockets_that_die_in_the_middle_leave_nothing_behind(
    api: Api, address: str, operator: Person, writer: asyncpg.Connection
) -> None:
    for _ in range(50):
        await insert_told_alert(writer)
    start = await start_cursor(writer)
    async with AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(connected(address, operator)) for _ in range(CLIENTS)]
        for number, socket in enumerate(sockets):
            # Some alone, some together: a literal makes a group of its own.
            query = EVENTS.replace("id cursor", f"id{number}: id cursor") if number % 2 else EVENTS
            await socket.subscribe(query, {"after": start})
        await asyncio.gather(*(socket.receive() for socket in sockets))
        for socket in sockets:
            socket.connection.transport.abort()
    await followed(api, 0)
    pool = api.app.state.engine.pool
    await until(lambda: pool.checkedout() == 0)
    names = {task.get_name() for task in asyncio.all_tasks()}
    assert not names & {"live group", "live stragglers", "a slow subscriber"}


async def test_where_nothing_happened_for_longer_than_is_replayed_one_can_still_follow(
    api: Api, address: str, operator: Person, writer: asyncpg.Connection
) -> None:
    hub = api.app.state.hub
    assert isinstance(hub, Hub)
    await hub.ready()
    hub.tail._known_place = replace(hub.place, recorded_at=hub.place.recorded_at - 2 * REPLAY_WINDOW)  # noqa: SLF001
    async with connected(address, operator) as socket:
        await socket.subscribe(EVENTS)
        await followed(api)
        alert_id = await insert_told_alert(writer)
        assert (await socket.next_data())["alertEvents"]["alert"]["id"] == str(alert_id)
