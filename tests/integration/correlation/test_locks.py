"""Which batches wait for which? Not those that join a group that is there; a wrong guess costs a second look."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import asyncpg
import pytest

from domain.alerts.fold import FoldPolicy
from domain.alerts.signal import Outcome
from domain.correlation.way import group_lock_id
from domain.ids import new_id
from domain.ports import SystemClock
from persistence.ingest_queue import IngestQueue
from tests.unit.alerts.signals import RESOLVED, signal, submission


def now() -> datetime:
    return datetime.now(tz=UTC)


@pytest.fixture
async def doors(database_url: str) -> AsyncIterator[tuple[IngestQueue, IngestQueue]]:
    queues = [IngestQueue(database_url, clock=SystemClock(), policy=FoldPolicy()) for _ in range(2)]
    for queue in queues:
        await queue.start()
    yield queues[0], queues[1]
    await asyncio.gather(*(queue.close() for queue in queues))


async def a_rule(database: asyncpg.Connection) -> None:
    await database.execute(
        """INSERT INTO group_rules (id, name, strategy, labels, "window", max_age, threshold, created_at, updated_at)
           VALUES ($1, 'by cause', 'labels', '{cause}', '10 min', '1 day', 88, now(), now())""",
        new_id(),
    )


async def the_key(database: asyncpg.Connection) -> int:
    return group_lock_id(await database.fetchval("SELECT key FROM alert_group_keys"))


async def test_batches_that_join_one_group_do_not_wait_for_each_other(
    doors: tuple[IngestQueue, IngestQueue], database: asyncpg.Connection
) -> None:
    await a_rule(database)
    await doors[0].submit(submission(now(), signal(key="t:1:first", labels={"cause": "1"})))
    await doors[0].submit(submission(now(), signal(key="t:1:second", labels={"cause": "1"})))

    async with database.transaction():
        await database.execute("SELECT pg_advisory_xact_lock_shared($1)", await the_key(database))
        # Would wait for ever, did it want the key for itself.
        await doors[0].submit(submission(now(), signal(key="t:1:third", labels={"cause": "1"})))

    assert await database.fetchval("SELECT count(DISTINCT group_id) FROM alerts WHERE group_id IS NOT NULL") == 1
    assert await database.fetchval("SELECT count(*) FROM alerts WHERE group_id IS NOT NULL") == 3


async def test_a_repeat_of_what_is_open_locks_no_group(
    doors: tuple[IngestQueue, IngestQueue], database: asyncpg.Connection
) -> None:
    await a_rule(database)
    await doors[0].submit(submission(now(), signal(key="t:1:a", labels={"cause": "1"})))

    async with database.transaction():
        await database.execute("SELECT pg_advisory_xact_lock($1)", await the_key(database))
        receipt = await doors[0].submit(submission(now(), signal(key="t:1:a", labels={"cause": "1"})))

    assert [result.outcome for result in receipt.results] == [Outcome.REPEATED]


async def test_a_group_that_has_ended_meanwhile_is_opened_anew_by_one(
    doors: tuple[IngestQueue, IngestQueue], database: asyncpg.Connection
) -> None:
    """Both processes believe that it is there."""
    await a_rule(database)
    for number, door in enumerate((*doors, *doors)):
        await door.submit(submission(now(), signal(key=f"t:1:{number}", labels={"cause": "1"})))
    for number in range(4):
        await doors[0].submit(submission(now(), signal(RESOLVED, key=f"t:1:{number}", labels={"cause": "1"})))

    await asyncio.gather(
        *[
            doors[number % 2].submit(submission(now(), signal(key=f"t:1:new-{number}", labels={"cause": "1"})))
            for number in range(40)
        ]
    )

    rows = await database.fetch("SELECT group_id, count(*) AS members FROM alerts GROUP BY group_id ORDER BY 2")
    assert [row["members"] for row in rows] == [4, 40]
    assert await database.fetchval("SELECT count(*) FROM alert_groups") == 2


async def test_an_alert_that_another_process_ended_is_placed_when_it_comes_back(
    doors: tuple[IngestQueue, IngestQueue], database: asyncpg.Connection
) -> None:
    """The first process saw it open, and works out no way into a group for its repeats."""
    first, second = doors
    await first.submit(submission(now(), signal(key="t:1:a", labels={"cause": "1"})))
    await a_rule(database)
    for _ in range(2):
        await first.submit(submission(now(), signal(key="t:1:a", labels={"cause": "1"})))
    await second.submit(submission(now(), signal(RESOLVED, key="t:1:a", labels={"cause": "1"})))
    assert await database.fetchval("SELECT group_id FROM alerts") is None, "repeats join no group"

    receipt = await first.submit(submission(now(), signal(key="t:1:a", labels={"cause": "1"})))

    assert [result.outcome for result in receipt.results] == [Outcome.REOPENED]
    assert await database.fetchval("SELECT group_id FROM alerts") is not None


async def test_many_that_another_process_ended_come_back_side_by_side(
    doors: tuple[IngestQueue, IngestQueue], database: asyncpg.Connection
) -> None:
    """What was wrongly believed of them is forgotten; that their group is there is right, and they share its lock."""
    await a_rule(database)
    first, second = doors
    both = [signal(key=f"t:1:{name}", labels={"cause": "1"}) for name in "ab"]
    ended = [signal(RESOLVED, key=f"t:1:{name}", labels={"cause": "1"}) for name in "ab"]
    await first.submit(submission(now(), *both, signal(key="t:1:stays", labels={"cause": "1"})))
    await first.submit(submission(now(), *both, signal(key="t:1:joins", labels={"cause": "1"})))
    await second.submit(submission(now(), *ended))

    async with database.transaction():
        await database.execute("SELECT pg_advisory_xact_lock_shared($1)", await the_key(database))
        # Would wait for ever, did it want the key for itself.
        receipt = await first.submit(submission(now(), *both))

    assert [result.outcome for result in receipt.results] == [Outcome.REOPENED, Outcome.REOPENED]
    assert await database.fetchval("SELECT count(DISTINCT group_id) FROM alerts WHERE group_id IS NOT NULL") == 1


async def test_one_post_that_ends_and_fires_again_is_placed_too(
    doors: tuple[IngestQueue, IngestQueue], database: asyncpg.Connection
) -> None:
    await doors[0].submit(submission(now(), signal(key="t:1:a", labels={"cause": "1"})))
    await a_rule(database)
    for _ in range(2):
        await doors[0].submit(submission(now(), signal(key="t:1:a", labels={"cause": "1"})))

    fires = signal(key="t:1:a", labels={"cause": "1"})
    receipt = await doors[0].submit(submission(now(), signal(RESOLVED, key="t:1:a", labels={"cause": "1"}), fires))

    assert [result.outcome for result in receipt.results] == [Outcome.RESOLVED, Outcome.REOPENED]
    assert await database.fetchval("SELECT group_id FROM alerts") is not None
