"""Is who filters told of an event whose alert matched then, though two later changes together hide it?

An alert is shown as it is now. Somebody who follows what is theirs in one service must learn that an alert was given to
another person, also when it has gone to another service before anybody looked.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from domain.alerts.cursor import Cursor, encode_cursor
from domain.alerts.events import AlertEventKind, LogPosition
from domain.alerts.sieve import ANYTHING, Known, Possible
from domain.identity.model import Role
from persistence.direct import open_log_pool
from persistence.event_log import MOST_LOOKED_THROUGH, LogReader
from persistence.stream_message import decode_message, encode_run
from tests.api import Api, Person
from tests.log_writer import insert_alert, insert_event
from tests.sockets import connected
from tocsin.settings import Settings

EVENTS = """subscription ($filter: AlertFilter, $after: String) {
  alertEvents(filter: $filter, after: $after) { ... on AlertEvent { id MORE } ... on StreamReset { reason } }
}"""
BATCHES = """subscription ($filter: AlertFilter, $after: String) {
  alertEventBatches(filter: $filter, after: $after, maxWait: "PT0.5S") {
    ... on AlertEventBatch { events { id MORE } } ... on StreamReset { reason }
  }
}"""
# What tells of a person is run for each subscriber alone.
SHARED, OWN = "kind", "actor { ... on User { email } }"


@dataclass
class Story:
    """Somebody's alert that was given away, and went to another service afterwards; then another became theirs."""

    start: Cursor
    given_away: UUID
    becomes_theirs: UUID


@pytest.fixture
async def story(writer: asyncpg.Connection, operator: Person) -> Story:
    """Written by hand, so that nobody looks in between."""
    first, second = await insert_alert(writer), await insert_alert(writer)
    await insert_event(writer, alert_id=first)
    epoch = await writer.fetchval("SELECT epoch FROM log_epoch")
    row = await writer.fetchrow("SELECT xid, seq, recorded_at FROM alert_events ORDER BY xid DESC, seq DESC LIMIT 1")
    assert row is not None
    start = Cursor(epoch=epoch, position=LogPosition(row["xid"], row["seq"]), recorded_at=row["recorded_at"])
    async with writer.transaction():
        given_away = await told(writer, first, 2, assigned_to=[str(operator.id), None])
        await told(writer, first, 3, service_name=["shop", "queue"])
        await writer.execute("UPDATE alerts SET service_name = 'queue', version = 3 WHERE id = $1", first)
    async with writer.transaction():
        becomes_theirs = await told(writer, second, 2, assigned_to=[None, str(operator.id)])
        await writer.execute("UPDATE alerts SET assigned_to = $2, version = 2 WHERE id = $1", second, operator.id)
    return Story(start, given_away, becomes_theirs)


async def told(writer: asyncpg.Connection, alert_id: UUID, version: int, **changes: list[Any]) -> UUID:
    kind = AlertEventKind.ASSIGNED if "assigned_to" in changes else AlertEventKind.UPDATED
    return await insert_event(writer, alert_id=alert_id, kind=kind, version=version, data={"changes": changes})


@pytest.mark.parametrize("query", [EVENTS, BATCHES], ids=["events", "batches"])
@pytest.mark.parametrize("more", [SHARED, OWN], ids=["shared", "own"])
async def test_an_alert_that_left_a_filter_and_changed_again_is_told(
    api: Api, address: str, operator: Person, story: Story, query: str, more: str
) -> None:
    wanted = {"assignedTo": str(operator.id), "serviceName": ["shop"]}
    variables = {"filter": wanted, "after": encode_cursor(story.start)}
    received: list[str] = []
    async with connected(address, operator) as socket:
        await socket.subscribe(query.replace("MORE", more), variables)
        while str(story.becomes_theirs) not in received:
            (message,) = (await socket.next_data()).values()
            received += [event["id"] for event in message.get("events", [message])]
    assert received == [str(story.given_away), str(story.becomes_theirs)]


async def test_what_the_relay_tells_of_an_alert_is_of_the_events_time(database_url: str, story: Story) -> None:
    known, possible = await told_by_the_relay(database_url, story.start)
    assert known[story.given_away] is None
    assert isinstance(known[story.becomes_theirs], Known)
    assert possible == ANYTHING


