"""Does a reader of the log see every event once, whatever order transactions commit in?"""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import asyncpg
import orjson
import pytest

from domain.alerts.cursor import Cursor, log_start
from domain.alerts.events import AlertEventKind, LogPosition, RecordedEvent
from domain.alerts.model import AlertStatus
from persistence.direct import open_log_pool
from persistence.event_log import _LINES, _REACH, _READ, MAX_COUNTED_LAG, LogReader
from persistence.stream_message import decode_message, encode_run
from tests.log_writer import insert_event, insert_events
from tocsin.settings import Settings

if TYPE_CHECKING:
    from uuid import UUID


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(database_url, min_size=0, max_size=6) as pool:
        yield pool


class Follower:
    """Reads like a consumer: keeps its cursor, remembers what it saw."""

    def __init__(self, reader: LogReader, cursor: Cursor) -> None:
        self._reader, self.cursor = reader, cursor
        self.seen: list[UUID] = []

    async def poll(self, limit: int = 100) -> list[RecordedEvent]:
        events = await self._reader.read_after(self.cursor, limit=limit)
        self.seen.extend(event.event.id for event in events)
        if events:
            self.cursor = Cursor(
                epoch=self.cursor.epoch, position=events[-1].position, recorded_at=events[-1].recorded_at
            )
        return events


@pytest.fixture
async def follower(pool: asyncpg.Pool) -> Follower:
    reader = LogReader(pool)
    return Follower(reader, log_start((await reader.state()).head.epoch))


