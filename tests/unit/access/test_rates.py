"""Does a bucket refill steadily, let a burst through, and never more? And who is held up by whose guesses?"""

from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.access.devices import DeviceTokens
from domain.access.rates import Bucket, Rate
from domain.access.throttle import LIMITS, Attempt, AttemptKind
from persistence.rate_limiter import RateLimiter
from persistence.throttle import AttemptThrottle, BucketThrottle

TEN = Rate("ten", 10, timedelta(seconds=10), 10)


class Time:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def limiter(time: Time) -> RateLimiter:
    return RateLimiter(clock=time)


async def test_a_burst_is_let_through_and_the_next_waits_for_one_unit(limiter: RateLimiter, time: Time) -> None:
    bucket = Bucket(TEN, "a")
    for left in range(9, -1, -1):
        (verdict,) = await limiter.spend([bucket], 1)
        assert (verdict.allowed, verdict.remaining, verdict.wait) == (True, left, 0)
    (verdict,) = await limiter.spend([bucket], 1)
    assert (verdict.allowed, verdict.remaining) == (False, 0)
    assert verdict.wait == pytest.approx(1)
    time.now += 0.99
    assert not (await limiter.spend([bucket], 1))[0].allowed
    time.now += 0.02
    assert (await limiter.spend([bucket], 1))[0].allowed
    time.now += 100
    assert (await limiter.spend([bucket], 10))[0].allowed


async def test_what_is_refused_spends_nothing_from_any_bucket(limiter: RateLimiter) -> None:
    small, large = Bucket(TEN, "small"), Bucket(Rate("large", 100, timedelta(seconds=10), 100), "large")
    await limiter.spend([small], 8)
    first, second = await limiter.spend([small, large], 5)
    assert (first.allowed, second.allowed) == (False, True)
    assert second.remaining == 100
    assert (await limiter.spend([small], 2))[0].allowed


async def test_what_costs_more_than_a_burst_takes_a_whole_one(limiter: RateLimiter) -> None:
    bucket = Bucket(TEN, "a")
    assert (await limiter.spend([bucket], 1_000))[0].allowed
    assert (await limiter.spend([bucket], 1))[0].wait == pytest.approx(1)


@given(steps=st.lists(st.tuples(st.floats(0, 3), st.integers(1, 15)), max_size=60))
async def test_no_window_ever_lets_through_more_than_rate_and_burst(steps: list[tuple[float, int]]) -> None:
    time = Time()
    limiter, bucket = RateLimiter(clock=time), Bucket(TEN, "a")
    let_through: list[tuple[float, int]] = []
    for pause, cost in steps:
        time.now += pause
        if (await limiter.spend([bucket], cost))[0].allowed:
            let_through.append((time.now, min(cost, 10)))
    for place, (begin, _) in enumerate(let_through):
        spent = 0
        for moment, cost in let_through[place:]:
            spent += cost
            assert spent <= 10 + (moment - begin) + 1e-3


# -- attempts --------------------------------------------------------------------------------------------------------

ADA, BOB = b"a" * 32, b"b" * 32
HERE, THERE = "192.0.2.1", "192.0.2.2"
DEVICES = DeviceTokens(b"d" * 32)
LOGIN = LIMITS[AttemptKind.LOGIN]


def throttle(limiter: RateLimiter, *, known: bool = False) -> AttemptThrottle:
    async def known_place(_subject: bytes, _place: str) -> bool:
        return known

    return AttemptThrottle(BucketThrottle(limiter), AttemptKind.LOGIN, devices=DEVICES, known_place=known_place)


async def _flood(limiter: RateLimiter, subject: bytes) -> None:
    """Guesses at one address from a thousand places."""
    for number in range(LOGIN.subject.burst + 5):
        await throttle(limiter).attempt(subject, f"198.51.{number // 250}.{number % 250}")


async def test_guesses_from_one_place_are_stopped_and_a_right_answer_forgets_them(limiter: RateLimiter) -> None:
    login = throttle(limiter)
    for _ in range(LOGIN.pair.burst):
        assert await login.attempt(ADA, HERE) == 0
    assert 0 < await login.attempt(ADA, HERE) <= 180
    assert await login.attempt(ADA, THERE) == 0
    assert await login.attempt(BOB, HERE) == 0
    await login.succeeded(ADA, HERE)
    assert await login.attempt(ADA, HERE) == 0


