"""Do questions that share a round trip get the answers they would have got one by one? (T4, OWASP API4:2023)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as Away

from domain.access.rates import Bucket, Rate, Verdict
from domain.ids import new_id
from persistence import rate_limiter
from persistence.rate_limiter import RateLimiter

# So slow that nothing comes back while a test runs.
FIFTY = Rate("fifty", 50, timedelta(days=1), 50)
TWENTY = Rate("twenty", 20, timedelta(days=1), 20)


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client = Redis.from_url(redis_url)
    yield client
    await client.aclose()


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many questions each round trip held."""
    seen: list[int] = []
    ask = RateLimiter._ask  # noqa: SLF001

    async def counted(self: RateLimiter, *given: object) -> object:
        seen.append(len(given[1]))  # type: ignore[arg-type]
        return await ask(self, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(RateLimiter, "_ask", counted)
    return seen


async def test_of_hundreds_at_once_as_many_pass_as_there_is_room(redis: Redis, trips: list[int]) -> None:
    limiter, key = RateLimiter(redis), f"test:{new_id()}"
    found = await asyncio.gather(*(limiter.spend([Bucket(FIFTY, key)], 1) for _ in range(300)))
    assert [one.remaining for (one,) in found if one.allowed] == list(range(49, -1, -1)), "in the order they came"
    assert all(one.wait > 0 for (one,) in found if not one.allowed)
    assert sum(trips) == 300
    assert len(trips) <= 5, trips


async def test_each_question_keeps_to_its_own_buckets(redis: Redis) -> None:
    """One that is short of room in one bucket spends from none, whoever shares its way."""
    limiter, alone = RateLimiter(redis), RateLimiter(redis)
    shared = f"test:{new_id()}"

    def buckets(number: int, run: str) -> list[Bucket]:
        return [Bucket(FIFTY, f"{shared}:{run}:all"), Bucket(TWENTY, f"{shared}:{run}:{number % 4}")]

    def told(found: list[Verdict]) -> list[tuple[bool, int]]:
        return [(one.allowed, one.remaining) for one in found]

    together = await asyncio.gather(*(limiter.spend(buckets(number, "a"), 1 + number % 7) for number in range(60)))
    one_by_one = [await alone.spend(buckets(number, "b"), 1 + number % 7) for number in range(60)]
    assert [told(one) for one in together] == [told(one) for one in one_by_one]
    assert {one.allowed for found in together for one in found} == {True, False}


async def test_one_who_gives_up_takes_nobody_along(redis: Redis, trips: list[int]) -> None:
    limiter, key = RateLimiter(redis), f"test:{new_id()}"
    asking = [asyncio.create_task(limiter.spend([Bucket(FIFTY, key)], 1)) for _ in range(20)]
    await asyncio.sleep(0)
    asking[0].cancel()
    asking[7].cancel()
    found = await asyncio.gather(*asking, return_exceptions=True)
    assert [isinstance(one, asyncio.CancelledError) for one in found].count(True) == 2
    assert sum(isinstance(one, list) and one[0].allowed for one in found) == 18
    (after,) = await limiter.spend([Bucket(FIFTY, key)], 1)
    assert after.allowed


async def test_without_redis_all_who_wait_are_counted_here_and_it_is_said_once(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(rate_limiter._log, "warning", lambda event, **_: said.append(event))  # noqa: SLF001

    async def away(*_: object, **__: object) -> None:
        await asyncio.sleep(0.05)
        raise Away

    monkeypatch.setattr(redis, "script_load", away)
    limiter, key = RateLimiter(redis), f"test:{new_id()}"
    found = await asyncio.gather(*(limiter.spend([Bucket(FIFTY, key)], 1) for _ in range(120)))
    assert sum(one.allowed for (one,) in found) == 50
    assert len(said) == 1
