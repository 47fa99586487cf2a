"""Who goes first while alerts come by the hundreds a second? Who takes them in: those who follow wait, up to a bound.

Both are work of one process. A storm is taken in at the price of what is shown of it a few seconds later; once that is
later than the bound, both share the process as on any other day. Where the process has time for both, nobody waits.
"""

import asyncio
import time
from collections.abc import Callable

from domain.alerts.cursor import Cursor
from domain.ports import Clock

# More signals a second than this are a storm: ten thousand a minute are none.
STORM = 300.0
# A process that takes less of a processor than this has time for both, whatever the rate.
BUSY = 0.4
# How often both are measured anew; between two measurements they are what they were.
WINDOW_SECONDS = 0.5
# Whoever gives way rests so many times as long as it has worked, and looks again after so long at the latest.
GIVES_WAY, REST_SECONDS = 9.0, 1.0
# What followers may be behind at most before they give way no more.
PATIENCE_SECONDS = 10.0


class Pace:
    """How fast the runs for followers go.

    `taken` is how many signals the process has taken in so far, `worked` for how many seconds it has had a processor.
    """

    def __init__(
        self,
        taken: Callable[[], int],
        clock: Clock,
        *,
        monotonic: Callable[[], float] | None = None,
        worked: Callable[[], float] = time.process_time,
    ) -> None:
        self._taken, self._worked, self._clock = taken, worked, clock
        self._monotonic = monotonic or (lambda: asyncio.get_running_loop().time())
        self._measured: tuple[float, int, float] | None = None
        self._is_storm = False

    def rest_after(self, worked: float, at: Cursor | None) -> float:
        """How long a run rests that worked so long and is at this place, in seconds."""
        if at is None or not self._look():
            return 0.0
        behind = (self._clock.now() - at.recorded_at).total_seconds()
        return min(worked * GIVES_WAY, REST_SECONDS) if behind < PATIENCE_SECONDS else 0.0

    def _look(self) -> bool:
        """Whether a storm is taken in that leaves the process no time for more."""
        now = self._monotonic()
        if self._measured is None:
            self._measured = (now, self._taken(), self._worked())
        since, taken_before, worked_before = self._measured
        # How long a process has worked is asked seldom: it is a tenth of a millisecond's work to tell.
        if (seconds := now - since) >= WINDOW_SECONDS:
            taken, worked = self._taken(), self._worked()
            self._is_storm = taken - taken_before > STORM * seconds and worked - worked_before > BUSY * seconds
            self._measured = (now, taken, worked)
        return self._is_storm
