"""Does who reads a list and then follows from `eventCursor` miss nothing, however long nothing had happened?"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.cursor import LogState, decode_cursor
from domain.identity.model import Role
from graphql_api.context import Context
from graphql_api.live.hub import REPLAY_WINDOW, Hub
from persistence.event_log import LogReader
from tests.api import Api, Person
from tests.integration.test_alert_subscriptions import EVENTS
from tests.log_writer import insert_told_alert
from tests.sockets import connected

LIST = "{ alerts(first: 100) { nodes { id } } eventCursor }"
TEAM_EVENTS = """subscription ($after: String) {
  teamEvents(after: $after) { __typename ... on TeamEvent { kind team { name } } ... on StreamReset { reason } }
}"""


async def listed(api: Api, who: Person) -> tuple[set[UUID], str]:
    answer = await api.data(LIST, who=who)
    return {UUID(node["id"]) for node in answer["alerts"]["nodes"]}, answer["eventCursor"]


async def test_what_happens_between_a_list_and_its_stream_is_told(
    api: Api, address: str, operator: Person, writer: asyncpg.Connection
) -> None:
    shown = await insert_told_alert(writer)
    known, cursor = await listed(api, operator)
    assert shown in known
    missing = await insert_told_alert(writer)
    async with connected(address, operator) as socket:
        await socket.subscribe(EVENTS, {"after": cursor})
        told = set()
        while missing not in told:
            told.add(UUID((await socket.next_data())["alertEvents"]["alert"]["id"]))


async def test_every_event_is_in_the_list_or_comes_after_the_cursor(
    api: Api, address: str, operator: Person, writer: asyncpg.Connection
) -> None:
    for _ in range(20):
        made = await insert_told_alert(writer)
        known, cursor = await listed(api, operator)
        if made in known:
            continue
        async with connected(address, operator) as socket:
            await socket.subscribe(EVENTS, {"after": cursor})
            while UUID((await socket.next_data())["alertEvents"]["alert"]["id"]) != made:
                pass


async def test_the_cursor_is_of_before_the_list_though_the_list_comes_first(
    api: Api, operator: Person, writer: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = await ready(api)
    made: list[UUID] = []
    read = Context.read

    @asynccontextmanager
    async def reading_before_it_happens(context: Context) -> AsyncIterator[AsyncConnection]:
        before = hub.place
        async with read(context) as connection:
            yield connection
        made.append(await insert_told_alert(writer))
        async with asyncio.timeout(10):
            while hub.place == before:
                await hub.tail.news_since(before, unless=lambda: False)

    monkeypatch.setattr(Context, "read", reading_before_it_happens)
    known, cursor = await listed(api, operator)
    assert known.isdisjoint(made)
    place = decode_cursor(cursor).position
    later = await hub.reader.read_after(replace(hub.place, position=place), limit=100)
    assert set(made) <= {event.alert_id for event in later}


async def test_what_is_still_being_written_when_the_cursor_is_given_comes_after_it(
    api: Api, address: str, operator: Person, writer: asyncpg.Connection, database_url: str
) -> None:
    """The oldest of those that write commits last, the youngest first; each writes within a savepoint."""
    await ready(api)
    others = [await asyncpg.connect(database_url) for _ in range(3)]
    begun = [one.transaction() for one in others]
    for transaction in begun:
        await transaction.start()
    made = set()
    for other in others:
        async with other.transaction():
            made.add(await insert_told_alert(other))
    first = await insert_told_alert(writer)
    await asyncio.sleep(0.5)
    known, cursor = await listed(api, operator)
    assert first in known
    assert known.isdisjoint(made)
    for transaction in reversed(begun):
        await transaction.commit()
        await insert_told_alert(writer)
    async with connected(address, operator) as socket:
        await socket.subscribe(EVENTS, {"after": cursor})
        told: set[UUID] = set()
        while not made <= told:
            told.add(UUID((await socket.next_data())["alertEvents"]["alert"]["id"]))
    for other in others:
        await other.close()


async def test_while_the_database_is_away_it_is_given_or_refused_at_once(
    api: Api, operator: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = await ready(api)

    async def away(_reader: LogReader) -> LogState:
        raise ConnectionRefusedError

    monkeypatch.setattr(LogReader, "state", away)
    async with asyncio.timeout(5):
        assert (await api.data("{ eventCursor }", who=operator))["eventCursor"]
        place = hub.place
        hub.tail._known_place = replace(place, recorded_at=place.recorded_at - 2 * REPLAY_WINDOW)  # noqa: SLF001
        assert await api.code("{ eventCursor }", who=operator) == "OVERLOADED"


async def test_a_quiet_fortnight_makes_no_cursor_too_old(
    api: Api, address: str, operator: Person, writer: asyncpg.Connection
) -> None:
    hub = await ready(api)
    hub.tail._known_place = replace(hub.place, recorded_at=hub.place.recorded_at - 2 * REPLAY_WINDOW)  # noqa: SLF001
    _, cursor = await listed(api, operator)
    async with connected(address, operator) as socket:
        await socket.subscribe(EVENTS, {"after": cursor})
        alert_id = await insert_told_alert(writer)
        assert (await socket.next_data())["alertEvents"]["alert"]["id"] == str(alert_id)


async def test_what_ended_the_fortnight_is_not_passed_over(api: Api, writer: asyncpg.Connection) -> None:
    hub = await ready(api)
    before = replace(hub.place, recorded_at=hub.place.recorded_at - 2 * REPLAY_WINDOW)
    await insert_told_alert(writer)
    hub.tail._known_place = before  # noqa: SLF001
    place = await hub.place_for_lists()
    assert place.position == before.position
    assert place.recorded_at == await writer.fetchval("SELECT min(recorded_at) FROM alert_events")


async def ready(api: Api) -> Hub:
    hub = api.app.state.hub
    assert isinstance(hub, Hub)
    await hub.ready()
    return hub


async def test_teams_are_followed_from_it_too(api: Api, address: str, admin: Person) -> None:
    _, cursor = await listed(api, admin)
    made = """mutation { createTeam(input: {name: "Since the list"}) { __typename } }"""
    assert (await api.data(made, who=admin))["createTeam"]["__typename"] == "CreateTeamSuccess"
    async with connected(address, admin) as socket:
        await socket.subscribe(TEAM_EVENTS, {"after": cursor})
        assert (await socket.next_data())["teamEvents"]["team"] == {"name": "Since the list"}


async def test_it_is_for_who_may_read_alerts(api: Api) -> None:
    assert await api.code("{ eventCursor }") == "UNAUTHENTICATED"
    viewer = await api.person(Role.VIEWER)
    assert (await api.data("{ eventCursor }", who=viewer))["eventCursor"]
