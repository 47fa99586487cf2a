"""Is there ever more than one holder whose writes count?"""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest

from domain.alerts.cursor import Cursor, log_start
from domain.alerts.events import LogPosition
from persistence.event_log import LogReader
from persistence.leases import Lease, LeaseLost, Leases
from persistence.relay_cursors import RelayCursors

TTL = timedelta(seconds=30)
EXPIRE = "UPDATE leases SET expires_at = now() - interval '1 millisecond'"


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(database_url, min_size=0, max_size=6) as pool:
        yield pool


async def start_of(pool: asyncpg.Pool) -> Cursor:
    return log_start((await LogReader(pool).state()).head.epoch)


def at(cursor: Cursor, xid: int) -> Cursor:
    return Cursor(epoch=cursor.epoch, position=LogPosition(xid, 1), recorded_at=cursor.recorded_at)


async def test_of_many_only_one_gets_it(pool: asyncpg.Pool) -> None:
    leases = Leases(pool, ttl=timedelta(seconds=30))
    taken = await asyncio.gather(*(leases.acquire("relay", holder=str(number)) for number in range(5)))
    assert sum(lease is not None for lease in taken) == 1


async def test_it_is_kept_by_renewing_and_lost_by_silence(pool: asyncpg.Pool) -> None:
    leases = Leases(pool, ttl=TTL)
    first = await leases.acquire("relay", holder="first")
    assert first is not None
    for _ in range(4):
        await pool.execute("UPDATE leases SET expires_at = now() + interval '1 second'")
        await leases.renew(first)
        assert await pool.fetchval("SELECT expires_at > now() + interval '10 seconds' FROM leases")
        assert await leases.acquire("relay", holder="second") is None
    await pool.execute(EXPIRE)
    second = await leases.acquire("relay", holder="second")
    assert second == Lease("relay", first.token + 1)
    with pytest.raises(LeaseLost):
        await leases.renew(first)


async def test_an_expired_lease_nobody_took_is_still_ours(pool: asyncpg.Pool) -> None:
    leases = Leases(pool, ttl=TTL)
    lease = await leases.acquire("relay", holder="first")
    assert lease is not None
    await pool.execute(EXPIRE)
    await leases.renew(lease)
    assert await leases.acquire("relay", holder="second") is None


async def test_a_released_one_is_free_at_once_and_its_token_is_never_used_again(pool: asyncpg.Pool) -> None:
    leases = Leases(pool, ttl=timedelta(seconds=30))
    first = await leases.acquire("relay", holder="first")
    assert first is not None
    await leases.release(first)
    second = await leases.acquire("relay", holder="second")
    assert second is not None
    assert second.token > first.token
    await leases.release(first)  # a late goodbye of the old holder ends nothing
    assert await leases.acquire("relay", holder="third") is None


async def test_names_do_not_meet(pool: asyncpg.Pool) -> None:
    leases = Leases(pool, ttl=timedelta(seconds=30))
    assert await leases.acquire("relay", holder="one")
    assert await leases.acquire("scheduler", holder="one")


async def test_a_relay_that_lost_the_lease_cannot_move_a_cursor(pool: asyncpg.Pool) -> None:
    cursors, start = RelayCursors(pool), await start_of(pool)
    old, new = Lease("relay", 7), Lease("relay", 8)
    assert await cursors.claim("live", old, start=start) == start
    async with pool.acquire() as connection:
        await cursors.move(connection, "live", old, to=at(start, 10))
        assert await cursors.claim("live", new, start=start) == at(start, 10)
        with pytest.raises(LeaseLost):
            await cursors.move(connection, "live", old, to=at(start, 20))
    with pytest.raises(LeaseLost):
        await cursors.claim("live", old, start=start)
    assert await cursors.claim("live", new, start=start) == at(start, 10)


async def test_a_move_that_was_just_being_committed_is_seen_by_the_next_holder(pool: asyncpg.Pool) -> None:
    cursors, start = RelayCursors(pool), await start_of(pool)
    old, new = Lease("relay", 1), Lease("relay", 2)
    await cursors.claim("live", old, start=start)
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await cursors.move(connection, "live", old, to=at(start, 10))
        claiming = asyncio.create_task(cursors.claim("live", new, start=start))
        await asyncio.sleep(0.1)
        assert not claiming.done()  # it waits for the row
        await transaction.commit()
    assert await claiming == at(start, 10)


async def test_a_restored_log_keeps_the_places_under_its_new_epoch(pool: asyncpg.Pool) -> None:
    cursors, start = RelayCursors(pool), await start_of(pool)
    lease = Lease("relay", 1)
    await cursors.claim("live", lease, start=start)
    async with pool.acquire() as connection:
        await cursors.move(connection, "live", lease, to=at(start, 10))
        await connection.execute("UPDATE log_epoch SET epoch = gen_random_uuid()")
    restored = await start_of(pool)
    assert restored.epoch != start.epoch
    assert await cursors.claim("live", lease, start=restored) == at(restored, 10)
