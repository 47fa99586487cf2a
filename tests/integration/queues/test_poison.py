"""Does what is broken, old, stuck or poisonous in a queue keep anything else from being done? On both brokers."""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

import dramatiq
from sqlalchemy.ext.asyncio import AsyncEngine

from jobs.broker import MAX_AGE_MS, URGENT
from jobs.due import Due, Hurry
from persistence.due_marks import Failing, failing
from tests.integration.queues.conftest import Works
from tests.waiting import until, until_true
from tocsin.settings import Settings

Working = Callable[[Sequence[Due]], AbstractContextManager[Works]]
EVERY = timedelta(hours=1)
HOUR = timedelta(hours=1)


class Counted:
    """Work that counts how often it was done, and may be told to hang or to fail."""

    def __init__(self) -> None:
        self.done = 0
        self.begun = self.at_once = self.most_at_once = 0
        self.going_on = threading.Event()
        self.going_on.set()
        self.trouble: Exception | None = None

    async def perform(self, _engine: AsyncEngine, _settings: Settings, _now: datetime) -> int:
        self.begun += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            return await self._perform()
        finally:
            self.at_once -= 1

    async def _perform(self) -> int:
        while not self.going_on.is_set():  # noqa: ASYNC110 - set by the test's thread
            await asyncio.sleep(0.01)
        if self.trouble is not None:
            raise self.trouble
        self.done += 1
        return 1


class Raw(dramatiq.Message[None]):
    """A message whose bytes are not those of its fields."""

    def encode(self) -> bytes:
        return str(self.kwargs["raw"]).encode("latin-1")


async def test_what_is_no_message_of_ours_blocks_nothing(working: Working) -> None:
    quick = Counted()
    with working([Due("quick", EVERY, quick.perform, Hurry.URGENT)]) as works:
        for raw in ("no JSON", "{}", "\xff\xfe"):
            works.broker.enqueue(Raw(URGENT, "quick", (), {"raw": raw}, {}))
        await until_true(lambda: hinted(works, quick, 1))


async def hinted(works: Works, counted: Counted, least: int) -> bool:
    """As the scheduler does, which asks again."""
    await works.hints.give(["quick"])
    await asyncio.sleep(0.2)
    return counted.done >= least


async def test_what_nobody_knows_goes_to_the_dead_letters(working: Working) -> None:
    quick = Counted()
    with working([Due("quick", EVERY, quick.perform, Hurry.URGENT)]) as works:
        works.broker.enqueue(dramatiq.Message(URGENT, "of another version", (), {}, {}))
        assert await works.hints.give(["quick"]) == {"quick"}
        await until(lambda: quick.done == 1)


async def test_an_old_hint_is_dropped(working: Working) -> None:
    quick = Counted()
    with working([Due("quick", EVERY, quick.perform, Hurry.URGENT)]) as works:
        old = int(time.time() * 1000) - MAX_AGE_MS - 1
        for _ in range(5):
            works.broker.enqueue(dramatiq.Message(URGENT, "quick", (), {}, {}, message_timestamp=old))
        assert await works.hints.give(["quick"]) == {"quick"}
        await until(lambda: quick.done == 1)
        await asyncio.sleep(0.5)
        assert quick.begun == 1


async def test_work_that_hangs_holds_its_own_places_alone_and_is_ended(working: Working, engine: AsyncEngine) -> None:
    stuck, quick = Counted(), Counted()
    stuck.going_on.clear()
    limit = timedelta(seconds=2)
    works_of = [
        Due("stuck", EVERY, stuck.perform, Hurry.URGENT, places=2, limit=limit),
        Due("quick", EVERY, quick.perform, Hurry.SLOW),
    ]
    with working(works_of) as works:
        for _ in range(20):
            assert await works.hints.give(["stuck"]) == {"stuck"}
        await until(lambda: stuck.begun >= 2)
        assert await works.hints.give(["quick"]) == {"quick"}
        await until(lambda: quick.done == 1)
        assert (stuck.done, stuck.most_at_once) == (0, 2), "it is at work no more often than it may be"

        await until_true(lambda: fails(engine, "stuck", f"not done within {limit}"))
        assert works.operations.work_failures.labels("stuck")._value.get() >= 1  # noqa: SLF001 - what is counted
        stuck.going_on.set()


async def fails(engine: AsyncEngine, work: str, problem: str) -> bool:
    async with engine.connect() as connection:
        return any((one.work, one.problem) == (work, problem) for one in await failing(connection, within=HOUR))


async def test_a_hint_that_finds_the_work_under_way_is_not_lost(working: Working) -> None:
    busy = Counted()
    busy.going_on.clear()
    with working([Due("quick", EVERY, busy.perform, Hurry.URGENT)]) as works:
        await works.hints.give(["quick"])
        await until(lambda: busy.begun == 1)
        for _ in range(5):
            await works.hints.give(["quick"])
        await asyncio.sleep(0.5)
        busy.going_on.set()
        await until(lambda: busy.done >= 2)


async def test_what_fails_is_on_record_until_it_goes_well(working: Working, engine: AsyncEngine) -> None:
    broken = Counted()
    broken.trouble = RuntimeError("the secret in this text is written nowhere")
    with working([Due("quick", EVERY, broken.perform, Hurry.URGENT)]) as works:
        for _ in range(2):
            await works.hints.give(["quick"])
            await asyncio.sleep(0.3)
        await until_true(lambda: fails(engine, "quick", "RuntimeError"))
        broken.trouble = None
        await works.hints.give(["quick"])
        await until(lambda: broken.done >= 1)
        await until_true(lambda: is_well(engine))


async def is_well(engine: AsyncEngine) -> bool:
    async with engine.connect() as connection:
        found: list[Failing] = await failing(connection, within=HOUR)
    return found == []


async def test_what_was_done_is_followed_by_what_it_asks_for(working: Working) -> None:
    first, second = Counted(), Counted()
    works_of = [
        Due("first", EVERY, first.perform, Hurry.URGENT, followed_by=("second",)),
        Due("second", EVERY, second.perform, Hurry.URGENT),
    ]
    with working(works_of) as works:
        works.actors.hints = works.hints
        await works.hints.give(["first"])
        await until(lambda: second.done == 1)
