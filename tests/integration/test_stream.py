"""Does the live stream carry messages through lost connections, stay bounded, and survive a Redis that forgot?"""

import asyncio
from collections.abc import AsyncIterator

import pytest
import redis.asyncio as redis
from broadcaster import Broadcast

from persistence.stream import WINDOW, RedisStreamBackend
from tests.waiting import until

CHANNEL = "test:events"


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[redis.Redis]:
    client = redis.Redis.from_url(redis_url)
    yield client
    await client.aclose()


@pytest.fixture
async def backend(redis_url: str) -> AsyncIterator[RedisStreamBackend]:
    backend = RedisStreamBackend(redis_url)
    await backend.connect()
    yield backend
    await backend.disconnect()


async def until_connected(backend: RedisStreamBackend) -> None:
    await until(lambda: backend.is_connected)


async def cut_all_connections(client: redis.Redis) -> None:
    await client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")  # type: ignore[no-untyped-call]


async def next_message(backend: RedisStreamBackend) -> str:
    async with asyncio.timeout(60):
        event = await backend.next_published()
    backend.done_with_one()
    return str(event.message)


async def test_it_works_behind_broadcaster(redis_url: str) -> None:
    backend = RedisStreamBackend(redis_url)
    async with Broadcast(backend=backend) as broadcast, broadcast.subscribe(CHANNEL) as subscriber:
        await until_connected(backend)
        for number in range(3):
            await broadcast.publish(CHANNEL, f"message {number}")
        async with asyncio.timeout(60):
            assert [(await subscriber.get()).message for _ in range(3)] == [f"message {number}" for number in range(3)]


async def test_a_reader_begins_at_the_end_of_the_stream(backend: RedisStreamBackend) -> None:
    await backend.publish(CHANNEL, "before")
    await backend.subscribe(CHANNEL)
    await until_connected(backend)
    await backend.publish(CHANNEL, "after")
    assert await next_message(backend) == "after"


async def test_a_cut_connection_loses_and_repeats_nothing(backend: RedisStreamBackend, client: redis.Redis) -> None:
    await backend.subscribe(CHANNEL)
    await until_connected(backend)
    received = []
    for number in range(6):
        await cut_all_connections(client)
        await client.xadd(CHANNEL, {"message": str(number)})
        received.append(await next_message(backend))
    assert received == [str(number) for number in range(6)]


async def test_a_redis_that_forgot_everything_is_read_again(backend: RedisStreamBackend, client: redis.Redis) -> None:
    await backend.subscribe(CHANNEL)
    await until_connected(backend)
    await client.xadd(CHANNEL, {"message": "old"}, id="9999999999999-0")  # the stream's ids are far ahead
    assert await next_message(backend) == "old"
    await client.delete(CHANNEL)
    await cut_all_connections(client)
    await until(lambda: not backend.is_connected)
    await until_connected(backend)
    await client.xadd(CHANNEL, {"message": "new"})
    assert await next_message(backend) == "new"


async def test_the_stream_is_cut_to_its_length(redis_url: str, client: redis.Redis) -> None:
    backend = RedisStreamBackend(redis_url, max_messages=100)
    for number in range(1000):
        await backend.publish(CHANNEL, str(number))
    assert 100 <= await client.xlen(CHANNEL) <= 300  # the cut is approximate, in whole nodes
    await backend.disconnect()


async def test_a_busy_reader_holds_no_more_than_the_window(backend: RedisStreamBackend, client: redis.Redis) -> None:
    await backend.subscribe(CHANNEL)
    await until_connected(backend)
    for number in range(WINDOW * 3):
        await client.xadd(CHANNEL, {"message": str(number)})
    await until(lambda: backend._arrived.qsize() >= WINDOW)  # noqa: SLF001  # as below
    await asyncio.sleep(0.3)
    held = backend._arrived.qsize()  # noqa: SLF001  # the very thing that must be bounded
    assert held == WINDOW
    assert [await next_message(backend) for _ in range(WINDOW * 3)] == [str(n) for n in range(WINDOW * 3)]


async def test_publishing_to_a_redis_that_is_down_says_so(free_port: int) -> None:
    backend = RedisStreamBackend(f"redis://127.0.0.1:{free_port}/0")
    with pytest.raises((redis.RedisError, OSError)):
        async with asyncio.timeout(60):
            await backend.publish(CHANNEL, "lost")
    await backend.disconnect()


async def test_reading_from_a_redis_that_is_down_waits(free_port: int) -> None:
    backend = RedisStreamBackend(f"redis://127.0.0.1:{free_port}/0")
    await backend.connect()
    await backend.subscribe(CHANNEL)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await backend.next_published()
    assert not backend.is_connected
    await backend.disconnect()