async def test_an_alert_that_changes_again_and_again_is_not_looked_through_for_each_event(
    database_url: str, story: Story, writer: asyncpg.Connection
) -> None:
    alert_id = await insert_alert(writer)
    events = [
        await told(writer, alert_id, version, severity=["low", "high"]) for version in range(2, MOST_LOOKED_THROUGH + 4)
    ]
    await writer.execute("UPDATE alerts SET version = $2 WHERE id = $1", alert_id, MOST_LOOKED_THROUGH + 3)
    known, _ = await told_by_the_relay(database_url, story.start)
    assert [known[event] is None for event in events] == [True] + [False] * (MOST_LOOKED_THROUGH + 1)


async def told_by_the_relay(database_url: str, start: Cursor) -> tuple[dict[UUID, Known | None], Possible]:
    """What it tells of each event's alert, and of all of them together."""
    async with await open_log_pool(Settings(database_url=database_url), size=1, name="test") as pool:
        lines = await LogReader(pool).lines_after(start, limit=100)
    (text,) = encode_run(start, lines)
    message = decode_message(text)
    assert message is not None
    assert message.events is not None
    assert message.known is not None
    return {event.id: of for event, of in zip(message.events, message.known, strict=True)}, message.possible


async def test_a_filter_is_asked_of_the_alert_as_it_was_and_no_other(
    api: Api, address: str, operator: Person, story: Story, writer: asyncpg.Connection
) -> None:
    wanted = {"assignedTo": str(uuid4()), "serviceName": ["shop"]}
    either = {"or": [wanted, {"ids": [str(await last_alert(writer))]}]}
    async with connected(address, operator) as socket:
        await socket.subscribe(EVENTS.replace("MORE", SHARED), {"filter": either, "after": encode_cursor(story.start)})
        assert (await socket.next_data())["alertEvents"]["id"] == str(story.becomes_theirs)


async def test_what_an_alert_that_flapped_was_before_is_found_behind_all_its_turns(
    api: Api, address: str, operator: Person, writer: asyncpg.Connection, story: Story
) -> None:
    alert_id = await insert_alert(writer)
    async with writer.transaction():
        given_away = await told(writer, alert_id, 2, assigned_to=[str(operator.id), None])
        for version in range(3, 303):
            turn = ["active", "resolved"] if version % 2 else ["resolved", "active"]
            await told(writer, alert_id, version, status=turn)
        await told(writer, alert_id, 303, service_name=["shop", "queue"])
        await writer.execute("UPDATE alerts SET service_name = 'queue', version = 303 WHERE id = $1", alert_id)
    wanted = {"assignedTo": str(operator.id), "serviceName": ["shop"], "ids": [str(alert_id)]}
    async with connected(address, operator) as socket:
        await socket.subscribe(EVENTS.replace("MORE", SHARED), {"filter": wanted, "after": encode_cursor(story.start)})
        assert (await socket.next_data())["alertEvents"]["id"] == str(given_away)


@pytest.mark.parametrize("query", [EVENTS, BATCHES], ids=["events", "batches"])
@pytest.mark.parametrize("more", [SHARED, OWN], ids=["shared", "own"])
async def test_by_no_filter_is_it_told_that_an_alert_was_a_hidden_teams(
    api: Api, address: str, operator: Person, story: Story, writer: asyncpg.Connection, query: str, more: str
) -> None:
    vault, public = await api.team("Vault", is_private=True), await api.team("Public")
    keeper = await api.person(Role.VIEWER, teams=(vault,))
    secret = await insert_alert(writer, team_id=vault.id)
    within = await told(writer, secret, 2, title=["a", "b"])
    out = await told(writer, secret, 3, team_id=[str(vault.id), str(public.id)])
    await told(writer, secret, 4, service_name=["shop", "queue"])
    move = "UPDATE alerts SET team_id = $2, service_name = 'queue', version = 4 WHERE id = $1"
    await writer.execute(move, secret, public.id)
    marked = await insert_alert(writer)
    marker = await insert_event(writer, alert_id=marked)
    wanted = {"or": [{"teamId": str(vault.id)}, {"ids": [str(marked)]}]}
    for who, expected in ((keeper, [within, out, marker]), (operator, [marker])):
        received: list[str] = []
        async with connected(address, who) as socket:
            await socket.subscribe(query.replace("MORE", more), {"filter": wanted, "after": encode_cursor(story.start)})
            while str(marker) not in received:
                (message,) = (await socket.next_data()).values()
                received += [event["id"] for event in message.get("events", [message])]
        assert received == list(map(str, expected))


async def last_alert(writer: asyncpg.Connection) -> UUID:
    found: UUID = await writer.fetchval("SELECT id FROM alerts ORDER BY id DESC LIMIT 1")
    return found
