"""How often may one integration post? As often as it likes, unless a limit is set; then 429 until there is room.

Each process counts what it takes itself, in memory: a post is to cost no round trip. Without a limit there is no `Pace`
at all, so a post costs nothing for it.
"""

import math
import time
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from domain.access.rates import Bucket, Rate
from graphql_api.webhooks.refusal import CODES, Refusal

TOO_MANY = 429


class Pace:
    """The buckets of the integrations that post to this process: as many as there are integrations."""

    def __init__(self, posts_a_minute: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._bucket = Bucket(Rate("integration", posts_a_minute, timedelta(minutes=1), posts_a_minute), "")
        self._full_at: dict[UUID, float] = {}
        self._clock = clock

    def check(self, integration_id: UUID) -> None:
        """Count a post; Refusal 429 when it is one too many."""
        now, bucket = self._clock(), self._bucket
        ahead = max(0.0, self._full_at.get(integration_id, now) - now)
        if bucket.has_room(ahead, 1):
            self._full_at[integration_id] = now + bucket.ahead_after(ahead, 1)
            return
        wait = math.ceil(bucket.ahead_after(ahead, 1) - bucket.rate.burst * bucket.rate.unit_seconds)
        message = f"this integration posts more than {bucket.rate.units} times a minute; try again in {wait} s"
        raise Refusal(TOO_MANY, CODES[TOO_MANY], message, headers={"retry-after": str(wait)})


def pace_of(posts_a_minute: int) -> Pace | None:
    """None where any number is taken."""
    return Pace(posts_a_minute) if posts_a_minute else None
