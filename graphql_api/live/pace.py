"""Who goes first while alerts come by the hundreds a second? Who takes them in: those who follow wait, up to a bound.

Both are work of one process. A storm is taken in at the price of what is shown of it a few seconds later; once that is
later than the bound, both share the process as on any other day.
"""

import asyncio
from collections.abc import Callable

from domain.alerts.cursor import Cursor
from domain.ports import Clock

# More signals a second than this are a storm: ten thousand a minute are none.
STORM = 300.0
# How often the rate is measured anew; between two measurements it is what it was.
WINDOW_SECONDS = 0.5
# Whoever gives way rests so many times as long as it has worked, and looks again after so long at the latest.
GIVES_WAY, REST_SECONDS = 9.0, 1.0
# What followers may be behind at most before they give way no more.
PATIENCE_SECONDS = 10.0


class Pace:
    """How fast the runs for followers go. `taken` is how many signals the process has taken in so far."""

    def __init__(self, taken: Callable[[], int], clock: Clock, *, monotonic: Callable[[], float] | None = None) -> None:
        self._taken, self._clock = taken, clock
        self._monotonic = monotonic or (lambda: asyncio.get_running_loop().time())
        self._measured: tuple[float, int] | None = None
        self._rate = 0.0

    def rest_after(self, worked: float, at: Cursor | None) -> float:
        """How long a run rests that worked so long and is at this place, in seconds."""
        if at is None or not self._is_storm():
            return 0.0
        behind = (self._clock.now() - at.recorded_at).total_seconds()
        return min(worked * GIVES_WAY, REST_SECONDS) if behind < PATIENCE_SECONDS else 0.0

    def _is_storm(self) -> bool:
        now, taken = self._monotonic(), self._taken()
        if self._measured is None:
            self._measured = (now, taken)
        since, before = self._measured
        if now - since >= WINDOW_SECONDS:
            self._rate = (taken - before) / (now - since)
            self._measured = (now, taken)
        return self._rate > STORM
