"""What became of one attempt to hand a message to its provider? And of what the provider told later."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class AttemptOutcome(StrEnum):
    """How an attempt ended; DELIVERED and UNDELIVERED are what the provider told later, by calling us."""

    SENT = "sent"
    RETRY = "retry"
    REFUSED = "refused"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt, counted from 1. `answer` is what the provider said, or why there was none.

    `took_ms` is how long it took to say so; None of what it told later, by calling us.
    """

    number: int
    attempted_at: datetime
    outcome: AttemptOutcome
    answer: str | None
    took_ms: int | None = None
