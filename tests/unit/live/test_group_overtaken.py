"""A run is overtaken: who hears of it, and where do they go on? Those who were where it was, once; no others."""

import asyncio
import random
from collections.abc import AsyncGenerator
from typing import Any

from domain.alerts.cursor import Cursor, StreamReset, StreamResetReason
from domain.alerts.events import RecordedEvent
from graphql_api.graphql_request import GraphQLRequest
from graphql_api.live.groups import Group, Key
from graphql_api.live.log_tail import place_after
from graphql_api.live.member import Member, Stop
from graphql_api.live.sharing import Follows, Permissions, Shape
from graphql_api.live.upcoming import Upcoming
from tests.unit.live.test_group_order import SECONDS, VIEWER, Client, Log, Runs, Storm, Watched
from tests.unit.live.test_member import place
from tests.waiting import until

# What is received in place of an event's number.
RESET = 0


class EndingLog(Log):
    """One whose followers are told that they cannot go on."""

    def __init__(self) -> None:
        super().__init__(random.Random(1))
        self.ends: asyncio.Future[StreamResetReason] = asyncio.get_running_loop().create_future()

    async def follow_on(  # type: ignore[override]
        self, after: Cursor, *, upcoming: Upcoming
    ) -> AsyncGenerator[RecordedEvent | StreamReset, None]:
        reason = await self.ends
        for event in self.events[after.position.xid :]:
            yield event
        yield StreamReset(reason=reason, resume_after=self.place)
        assert not upcoming.events(1)


class EndingRuns(Runs):
    """Makes something of a reset as well; knows which groups nobody comes to any more."""

    def __init__(self, log: Log) -> None:
        super().__init__(log, random.Random(1), in_lists=False)
        self.forgotten: list[Group] = []

    def forget(self, group: Group) -> None:
        self.forgotten.append(group)

    async def executed(self, _asked: GraphQLRequest, context: Any) -> AsyncGenerator[list[int], None]:  # noqa: ANN401
        course = context.course
        async for item in course.feed:
            await asyncio.sleep(0.001)
            is_event = isinstance(item, RecordedEvent)
            course.at = place_after(item, place(0)) if is_event else None
            course.settle()
            yield [item.position.xid if is_event else RESET]


class Ending:
    """A group of which the log has a thousand events to tell."""

    def __init__(self) -> None:
        self.log = EndingLog()
        for _ in range(1000):
            self.log.add()
        self.runs = EndingRuns(self.log)
        shape = Shape(follows=Follows.EVENTS, query="", operation_name=None, variables=b"{}")
        state: Any = type("State", (), {"hub": self.log})()
        context: Any = type("Context", (), {"state": state})()
        live: Any = self.runs
        self.group = Group(live, Key(shape, Permissions.of(VIEWER)), GraphQLRequest(query=""), context)

    def take_in(self, client: Client) -> "asyncio.Task[Stop]":
        watched: Any = Watched()
        return asyncio.create_task(self.group.take_in(Member(client.send, place(client.after)), watched))


class Stuck(Client):
    """Takes nothing for now."""

    def __init__(self, after: int) -> None:
        super().__init__(random.Random(7), after)
        self.goes_on = asyncio.Event()

    async def send(self, result: object) -> None:
        await self.goes_on.wait()
        await super().send(result)


async def test_who_catches_up_goes_on_where_they_are_when_the_others_are_overtaken() -> None:
    ending = Ending()
    near, far = Client(random.Random(7), 1000), Client(random.Random(7), 0)
    is_near, is_far = ending.take_in(near), ending.take_in(far)
    await until(lambda: bool(far.received))
    ending.log.ends.set_result(StreamResetReason.OVERTAKEN)
    async with asyncio.timeout(SECONDS):
        assert (await is_near, near.received) == (Stop.DONE, [RESET])
        assert await is_far is Stop.MOVED
    assert far.received == list(range(1, len(far.received) + 1))
    # Where they come to next is not where they come from.
    assert ending.group in ending.runs.forgotten


async def test_a_restored_log_ends_it_for_who_catches_up_as_well() -> None:
    ending = Ending()
    near, far = Client(random.Random(7), 1000), Client(random.Random(7), 0)
    is_near, is_far = ending.take_in(near), ending.take_in(far)
    await until(lambda: bool(far.received))
    ending.log.ends.set_result(StreamResetReason.LOG_RESTORED)
    async with asyncio.timeout(SECONDS):
        assert [await is_near, await is_far] == [Stop.DONE, Stop.DONE]
    assert near.received[-1] == far.received[-1] == RESET


async def test_who_comes_back_at_once_is_not_told_again_while_a_slow_one_still_takes_it() -> None:
    ending = Ending()
    ending.runs.pace = storm = Storm()
    fast, slow = Client(random.Random(7), 1000), Stuck(1000)
    is_fast, is_slow = ending.take_in(fast), ending.take_in(slow)
    ending.log.add()
    ending.log.ends.set_result(StreamResetReason.OVERTAKEN)
    async with asyncio.timeout(SECONDS):
        assert await is_fast is Stop.DONE
    # The run still rests for what it did before.
    assert storm.rests == 1
    assert not is_slow.done()
    assert ending.runs.forgotten == [ending.group]
    slow.goes_on.set()
    storm.over.set()
    async with asyncio.timeout(SECONDS):
        assert await is_slow is Stop.DONE
    assert slow.received == fast.received == [1001, RESET]
