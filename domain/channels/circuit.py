"""When is a provider asked no more for a while? A circuit breaker: pure, the clock given.

CLOSED: everything is tried. After several failures in a row that are the provider's it is OPEN: nothing is tried, what
waits keeps its place and its number of attempts. When its rest is over one sender tries (HALF_OPEN): an answer closes
it, a failure lets it rest twice as long.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

THRESHOLD = 5
FIRST_REST, LONGEST_REST = timedelta(seconds=30), timedelta(minutes=5)
# Whoever tries and dies leaves it to another after so long: longer than a provider may take to answer.
PROBE = timedelta(minutes=2)
# People are told by another way when theirs has been away for so long.
PATIENCE = timedelta(minutes=1)
MAX_REASON = 300


class CircuitState(StrEnum):
    """Whether a provider is asked."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """How it is with one provider, or with one channel. `rests` counts since it opened; `retry_at` ends the rest."""

    key: str
    updated_at: datetime
    channel_id: UUID | None = None
    state: CircuitState = CircuitState.CLOSED
    failures: int = 0
    rests: int = 0
    opened_at: datetime | None = None
    retry_at: datetime | None = None
    reason: str | None = None

    @property
    def kind(self) -> str:
        """`mail`, `text` or `channel`."""
        return self.key.partition(":")[0]


def failed(circuit: Circuit, reason: str, *, wait: timedelta, now: datetime) -> Circuit:
    """After a failure that is the provider's, which asked to wait so long."""
    noted = replace(circuit, failures=circuit.failures + 1, reason=reason[:MAX_REASON], updated_at=now)
    if circuit.state is CircuitState.OPEN:
        return noted  # begun before it opened
    if circuit.state is CircuitState.CLOSED and noted.failures < THRESHOLD:
        return noted
    rests = circuit.rests + 1
    rest = max(min(FIRST_REST * (1 << min(rests - 1, 16)), LONGEST_REST), wait)
    return replace(noted, state=CircuitState.OPEN, rests=rests, opened_at=circuit.opened_at or now, retry_at=now + rest)


def answered(circuit: Circuit, *, now: datetime) -> Circuit:
    """After an answer: also one that refuses is of a provider that works."""
    return Circuit(key=circuit.key, channel_id=circuit.channel_id, updated_at=now)
