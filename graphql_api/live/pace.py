"""Who goes first while alerts come by the hundreds a second? Who takes them in: those who follow wait, up to a bound.

Both are work of one process. A storm is taken in at the price of what is shown of it a few seconds later; once that is
later than the bound, both share the process as on any other day. Where the process has time for both, nobody waits.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from domain.alerts.cursor import Cursor
from domain.ports import Clock
from persistence.giving_way import LOOK_SECONDS, rest

# More signals a second than this are a storm: ten thousand a minute are none.
STORM = 300.0
# A process that wants less of a processor than this has time for both, whatever the rate.
BUSY = 0.4
# How often both are measured anew; between two measurements they are what they were.
WINDOW_SECONDS = LOOK_SECONDS
# Whoever gives way rests so many times as long as it has worked, or until the storm is over.
GIVES_WAY = 19.0
# What followers may be behind at most before they give way no more.
PATIENCE_SECONDS = 10.0
_SCHEDULED = Path("/proc/self/schedstat")


def processor_wanted() -> float:
    """For how many seconds the process had a processor or, where the system tells, waited for one that others had."""
    try:
        had, waited, _ = _SCHEDULED.read_bytes().split()
    except (OSError, ValueError):
        return time.process_time()
    return (int(had) + int(waited)) / 1e9


class Pace:
    """How fast the runs for followers go.

    `taken` is how many signals the process has taken in so far, `wanted` for how many seconds it wanted a processor.
    """

    def __init__(
        self,
        taken: Callable[[], int],
        clock: Clock,
        *,
        monotonic: Callable[[], float] | None = None,
        wanted: Callable[[], float] | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._taken, self._clock, self._sleep = taken, clock, sleep
        self._wanted = wanted or processor_wanted
        self._monotonic = monotonic or (lambda: asyncio.get_running_loop().time())
        self._measured: tuple[float, int, float] | None = None
        self._is_storm = False

    async def give_way(self, worked: float, at: Cursor) -> None:
        """Let a run rest that worked for so many seconds and is at this place."""
        await rest(
            worked * GIVES_WAY,
            while_needed=lambda: self._look() and self._behind(at) < PATIENCE_SECONDS,
            sleep=self._sleep,
        )

    def _behind(self, at: Cursor) -> float:
        return (self._clock.now() - at.recorded_at).total_seconds()

    def _look(self) -> bool:
        """Whether a storm is taken in that leaves the process no time for more."""
        now = self._monotonic()
        if self._measured is None:
            self._measured = (now, self._taken(), self._wanted())
        since, taken_before, wanted_before = self._measured
        if (seconds := now - since) >= WINDOW_SECONDS:
            # Asked no oftener: each group looks at each event, and to tell what a process wanted takes as long as that.
            taken, wanted = self._taken(), self._wanted()
            self._is_storm = taken - taken_before > STORM * seconds and wanted - wanted_before > BUSY * seconds
            self._measured = (now, taken, wanted)
        return self._is_storm
