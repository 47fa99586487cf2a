"""Are the months there in time, do rows that came before their month move into it, and does only the expired leave?"""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest

from persistence.partitions import Month, drop_expired, ensure_partitions
from tests.log_writer import insert_event, logged_ids

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def partitions_of(owner: asyncpg.Connection, table: str) -> list[str]:
    rows = await owner.fetch(
        "SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = $1::text::regclass", table
    )
    return sorted(row["name"] for row in rows)


async def insert_receipt(owner: asyncpg.Connection, received_at: datetime) -> None:
    await owner.execute("INSERT INTO receipts VALUES ($1, $2, $3, 1, 0)", received_at, uuid4(), uuid4())


async def test_last_month_to_six_months_ahead_are_made_once(owner: asyncpg.Connection) -> None:
    made = await ensure_partitions(owner, now=NOW)
    assert len(made) == 4 * 8
    assert await partitions_of(owner, "signals") == [
        "signals_default",
        *(f"signals_p{month}" for month in ("2026_10", "2026_11", "2026_12")),
        *(f"signals_p2027_0{month}" for month in range(1, 6)),
    ]
    assert await ensure_partitions(owner, now=NOW) == ()


async def test_a_row_lands_in_its_month_to_the_microsecond(owner: asyncpg.Connection) -> None:
    await ensure_partitions(owner, now=NOW)
    december = datetime(2026, 12, 1, tzinfo=UTC)
    await insert_event(owner, recorded_at=december - timedelta(microseconds=1))
    await insert_event(owner, recorded_at=december)
    rows = await owner.fetch("SELECT tableoid::regclass::text AS name FROM alert_events ORDER BY recorded_at")
    assert [row["name"] for row in rows] == ["alert_events_p2026_11", "alert_events_p2026_12"]


async def test_rows_in_the_default_partition_move_and_keep_their_place_in_the_log(owner: asyncpg.Connection) -> None:
    for days in (0, 40, 900):
        await insert_event(owner, recorded_at=NOW - timedelta(days=days))
    before = await owner.fetch("SELECT id, xid, seq, recorded_at FROM alert_events ORDER BY xid, seq")
    made = await ensure_partitions(owner, now=NOW)
    assert await owner.fetch("SELECT id, xid, seq, recorded_at FROM alert_events ORDER BY xid, seq") == before
    assert await owner.fetchval("SELECT count(*) FROM alert_events_default") == 0
    assert "alert_events_p2024_06" in made  # a month nobody asked for, but with rows of it
    assert await ensure_partitions(owner, now=NOW) == ()


async def test_the_log_stays_append_only_after_rows_have_moved(owner: asyncpg.Connection) -> None:
    await insert_event(owner, recorded_at=NOW)
    await ensure_partitions(owner, now=NOW)
    await insert_event(owner, recorded_at=NOW + timedelta(days=4000))  # into the new default partition
    for statement in ("UPDATE alert_events SET version = 9", "DELETE FROM alert_events"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
            await owner.execute(statement)


async def test_a_new_partition_has_the_tables_indexes(owner: asyncpg.Connection) -> None:
    await ensure_partitions(owner, now=NOW)
    count = "SELECT count(*) FROM pg_index WHERE indrelid = $1::text::regclass"
    assert await owner.fetchval(count, "alert_events_p2026_11") == await owner.fetchval(count, "alert_events") >= 2


async def test_two_makers_at_once_make_each_partition_once(database_url: str, owner: asyncpg.Connection) -> None:
    other = await asyncpg.connect(database_url)
    first, second = await asyncio.gather(ensure_partitions(owner, now=NOW), ensure_partitions(other, now=NOW))
    await other.close()
    assert sorted((*first, *second)) == sorted({*first, *second})
    assert len({*first, *second}) == 4 * 8


async def test_making_partitions_waits_only_shortly_for_a_busy_table(
    database_url: str, owner: asyncpg.Connection
) -> None:
    writer = await asyncpg.connect(database_url)
    async with writer.transaction():
        await insert_event(writer, recorded_at=NOW)  # holds the default partition
        with pytest.raises(asyncpg.LockNotAvailableError):
            await asyncio.wait_for(ensure_partitions(owner, now=NOW), 60)
    await writer.close()
    assert len(await ensure_partitions(owner, now=NOW)) == 4 * 8


async def test_only_whole_expired_months_of_signals_and_receipts_are_dropped(owner: asyncpg.Connection) -> None:
    for day in (datetime(2026, 7, 31, tzinfo=UTC), datetime(2026, 8, 1, tzinfo=UTC), datetime(2026, 8, 26, tzinfo=UTC)):
        await insert_receipt(owner, day)
        await insert_event(owner, recorded_at=day)
    await ensure_partitions(owner, now=NOW)
    dropped = await drop_expired(owner, now=NOW, retention=timedelta(days=90))  # back to 26 August
    assert dropped == ("receipts_p2026_07",)
    kept = await owner.fetch("SELECT received_at FROM receipts ORDER BY 1")
    assert [row["received_at"].day for row in kept] == [1, 26]
    assert len(await logged_ids(owner)) == 3
    assert await drop_expired(owner, now=NOW, retention=timedelta(days=90)) == ()


def test_months_follow_each_other_over_the_turn_of_the_year() -> None:
    month = Month.of(datetime(2026, 12, 31, 23, 59, tzinfo=UTC))
    assert month.next == Month(2027, 1)
    assert month.partition_of("signals") == "signals_p2026_12"