class NaiveFollower:
    """What a `bigserial` cursor does: everything visible beyond the greatest number seen."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool, self._last = pool, 0
        self.seen: list[UUID] = []

    async def poll(self) -> None:
        for row in await self._pool.fetch("SELECT seq, id FROM alert_events WHERE seq > $1 ORDER BY seq", self._last):
            self._last = row["seq"]
            self.seen.append(row["id"])


@pytest.mark.parametrize("first_to_commit", ["older", "newer"])
async def test_no_event_is_lost_to_the_order_of_commits(
    pool: asyncpg.Pool, follower: Follower, first_to_commit: str
) -> None:
    async with pool.acquire() as older, pool.acquire() as newer:
        begun = {"older": older.transaction(), "newer": newer.transaction()}
        await begun["older"].start()
        first = await insert_event(older)
        await begun["newer"].start()
        second = await insert_event(newer)
        await begun.pop(first_to_commit).commit()
        await follower.poll()
        # The newer transaction must not be shown before the older one has ended.
        assert follower.seen == ([first] if first_to_commit == "older" else [])
        await begun.popitem()[1].commit()
    await follower.poll()
    assert follower.seen == [first, second]


async def test_a_reader_by_number_loses_the_event_that_commits_late(pool: asyncpg.Pool, follower: Follower) -> None:
    """The hazard is real: the same interleaving, read the naive way, loses an event for ever."""
    naive = NaiveFollower(pool)
    async with pool.acquire() as older, pool.acquire() as newer:
        transaction = older.transaction()
        await transaction.start()
        late = await insert_event(older)
        early = await insert_event(newer)
        await naive.poll()
        await follower.poll()
        await transaction.commit()
    await naive.poll()
    await follower.poll()
    assert naive.seen == [early]
    assert follower.seen == [late, early]


async def test_what_is_only_carried_arrives_as_it_is(pool: asyncpg.Pool, follower: Follower) -> None:
    """The relay does not open what it carries: a hub reads of it what it reads in the log."""
    async with pool.acquire() as connection:
        await insert_event(connection)
        said: dict[str, Any] = {
            "changes": {"title": ["a", 'ü"\u0007']},
            "n": [1, 2.5, 1e3, None],
            "decisions": [{"inputs": {}}],
        }
        await insert_event(connection, kind=AlertEventKind.UPDATED, status=AlertStatus.RESOLVED, data=said)
    reader, place = LogReader(pool), follower.cursor
    told = [
        event
        for text in encode_run(place, await reader.lines_after(place, limit=10))
        if (message := decode_message(text)) is not None and message.events is not None
        for event in message.events
    ]
    assert told == await follower.poll()
    assert [event.event.kind for event in told] == [AlertEventKind.OPENED, AlertEventKind.UPDATED]


async def test_a_transaction_that_rolls_back_holds_nobody_up_for_longer(pool: asyncpg.Pool, follower: Follower) -> None:
    async with pool.acquire() as older, pool.acquire() as newer:
        transaction = older.transaction()
        await transaction.start()
        await insert_event(older)
        kept = await insert_event(newer)
        await follower.poll()
        assert follower.seen == []
        await transaction.rollback()
    await follower.poll()
    assert follower.seen == [kept]


async def test_a_transaction_that_only_reads_holds_nobody_up(pool: asyncpg.Pool, follower: Follower) -> None:
    async with pool.acquire() as reading, pool.acquire() as writing, reading.transaction(isolation="repeatable_read"):
        await reading.fetch("SELECT * FROM alert_events")
        kept = await insert_event(writing)
        await follower.poll()
        assert follower.seen == [kept]


async def test_pages_join_without_gap_or_repeat(pool: asyncpg.Pool, follower: Follower) -> None:
    async with pool.acquire() as connection:
        async with connection.transaction():
            ids = await insert_events(connection, 7)
        ids += await insert_events(connection, 4)
    while await follower.poll(limit=3):
        pass
    assert follower.seen == ids


async def test_an_event_that_read_its_clock_before_it_waited_is_not_pruned(
    pool: asyncpg.Pool, follower: Follower
) -> None:
    """It takes its time, waits for a lock, and so gets the greater transaction id with the earlier time."""
    now = datetime.now(tz=UTC)
    async with pool.acquire() as connection:
        first = await insert_event(connection, recorded_at=now)
        await follower.poll()
        waited = await insert_event(connection, recorded_at=now - timedelta(hours=23))
    await follower.poll()
    assert follower.seen == [first, waited]


async def test_an_event_of_many_fields_comes_back_whole(pool: asyncpg.Pool, follower: Follower) -> None:
    async with pool.acquire() as connection:
        event_id = await insert_event(connection, version=7, data={"changes": {"title": ["a", "ü"]}})
    (recorded,) = await follower.poll()
    assert recorded.event.id == event_id
    assert recorded.event.version == 7
    assert recorded.event.data == {"changes": {"title": ["a", "ü"]}}
    assert recorded.recorded_at.tzinfo is not None


async def test_the_state_lies_after_what_is_finished_and_before_what_is_to_come(pool: asyncpg.Pool) -> None:
    reader = LogReader(pool)
    async with pool.acquire() as connection:
        await insert_event(connection)
        state = await reader.state()
        follower = Follower(reader, state.head)
        later = await insert_event(connection)
    await follower.poll()
    assert follower.seen == [later]
    assert state.head.position.xid < state.next_xid


async def test_the_state_lies_before_a_transaction_that_still_runs(pool: asyncpg.Pool) -> None:
    reader = LogReader(pool)
    async with pool.acquire() as running:
        transaction = running.transaction()
        await transaction.start()
        unfinished = await insert_event(running)
        follower = Follower(reader, (await reader.state()).head)
        await transaction.commit()
    await follower.poll()
    assert follower.seen == [unfinished]


async def test_lag_counts_what_a_consumer_has_not_read(pool: asyncpg.Pool) -> None:
    reader = LogReader(pool)
    assert await reader.lags() == []
    async with pool.acquire() as connection:
        ids = await insert_events(connection, 3)
        await connection.execute(
            "INSERT INTO relay_cursors SELECT 'live', epoch, xid, seq, recorded_at, 1, now()"
            " FROM alert_events, log_epoch WHERE id = $1",
            ids[0],
        )
        transaction = connection.transaction()
        await transaction.start()
        await insert_event(connection, recorded_at=datetime.now(tz=UTC) - timedelta(seconds=90))
        (behind,) = await reader.lags()
        assert (behind.consumer, behind.events) == ("live", 2)  # the running transaction is not counted yet
        await transaction.commit()
    (behind,) = await reader.lags()
    assert behind.events == 3
    assert 90 <= behind.seconds < 120
    assert behind.events < MAX_COUNTED_LAG


async def test_lag_of_a_consumer_at_the_head_is_nothing(pool: asyncpg.Pool) -> None:
    reader = LogReader(pool)
    async with pool.acquire() as connection:
        await insert_event(connection)
        head = (await reader.state()).head
        await connection.execute(
            "INSERT INTO relay_cursors VALUES ('live', $1, $2::xid8, $3, $4, 1, now())",
            head.epoch, head.position.xid, head.position.seq, head.recorded_at,
        )  # fmt: skip
    (behind,) = await reader.lags()
    assert (behind.events, behind.seconds) == (0, 0.0)


@pytest.mark.parametrize("statement", [_READ, _LINES, _REACH], ids=["events", "lines", "reach"])
async def test_a_page_reads_no_more_than_itself_however_much_comes_after_it(database_url: str, statement: str) -> None:
    """The planner's statistics know nothing of the newest events: it must not read and sort all it takes for one."""
    page = 10
    async with await open_log_pool(Settings(database_url=database_url), size=1, name="far behind") as pool:
        async with pool.acquire() as connection:
            await insert_events(connection, 100)
            place = await connection.fetchrow("SELECT max(xid)::text AS xid, max(seq) AS seq FROM alert_events")
        assert place is not None
        await pool.execute("ANALYZE alert_events")
        # Whether it would otherwise sort them depends on how full which pages are.
        assert await pool.fetchval("SHOW enable_sort") == "off"
        async with pool.acquire() as connection:
            await insert_events(connection, 3000)
        values = {"$1": f"'{place['xid']}'", "$2": str(place["seq"]), "$3": "'-infinity'", "$4": str(page)}
        for name, value in values.items():
            statement = statement.replace(name, value)
        plan = orjson.loads(await pool.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}"))[0]["Plan"]
    assert plan["Actual Rows"] in {1, page}
    assert max(rows_read(plan)) <= page


def rows_read(plan: dict[str, Any]) -> Iterator[float]:
    """By each step of a plan."""
    yield plan["Actual Rows"] * plan["Actual Loops"]
    for step in plan.get("Plans", ()):
        yield from rows_read(step)


def test_positions_are_ordered_by_transaction_then_by_number() -> None:
    assert LogPosition(1, 9) < LogPosition(2, 1) < LogPosition(2, 2)
