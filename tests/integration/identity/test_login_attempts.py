"""Guessing is slowed by all processes as one, and by each alone when Redis is away (T7)."""

import redis.asyncio as redis_asyncio

from persistence.login_attempts import PER_ADDRESS, PER_PLACE, WINDOW_SECONDS, LoginAttempts

ADA, BOB = b"a" * 32, b"b" * 32
HERE, THERE = "192.0.2.1", "192.0.2.2"


async def test_two_processes_count_as_one(redis_url: str) -> None:
    first, second = (redis_asyncio.Redis.from_url(redis_url) for _ in range(2))
    one, other = LoginAttempts(first), LoginAttempts(second)
    try:
        for _ in range(PER_ADDRESS):
            assert await one.attempt(ADA, HERE) == 0
        assert 0 < await other.attempt(ADA, HERE) <= WINDOW_SECONDS
        assert await other.attempt(ADA, THERE) == 0
        assert await other.attempt(BOB, HERE) == 0
        await one.succeeded(ADA, HERE)
        assert await other.attempt(ADA, HERE) == 0
    finally:
        await first.aclose()
        await second.aclose()


async def test_a_place_that_tries_many_addresses_is_slowed_as_a_whole() -> None:
    attempts = LoginAttempts()
    for number in range(PER_PLACE):
        assert await attempts.attempt(number.to_bytes(32, "little"), HERE) == 0
    assert await attempts.attempt(ADA, HERE) > 0
    assert await attempts.attempt(ADA, THERE) == 0


async def test_without_redis_a_process_counts_alone() -> None:
    client = redis_asyncio.Redis.from_url("redis://127.0.0.1:9/0", socket_connect_timeout=0.2)
    attempts = LoginAttempts(client)
    try:
        for _ in range(PER_ADDRESS):
            assert await attempts.attempt(ADA, HERE) == 0
        assert await attempts.attempt(ADA, HERE) > 0
        await attempts.succeeded(ADA, HERE)
        assert await attempts.attempt(ADA, HERE) == 0
    finally:
        await client.aclose()
