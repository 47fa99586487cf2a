"""Does who reads a list and then follows from `eventCursor` miss nothing, however long nothing had happened?"""

from dataclasses import replace
from uuid import UUID

import asyncpg

from domain.identity.model import Role
from graphql_api.live.hub import REPLAY_WINDOW, Hub
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
