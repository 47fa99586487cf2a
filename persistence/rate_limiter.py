"""Is there room for one more? Buckets in Redis, so that all processes count as one; in memory while Redis is away.

One round trip a question, however many buckets it is about: all let it through, or nothing is spent. Questions that
come while one is on its way go with the next, in the order they came: what they share is the way, not the answer. The
time is Redis's own, so clocks that differ do no harm. After a failure Redis is left alone for a moment: each request
would otherwise wait for it in vain.
"""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import structlog
from redis.asyncio import Redis
from redis.exceptions import NoScriptError, RedisError

from domain.access.rates import SLACK, Bucket, Verdict, verdicts

_log = structlog.get_logger(__name__)
PREFIX = "tocsin:rate:"
MAX_BUCKETS = 50_000
REST_SECONDS = 1.0
TROUBLE = (RedisError, OSError, TimeoutError)
# Questions of one round trip: Redis answers nobody else meanwhile.
MOST_TOGETHER = 100

# KEYS: the buckets of all questions. ARGV: for each question how many buckets it has and the cost, then for each bucket
# the seconds of a unit, and its burst in units.
# Answers for each question 1 or 0, and how far each bucket was ahead of now. Numbers travel as text: Lua's would become
# integers.
SCRIPT = f"""
local t = redis.call('TIME')
local now = tonumber(t[1]) + tonumber(t[2]) / 1000000
local answer, first, at = {{}}, 1, 1
while at <= #ARGV do
  local many, cost = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
  at = at + 2
  local place, after = #answer + 1, {{}}
  answer[place] = 1
  for i = 0, many - 1 do
    local unit, burst = tonumber(ARGV[at + 2 * i]), tonumber(ARGV[at + 2 * i + 1])
    local ahead = math.max(0, tonumber(redis.call('GET', KEYS[first + i]) or 0) - now)
    after[i] = ahead + math.min(cost, burst) * unit
    answer[place + 1 + i] = string.format('%.6f', ahead)
    if after[i] > unit * burst + {SLACK:.6f} then answer[place] = 0 end
  end
  if answer[place] == 1 then
    for i = 0, many - 1 do
      redis.call('SET', KEYS[first + i], string.format('%.6f', now + after[i]), 'PX', math.ceil(after[i] * 1000) + 1)
    end
  end
  first, at = first + many, at + 2 * many
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


@dataclass(frozen=True, slots=True, eq=False)
class _Question:
    """What one caller wants to know, and where the answer goes when it has to wait for its turn."""

    buckets: Sequence[Bucket]
    cost: float
    answer: "asyncio.Future[_Answer] | None" = None


class _Answer(NamedTuple):
    """Whether all buckets of a question let it through, and how far each was ahead of now."""

    has_room: bool
    aheads: list[float]


class RateLimiter:
    """The buckets of this installation. Without Redis they are this process's alone."""

    def __init__(self, redis: Redis | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._redis = redis
        self._script: str | None = None
        self._clock = clock
        self._rests_until = float("-inf")
        self._here: OrderedDict[str, float] = OrderedDict()
        self._is_asking = False
        self._waiting: deque[_Question] = deque()
        self._draining: asyncio.Task[None] | None = None

    async def spend(self, buckets: Sequence[Bucket], cost: float) -> list[Verdict]:
        """Spend the cost from every bucket, or from none: a verdict of each, in order."""
        if self._redis is not None and self._clock() >= self._rests_until:
            try:
                found = await self._asked(self._redis, buckets, cost)
            except TROUBLE as error:
                self._leave_alone(error)
            else:
                return verdicts(buckets, found.aheads, cost, spent=found.has_room)
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
        if self._clock() >= self._rests_until:  # said once, not by each who waited for the same answer
            _log.warning("limits are counted by this process alone for now: Redis is away", error=repr(error))
        self._rests_until = self._clock() + REST_SECONDS

    async def _asked(self, redis: Redis, buckets: Sequence[Bucket], cost: float) -> _Answer:
        """Ask at once when nobody else does; else with the others who wait."""
        if self._is_asking:
            answer: asyncio.Future[_Answer] = asyncio.get_running_loop().create_future()
            self._waiting.append(_Question(buckets, cost, answer))
            return await answer
        self._is_asking = True
        try:
            return (await self._ask(redis, [_Question(buckets, cost)]))[0]
        finally:
            if self._waiting:
                self._draining = asyncio.create_task(self._drain(redis), name="rate limits")
            else:
                self._is_asking = False

    async def _drain(self, redis: Redis) -> None:
        """Ask for all who wait, until nobody does."""
        try:
            while self._waiting:
                some = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_TOGETHER))]
                try:
                    found = await self._ask(redis, some)
                except Exception as error:  # noqa: BLE001 - it is told to each who asked
                    for question in some:
                        if question.answer is not None and not question.answer.done():
                            question.answer.set_exception(error)
                    continue
                for question, answer in zip(some, found, strict=True):
                    # A request that was given up no longer waits; what it asked for counts all the same.
                    if question.answer is not None and not question.answer.done():
                        question.answer.set_result(answer)
        finally:
            self._is_asking, self._draining = False, None

    async def _ask(self, redis: Redis, questions: Sequence[_Question]) -> list[_Answer]:
        """One round trip."""
        client: Any = redis
        keys = [PREFIX + bucket.key for question in questions for bucket in question.buckets]
        numbers: list[str] = []
        for question in questions:
            numbers += (str(len(question.buckets)), repr(question.cost))
            for bucket in question.buckets:
                numbers += (repr(bucket.rate.unit_seconds), str(bucket.rate.burst))
        if self._script is None:
            self._script = await client.script_load(SCRIPT)
        try:
            told = await client.evalsha(self._script, len(keys), *keys, *numbers)
        except NoScriptError:  # it was restarted
            told = await client.eval(SCRIPT, len(keys), *keys, *numbers)
        rest = iter(told)
        return [
            _Answer(has_room=next(rest) == 1, aheads=[float(next(rest)) for _ in question.buckets])
            for question in questions
        ]

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
