"""When is it of no use any more to tell followers what they missed? When they are a minute behind and come no nearer.

In a storm that is all a process can take in, a thousand who follow everything are told a part of it, and fall behind
for as long as it lasts. What they would be told then is not what they look for; to read the lists anew shows them what
is. Who comes back after an outage of the process has time to catch up first.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

# Who is further behind than this ...
LATE = timedelta(seconds=30)
# ... for so long, and further than that by now, is overtaken ...
LATE_FOR_SECONDS = 30.0
TOO_LATE = timedelta(seconds=60)
# ... but for who came so much nearer meanwhile: they catch up, and are looked at again after as long.
NEARER = timedelta(seconds=10)


class Overtaken:
    """How late one run is, event after event. `monotonic` gives seconds that only grow."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        # Since when, and how far behind it was at most: the head may be late itself at first, after an outage.
        self._late_since: tuple[float, timedelta] | None = None

    def in_time(self) -> None:
        """It was told all that there is: what comes next may come much later, and finds it not late."""
        self._late_since = None

    def is_at(self, event_at: datetime, head_at: datetime) -> bool:
        """Whether it is, coming to an event of this time while the log's head is of that time."""
        behind = head_at - event_at
        if behind <= LATE:
            self._late_since = None
            return False
        now = self._monotonic()
        since, before = self._late_since or (now, behind)
        self._late_since = (since, before := max(before, behind))
        if behind <= TOO_LATE or now - since < LATE_FOR_SECONDS:
            return False
        if before - behind < NEARER:
            return True
        self._late_since = (now, behind)
        return False
