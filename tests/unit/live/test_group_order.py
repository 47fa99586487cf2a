"""Whoever comes from wherever, leaves, stalls or comes again: does each get the rest of the log, once and in order?

A group over a log in memory, with chance in everything: who comes when and from where, how fast each takes, how long a
read of the log or an execution is, which events say nothing.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import pytest

from domain.alerts.cursor import Cursor
from domain.alerts.events import RecordedEvent
from domain.identity.model import NOBODY, Role, Viewer
from graphql_api.graphql_request import GraphQLRequest
from graphql_api.live import stragglers
from graphql_api.live.alert_memo import AlertMemo
from graphql_api.live.groups import Group, Key
from graphql_api.live.log_tail import place_after
from graphql_api.live.member import Member, Payload, Stop
from graphql_api.live.memo import Budget
from graphql_api.live.sharing import Follows, Permissions, Shape
from graphql_api.live.upcoming import Upcoming
from graphql_api.live.windows import windows
from tests.unit.live.test_member import place
from tests.unit.live.test_memo import recorded
from tests.waiting import until

SECONDS = 60


class Log:
    """A log that grows, as a hub and as its reader."""

    def __init__(self, chance: random.Random) -> None:
        self.events: list[RecordedEvent] = []
        self.sight_listeners: set[Any] = set()
        self.upcoming = Upcoming()
        self._chance = chance
        self._grown = asyncio.Event()

    @property
    def place(self) -> Cursor:
        return place(self.events[-1].position.xid if self.events else 0)

    @property
    def reader(self) -> "Log":
        return self

    def add(self) -> None:
        self.events.append(recorded(len(self.events) + 1))
        grown, self._grown = self._grown, asyncio.Event()
        grown.set()

    async def read_after(self, cursor: Cursor, *, limit: int) -> list[RecordedEvent]:
        await asyncio.sleep(self._chance.random() * 0.003)
        return [event for event in self.events if event.position > cursor.position][:limit]

    async def follow_on(self, after: Cursor, *, upcoming: Upcoming) -> AsyncGenerator[RecordedEvent, None]:
        number, self.upcoming = after.position.xid, upcoming
        while True:
            while number < len(self.events):
                yield self.events[number]
                number += 1
            await self._grown.wait()


class Runs:
    """In the place of the subscriptions: runs no document, but takes its time."""

    def __init__(self, log: Log, chance: random.Random, *, in_lists: bool) -> None:
        self.alerts = AlertMemo()
        self.memory = Budget()
        self.most_waiting = 10_000
        self.pace: Any = None
        self.executed_events: list[int] = []
        self._log, self._chance, self._in_lists = log, chance, in_lists

    def encoded(self, result: list[int]) -> bytes:
        return ",".join(map(str, result)).encode()

    def forget(self, _group: Group) -> None:
        pass

    async def executed(self, _asked: GraphQLRequest, context: Any) -> AsyncGenerator[list[int], None]:  # noqa: ANN401
        course = context.course
        lists = windows(course.feed, seconds=0.005, most=7) if self._in_lists else _each(course.feed)
        async for items in lists:
            await asyncio.sleep(self._chance.random() * 0.002)
            numbers = [item.position.xid for item in items]
            self.executed_events += numbers
            told = [number for number in numbers if number % 5]
            if told:
                course.begins = place(told[0])
                course.at = place_after(items[-1], place(0))
                course.settle()
                yield told


async def _each(feed: Any) -> AsyncGenerator[list[RecordedEvent], None]:  # noqa: ANN401
    async for item in feed:
        yield [item]


class Client:
    """Takes at its own pace, and now and then not at all."""

    def __init__(self, chance: random.Random, after: int) -> None:
        self.after = after
        self.received: list[int] = []
        self._chance = chance
        self._pace = chance.choice([0, 0, 0, 0.001, 0.02])

    def at_once(self, payloads: Sequence[Payload]) -> bool:
        if self._pace and self._chance.random() < 0.5:
            return False
        for payload in payloads:
            self.received += map(int, payload.body.decode().split(","))
        return True

    async def send(self, result: object) -> None:
        assert isinstance(result, Payload)
        if self._pace and self._chance.random() < 0.3:
            await asyncio.sleep(self._chance.random() * self._pace)
        self.received += map(int, result.body.decode().split(","))


VIEWER = Viewer(user_id=NOBODY, session_id=NOBODY, role=Role.VIEWER)


class Watched:
    """A session that goes on."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()
        self.listeners: set[Any] = set()
        self.viewer = VIEWER


