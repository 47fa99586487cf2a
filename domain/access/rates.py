"""How much may be asked in a while? GCRA: a bucket that refills steadily, kept as one point in time.

The point ("theoretical arrival time") is when the bucket would be full again. Something that costs `n` moves it ahead
by n units' time; it may not get further ahead of now than the burst lasts. One number a bucket, no timers, no windows
at whose edges twice as much fits. persistence/rate_limiter.py does the same sum in Redis.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

# Sums of floating-point numbers: less than a microsecond too much is not too much.
SLACK = 1e-6


@dataclass(frozen=True, slots=True)
class Rate:
    """So many units in a period, steadily; `burst` of them at once after a rest. `name` is what headers call it."""

    name: str
    units: int
    period: timedelta
    burst: int

    @property
    def unit_seconds(self) -> float:
        """How long one unit takes to come back."""
        return self.period.total_seconds() / self.units


@dataclass(frozen=True, slots=True)
class Bucket:
    """Whose units: a rate, and the key it is kept under."""

    rate: Rate
    key: str

    def ahead_after(self, ahead: float, cost: float) -> float:
        """How far ahead of now the bucket is after something that costs so much.

        More than a whole burst could never be let through: it counts as a whole one.
        """
        return ahead + min(cost, self.rate.burst) * self.rate.unit_seconds

    def has_room(self, ahead: float, cost: float) -> bool:
        """Whether it may be spent from."""
        return self.ahead_after(ahead, cost) <= self.rate.burst * self.rate.unit_seconds + SLACK


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a bucket says.

    `remaining` units could be spent now; `reset` is the seconds until it is full, `wait` those until the cost fits.
    """

    bucket: Bucket
    allowed: bool
    remaining: int
    reset: float
    wait: float


def verdicts(buckets: Sequence[Bucket], aheads: Sequence[float], cost: float, *, spent: bool) -> list[Verdict]:
    """What each bucket says of the cost. `aheads` is how far each was ahead of now; `spent` whether all let it pass."""
    found = []
    for bucket, ahead in zip(buckets, aheads, strict=True):
        rate = bucket.rate
        most, after = rate.burst * rate.unit_seconds, bucket.ahead_after(ahead, cost)
        now_ahead = after if spent else ahead
        found.append(
            Verdict(
                bucket=bucket,
                allowed=spent or bucket.has_room(ahead, cost),
                remaining=max(0, math.floor((most - now_ahead) / rate.unit_seconds + SLACK)),
                reset=now_ahead,
                wait=0.0 if spent else max(0.0, after - most),
            )
        )
    return found
