"""How are attempts counted? As buckets of the rate limiter: by all processes as one, by each alone without Redis."""

import math

from domain.access.throttle import Attempt
from persistence.rate_limiter import RateLimiter


class BucketThrottle:
    """Implements domain.access.throttle.Throttle."""

    def __init__(self, limiter: RateLimiter) -> None:
        self._limiter = limiter

    async def attempt(self, attempt: Attempt) -> int:
        """Count an attempt. 0, or the seconds to wait before the next is looked at."""
        buckets = attempt.buckets()
        found = await self._limiter.spend(buckets, 1)
        others = [verdict for verdict in found[:2] if not verdict.allowed]
        is_held_up_by_strangers = not others and not all(verdict.allowed for verdict in found)
        if is_held_up_by_strangers and attempt.is_known is not None and await attempt.is_known():
            found = await self._limiter.spend(buckets[:2], 1)
        return math.ceil(max(verdict.wait for verdict in found))

    async def succeeded(self, attempt: Attempt) -> None:
        """It was right: it does not count, and neither do the failures before it from here."""
        pair, *rest = attempt.buckets()
        await self._limiter.forget(pair.key)
        if rest:
            # An office behind one address signs in each morning.
            await self._limiter.give_back(rest, 1)