async def test_an_office_behind_one_address_signs_in(limiter: RateLimiter) -> None:
    login = throttle(limiter)
    for number in range(5 * LOGIN.place.burst):
        person = number.to_bytes(32, "little")
        assert await login.attempt(person, HERE) == 0
        await login.succeeded(person, HERE)


async def test_a_place_that_tries_many_addresses_is_stopped(limiter: RateLimiter) -> None:
    login = throttle(limiter)
    for number in range(LOGIN.place.burst):
        assert await login.attempt(number.to_bytes(32, "little"), HERE) == 0
    assert await login.attempt(ADA, HERE) > 0
    assert await login.attempt(ADA, THERE) == 0


async def test_an_ipv6_line_is_one_place_however_many_addresses_it_has(limiter: RateLimiter) -> None:
    login = throttle(limiter)
    for number in range(LOGIN.pair.burst):
        assert await login.attempt(ADA, f"2001:db8:1:2::{number:x}") == 0
    assert await login.attempt(ADA, "2001:db8:1:2:ffff::1") > 0


async def test_guesses_from_many_places_slow_strangers_by_seconds(limiter: RateLimiter, time: Time) -> None:
    """ASVS 5.0 6.3.1: credential stuffing from many addresses."""
    await _flood(limiter, ADA)
    wait = await throttle(limiter).attempt(ADA, HERE)
    assert 0 < wait <= 30
    time.now += wait
    assert await throttle(limiter).attempt(ADA, HERE) == 0


async def test_guesses_of_others_do_not_lock_out_who_came_from_here_before(limiter: RateLimiter) -> None:
    """ASVS 5.0 6.1.1: the lock-out cannot be turned against the owner of the account."""
    await _flood(limiter, ADA)
    assert await throttle(limiter).attempt(ADA, HERE) > 0
    assert await throttle(limiter, known=True).attempt(ADA, HERE) == 0


async def test_a_known_device_is_held_up_by_nobody_but_itself(limiter: RateLimiter) -> None:
    """ASVS 5.0 6.1.1: not from the same office either, and not from a place never seen."""
    await _flood(limiter, ADA)
    for number in range(LOGIN.place.burst):
        await throttle(limiter).attempt(number.to_bytes(32, "little"), HERE)
    device = DEVICES.token(ADA, UUID(int=9))
    login = throttle(limiter)
    assert await login.attempt(ADA, HERE) > 0
    for _ in range(LOGIN.pair.burst):
        assert await login.attempt(ADA, HERE, device=device) == 0
    assert await login.attempt(ADA, HERE, device=device) > 0, "a stolen device token is no way around the throttle"


@pytest.mark.parametrize("forged", [None, "", "tcd_", "tcd_AAAA", "x" * 200, DEVICES.token(BOB, UUID(int=9))])
async def test_a_token_that_is_not_this_persons_counts_for_nothing(limiter: RateLimiter, forged: str | None) -> None:
    await _flood(limiter, ADA)
    assert await throttle(limiter).attempt(ADA, HERE, device=forged) > 0


def test_a_device_token_is_genuine_or_nothing() -> None:
    token = DEVICES.token(ADA, UUID(int=9))
    assert DEVICES.device_of(token, ADA) == UUID(int=9).bytes.hex()
    assert DEVICES.device_of(token, BOB) is None
    assert DeviceTokens(b"e" * 32).device_of(token, ADA) is None
    for place in range(4, len(token) - 1):
        other = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        assert DEVICES.device_of(other, ADA) is None, place


@pytest.mark.parametrize("kind", list(AttemptKind))
def test_each_kind_counts_by_itself(kind: AttemptKind) -> None:
    mine = {bucket.key for bucket in Attempt(kind=kind, subject=ADA, address=HERE).buckets()}
    for other in AttemptKind:
        if other is not kind:
            assert not mine & {bucket.key for bucket in Attempt(kind=other, subject=ADA, address=HERE).buckets()}
