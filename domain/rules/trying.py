"""Over which past is a rule tried? Bounded in time and number; what is no range is refused before it is read."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.errors import InvalidInput

MAX_RANGE = timedelta(days=31)
# Of one answer, and of one that tells how far it has come.
MAX_AT_ONCE = 100_000
MAX_FOLLOWED = 1_000_000


@dataclass(frozen=True, slots=True)
class Range:
    """From when until when signals arrived."""

    since: datetime
    until: datetime

    def share(self, at: datetime | None) -> float:
        """How much of the range lies before a moment: 0 to 1."""
        if at is None:
            return 0.0
        return min(1.0, max(0.0, (at - self.since) / (self.until - self.since)))


def checked_range(since: datetime, until: datetime | None, *, now: datetime) -> Range:
    """The range; InvalidInput for one that is empty, longer than a month or yet to come."""
    end = min(until or now, now)
    if end <= since:
        message = "must be before `until`, and in the past"
        raise InvalidInput(message, ("since",))
    if end - since > MAX_RANGE:
        message = f"a rule is tried on at most {MAX_RANGE.days} days"
        raise InvalidInput(message, ("since",))
    return Range(since, end)


def checked_most(most: int | None, *, limit: int) -> int:
    """How many signals are read; InvalidInput for none, or more than `limit`."""
    wanted = limit if most is None else most
    if not 1 <= wanted <= limit:
        message = f"1 to {limit} signals are read, not {wanted}"
        raise InvalidInput(message, ("maxSignals",))
    return wanted
