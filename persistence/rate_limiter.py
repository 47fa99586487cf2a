"""Is there room for one more? Buckets in Redis, so that all processes count as one; in memory while Redis is away.

One round trip a question, however many buckets it is about: all let it through, or nothing is spent. The time is
Redis's own, so clocks that differ do no harm. After a failure Redis is left alone for a moment: each request would
otherwise wait for it in vain.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import NoScriptError, RedisError

from domain.access.rates import SLACK, Bucket, Verdict, verdicts

_log = structlog.get_logger(__name__)
PREFIX = "tocsin:rate:"
MAX_BUCKETS = 50_000
REST_SECONDS = 1.0
TROUBLE = (RedisError, OSError, TimeoutError)

# KEYS: buckets. ARGV: the cost, then for each bucket the seconds of a unit, and its burst in units.
# Answers 1 or 0, and how far each bucket was ahead of now. Numbers travel as text: Lua's would become integers.
SCRIPT = f"""
local t = redis.call('TIME')
local now = tonumber(t[1]) + tonumber(t[2]) / 1000000
local cost = tonumber(ARGV[1])
local answer, after = {{1}}, {{}}
for i, key in ipairs(KEYS) do
  local unit, burst = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  local ahead = math.max(0, tonumber(redis.call('GET', key) or 0) - now)
  after[i] = ahead + math.min(cost, burst) * unit
  answer[i + 1] = string.format('%.6f', ahead)
  if after[i] > unit * burst + {SLACK:.6f} then answer[1] = 0 end
end
if answer[1] == 1 then
  for i, key in ipairs(KEYS) do
    redis.call('SET', key, string.format('%.6f', now + after[i]), 'PX', math.ceil(after[i] * 1000) + 1)
  end
end
return answer
"""


# KEYS: buckets. ARGV: for each, the seconds to give back.
GIVE_BACK = """
local t = redis.call('TIME')
local now = tonumber(t[1]) + tonumber(t[2]) / 1000000
for i, key in ipairs(KEYS) do
  local ahead = tonumber(redis.call('GET', key) or 0) - now - tonumber(ARGV[i])
  if ahead > 0 then
    redis.call('SET', key, string.format('%.6f', now + ahead), 'PX', math.ceil(ahead * 1000) + 1)
  else
    redis.call('DEL', key)
  end
end
"""


class RateLimiter:
    """The buckets of this installation. Without Redis they are this process's alone."""

    def __init__(self, redis: Redis | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._redis = redis
        self._script: str | None = None
        self._clock = clock
        self._rests_until = float("-inf")
        self._here: OrderedDict[str, float] = OrderedDict()

    async def spend(self, buckets: Sequence[Bucket], cost: float) -> list[Verdict]:
        """Spend the cost from every bucket, or from none: a verdict of each, in order."""
        if self._redis is not None and self._clock() >= self._rests_until:
            try:
                has_room, *aheads = await self._ask(self._redis, buckets, cost)
            except TROUBLE as error:
                self._leave_alone(error)
            else:
                return verdicts(buckets, [float(ahead) for ahead in aheads], cost, spent=has_room == 1)
        return self._spend_here(buckets, cost)

    async def forget(self, key: str) -> None:
        """Fill a bucket up."""
        self._here.pop(key, None)
        if self._redis is not None and self._clock() >= self._rests_until:
            try:
                await self._redis.delete(PREFIX + key)
            except TROUBLE as error:
                self._leave_alone(error)

    async def give_back(self, buckets: Sequence[Bucket], units: float) -> None:
        """Undo a spending: no bucket gets fuller than full."""
        for bucket in buckets:
            if bucket.key in self._here:
                self._here[bucket.key] -= units * bucket.rate.unit_seconds
        if self._redis is not None and self._clock() >= self._rests_until:
            client: Any = self._redis
            seconds = [repr(units * bucket.rate.unit_seconds) for bucket in buckets]
            try:
                await client.eval(GIVE_BACK, len(buckets), *(PREFIX + bucket.key for bucket in buckets), *seconds)
            except TROUBLE as error:
                self._leave_alone(error)

    def _leave_alone(self, error: Exception) -> None:
        self._rests_until = self._clock() + REST_SECONDS
        _log.warning("limits are counted by this process alone for now: Redis is away", error=repr(error))

    async def _ask(self, redis: Redis, buckets: Sequence[Bucket], cost: float) -> Any:  # noqa: ANN401 - Redis's
        client: Any = redis
        keys = [PREFIX + bucket.key for bucket in buckets]
        numbers = [text for one in buckets for text in (repr(one.rate.unit_seconds), str(one.rate.burst))]
        if self._script is None:
            self._script = await client.script_load(SCRIPT)
        try:
            return await client.evalsha(self._script, len(keys), *keys, repr(cost), *numbers)
        except NoScriptError:  # it was restarted
            return await client.eval(SCRIPT, len(keys), *keys, repr(cost), *numbers)

    def _spend_here(self, buckets: Sequence[Bucket], cost: float) -> list[Verdict]:
        now = self._clock()
        aheads = [max(0.0, self._here.get(bucket.key, 0.0) - now) for bucket in buckets]
        has_room = all(bucket.has_room(ahead, cost) for bucket, ahead in zip(buckets, aheads, strict=True))
        if has_room:
            for bucket, ahead in zip(buckets, aheads, strict=True):
                self._here[bucket.key] = now + bucket.ahead_after(ahead, cost)
                self._here.move_to_end(bucket.key)
            while len(self._here) > MAX_BUCKETS:
                self._here.popitem(last=False)
        return verdicts(buckets, aheads, cost, spent=has_room)
