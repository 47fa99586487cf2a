"""Who guesses passwords? Failed sign-ins are counted by address and place, in Redis so that all processes count as one.

With Redis away each process counts alone: guessing is still slowed, and nobody is locked out by an outage.
"""

import time
from collections import OrderedDict
from typing import TYPE_CHECKING, cast

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

if TYPE_CHECKING:
    from collections.abc import Awaitable

log = structlog.get_logger(__name__)

WINDOW_SECONDS = 15 * 60
# For one address from one place, and from one place whatever the address.
PER_ADDRESS = 5
PER_PLACE = 50
MAX_COUNTERS = 10_000
REDIS_SECONDS = 0.25

# One round trip: count, set the end of the window with the first, and say how long the window still lasts.
_COUNT = """
local n = redis.call('INCR', KEYS[1])
if n == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return {n, redis.call('TTL', KEYS[1])}
"""


class LoginAttempts:
    """Implements domain.identity.ports.LoginThrottle."""

    def __init__(self, redis: Redis | None = None) -> None:
        self._redis = redis
        self._counters: OrderedDict[str, tuple[int, float]] = OrderedDict()

    async def attempt(self, email_digest: bytes, ip_address: str | None) -> int:
        """Count an attempt. 0, or the seconds to wait before the next is looked at."""
        waits = [
            ttl
            for key, most in ((_pair(email_digest, ip_address), PER_ADDRESS), (_place(ip_address), PER_PLACE))
            for count, ttl in [await self._count(key)]
            if count > most
        ]
        return max(waits, default=0)

    async def succeeded(self, email_digest: bytes, ip_address: str | None) -> None:
        """Forget the failures of this address from here; those of the place stay."""
        key = _pair(email_digest, ip_address)
        self._counters.pop(key, None)
        if self._redis is not None:
            try:
                await self._redis.delete(key)
            except (RedisError, OSError, TimeoutError) as error:
                log.warning("login_attempts.redis_unavailable", error=repr(error))

    async def _count(self, key: str) -> tuple[int, int]:
        if self._redis is not None:
            try:
                answer = await cast("Awaitable[list[int]]", self._redis.eval(_COUNT, 1, key, str(WINDOW_SECONDS)))
                return answer[0], max(1, answer[1])
            except (RedisError, OSError, TimeoutError) as error:
                log.warning("login_attempts.redis_unavailable", error=repr(error))
        return self._count_here(key)

    def _count_here(self, key: str) -> tuple[int, int]:
        now = time.monotonic()
        count, ends_at = self._counters.pop(key, (0, 0.0))
        if ends_at <= now:
            count, ends_at = 0, now + WINDOW_SECONDS
        self._counters[key] = (count + 1, ends_at)
        if len(self._counters) > MAX_COUNTERS:
            self._counters.popitem(last=False)
        return count + 1, max(1, int(ends_at - now))


def _pair(email_digest: bytes, ip_address: str | None) -> str:
    return f"tocsin:login:{email_digest.hex()[:32]}:{ip_address or '-'}"


def _place(ip_address: str | None) -> str:
    return f"tocsin:login:{ip_address or '-'}"