@pytest.fixture(autouse=True)
def small_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that they are met."""
    monkeypatch.setattr(stragglers, "PAGE", 11)
    monkeypatch.setattr(stragglers, "LONGEST_TAIL", 12)
    monkeypatch.setattr(stragglers, "SHORT_TAIL", 2)
    monkeypatch.setattr(stragglers, "MOST_WAITING", 3)
    monkeypatch.setattr(stragglers, "TURN_SECONDS", 0.02)


class Crowd:
    """Who follows one group."""

    def __init__(self, log: Log, runs: Runs, chance: random.Random, *, follows: Follows) -> None:
        self.clients: list[Client] = []
        self._following: list[asyncio.Task[Stop]] = []
        self._log, self._chance = log, chance
        shape = Shape(follows=follows, query="", operation_name=None, variables=b"{}")
        state: Any = type("State", (), {"hub": log})()
        context: Any = type("Context", (), {"state": state})()
        live: Any = runs
        self.group = Group(live, Key(shape, Permissions.of(VIEWER)), GraphQLRequest(query=""), context)

    def _take_in(self, client: Client) -> "asyncio.Task[Stop]":
        watched: Any = Watched()
        member = Member(client.send, place(client.after), at_once=client.at_once)
        return asyncio.create_task(self.group.take_in(member, watched))

    def come(self, client: Client) -> None:
        self.clients.append(client)
        self._following.append(self._take_in(client))

    async def come_and_go(self) -> None:
        task = self._take_in(Client(self._chance, self._chance.randrange(len(self._log.events))))
        await asyncio.sleep(self._chance.random() * 0.02)
        task.cancel()
        await asyncio.wait({task})

    async def come_one_after_the_other(self) -> None:
        chance, log = self._chance, self._log
        for _ in range(40):
            for _ in range(chance.randrange(4)):
                log.add()
            self.come(Client(chance, chance.choice([0, len(log.events), chance.randrange(len(log.events))])))
            if chance.random() < 0.2:
                await self.come_and_go()
            if chance.random() < 0.5:
                await asyncio.sleep(chance.random() * 0.01)

    def have(self, last: int) -> bool:
        return all(client.received[-1:] == [last] or client.after >= last for client in self.clients)

    async def go(self) -> None:
        for task in self._following:
            task.cancel()
        await asyncio.wait(self._following)


@pytest.mark.parametrize("follows", [Follows.EVENTS, Follows.BATCHES])
@pytest.mark.parametrize("seed", range(12))
async def test_each_gets_the_rest_of_the_log_once_and_in_order(seed: int, follows: Follows) -> None:
    chance = random.Random(seed)
    log = Log(chance)
    for _ in range(60):
        log.add()
    runs = Runs(log, chance, in_lists=follows is Follows.BATCHES)
    crowd = Crowd(log, runs, chance, follows=follows)
    await crowd.come_one_after_the_other()
    if len(log.events) % 5 == 0:
        log.add()  # every fifth says nothing
    last = len(log.events)
    await until(lambda: crowd.have(last), seconds=SECONDS)
    for client in crowd.clients:
        assert client.received == [one for one in range(client.after + 1, last + 1) if one % 5], client.after
    await crowd.go()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert runs.memory.used == 0


class Storm:
    """Lets those who follow rest until it is over."""

    def __init__(self) -> None:
        self.over = asyncio.Event()
        self.rests = 0

    async def give_way(self, _worked: float) -> None:
        self.rests += 1
        await self.over.wait()


async def test_while_followers_rest_nothing_is_made_that_is_given_later() -> None:
    chance = random.Random(1)
    log = Log(chance)
    runs = Runs(log, chance, in_lists=False)
    runs.pace = storm = Storm()
    crowd = Crowd(log, runs, chance, follows=Follows.EVENTS)
    crowd.come(client := Client(random.Random(7), 0))
    log.add()
    await until(lambda: client.received == [1])
    for _ in range(3):
        log.add()
    await until(lambda: storm.rests == 1 and client.received == [1, 2])
    assert runs.executed_events == [1, 2]
    storm.over.set()
    await until(lambda: crowd.have(4), seconds=SECONDS)
    await crowd.go()


async def test_what_was_made_and_not_given_yet_counts_as_waiting() -> None:
    chance = random.Random(1)
    log = Log(chance)
    runs = Runs(log, chance, in_lists=False)
    crowd = Crowd(log, runs, chance, follows=Follows.EVENTS)
    crowd.come(client := Client(random.Random(7), 0))
    log.add()
    await until(lambda: client.received == [1] and log.upcoming.oldest is None)
    async with crowd.group.giving:
        for _ in range(3):
            log.add()
        await until(lambda: runs.executed_events == [1, 2, 3, 4])
        waiting = log.upcoming.oldest
        assert waiting is not None
        # The second is being given.
        assert waiting.position == place(3).position
    await until(lambda: crowd.have(4) and log.upcoming.oldest is None, seconds=SECONDS)
    await crowd.go()


async def test_a_thousand_cursors_cost_each_event_once() -> None:
    chance = random.Random(1)
    log = Log(chance)
    for _ in range(201):
        log.add()
    runs = Runs(log, chance, in_lists=False)
    crowd = Crowd(log, runs, chance, follows=Follows.EVENTS)
    for number in chance.sample(range(1000), 1000):
        crowd.come(Client(random.Random(7), number % 200))
        if number % 50 == 0:
            await asyncio.sleep(0.005)
    await until(lambda: crowd.have(201), seconds=SECONDS)
    assert sorted(runs.executed_events) == list(range(1, 202))
    await crowd.go()


async def test_who_is_a_little_behind_does_not_wait_for_who_is_far_behind() -> None:
    chance = random.Random(1)
    log = Log(chance)
    for _ in range(3001):
        log.add()
    runs = Runs(log, chance, in_lists=False)
    crowd = Crowd(log, runs, chance, follows=Follows.EVENTS)
    far, near = Client(random.Random(7), 0), Client(random.Random(7), 2990)
    crowd.come(far)
    await until(lambda: bool(far.received))
    crowd.come(near)
    await until(lambda: near.received[-1:] == [3001], seconds=SECONDS)
    assert far.received[-1] < 2000
    await until(lambda: crowd.have(3001), seconds=SECONDS)
    assert far.received == [one for one in range(1, 3002) if one % 5]
    await crowd.go()
