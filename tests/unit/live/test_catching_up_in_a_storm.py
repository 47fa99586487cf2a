"""Do those who catch up give way as well, whoever made what they are given, and for no more than their own work?"""

import asyncio
import random
from collections.abc import Sequence
from typing import Any

import pytest

from graphql_api.live.member import Payload
from graphql_api.live.sharing import Follows
from tests.unit.live.test_group_order import SECONDS, Client, Crowd, Log, Runs
from tests.unit.live.test_member import place
from tests.waiting import until

WORK, OTHERS_WORK = 0.001, 1.0
EVENTS = 20


class Time:
    """The loop's, by hand: others work whenever the loop turns."""

    def __init__(self) -> None:
        self.now = 100.0

    async def go_on(self) -> None:
        while True:
            self.now += OTHERS_WORK
            await asyncio.sleep(0)


class Pace:
    """Notes for what it is asked to let others rest."""

    def __init__(self) -> None:
        self.worked: list[float] = []

    async def give_way(self, worked: float) -> None:
        self.worked.append(worked)


async def test_what_was_made_for_others_is_given_at_the_same_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(1)
    log = Log(chance)
    for _ in range(EVENTS):
        log.add()
    runs = Runs(log, chance, in_lists=False)
    runs.pace = pace = Pace()
    crowd = Crowd(log, runs, chance, follows=Follows.EVENTS)
    for event in log.events:
        number = event.position.xid
        crowd.group.memo.keep(event, Payload(str(number).encode(), place(number)))
    time = Time()

    class Working(Client):
        def at_once(self, payloads: Sequence[Payload]) -> bool:
            return not payloads

        async def send(self, result: object) -> None:
            time.now += WORK
            await super().send(result)

    async def read_at_once(cursor: Any, *, limit: int) -> list[Any]:  # noqa: ANN401
        return [event for event in log.events if event.position > cursor.position][:limit]

    monkeypatch.setattr(log, "read_after", read_at_once)
    client = Working(random.Random(7), 0)
    with monkeypatch.context() as patch:
        patch.setattr(asyncio.get_running_loop(), "time", lambda: time.now)
        others = asyncio.create_task(time.go_on())
        crowd.come(client)
        while client.received[-1:] != [EVENTS]:  # noqa: ASYNC110 - time is what this moves
            await asyncio.sleep(0)
        others.cancel()
        await asyncio.wait({others})
    await until(lambda: len(pace.worked) == EVENTS, seconds=SECONDS)
    assert client.received == list(range(1, EVENTS + 1))
    assert pace.worked == pytest.approx([WORK] * EVENTS)
    assert runs.executed_events == []
    await crowd.go()
