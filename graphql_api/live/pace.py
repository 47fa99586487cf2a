"""Who goes first while a process takes in all the signals it can? Who takes them in: who follows gets what is left.

Both are work of one process. While it takes in all it can, all runs for followers together get a small part of its
time, however far behind that leaves them (overtaken.py says when it is too far). Where the process has time for both,
nobody waits.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from persistence.giving_way import LOOK_SECONDS, rest

# More signals a second than this are a storm: ten thousand a minute are none.
STORM = 300.0
# All that can be taken in is taken in while something is being written for this part of the time or more ...
WRITING = 0.9
# ... and the process wants this part of a processor or more.
BUSY = 0.5
# How often these are measured anew; between two measurements they are what they were.
WINDOW_SECONDS = LOOK_SECONDS
# Whoever gives way rests so many times as long as all who do have worked, or until the storm is over.
GIVES_WAY = 39.0
# But never longer: with hundreds of runs, or after one that waited for a database that was away, it would be minutes.
MOST_SECONDS = 30.0
_SCHEDULED = Path("/proc/self/schedstat")


def processor_wanted() -> float:
    """For how many seconds the process had a processor or, where the system tells, waited for one that others had."""
    try:
        had, waited, _ = map(int, _SCHEDULED.read_bytes().split())
    except (OSError, ValueError):
        had = waited = 0
    # A system that does not count says nothing but zeros.
    return (had + waited) / 1e9 if had else time.process_time()


class Pace:
    """How fast the runs for followers go.

    `taken` is how many signals the process has taken in so far, and for how many seconds it was writing some; `wanted`
    for how many it wanted a processor.
    """

    def __init__(
        self,
        taken: Callable[[], tuple[int, float]],
        *,
        monotonic: Callable[[], float] | None = None,
        wanted: Callable[[], float] | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._taken, self._sleep = taken, sleep
        self._wanted = wanted or processor_wanted
        self._monotonic = monotonic or (lambda: asyncio.get_running_loop().time())
        self._measured: tuple[float, int, float, float] | None = None
        self._is_storm = False
        # Runs that rest now.
        self._resting = 0

    async def give_way(self, worked: float) -> None:
        """Let a run rest that worked for so many seconds; the longer, the more runs share what is left for them."""
        self._resting += 1
        try:
            seconds = min(worked * GIVES_WAY * self._resting, MOST_SECONDS)
            await rest(seconds, while_needed=self._look, sleep=self._sleep)
        finally:
            self._resting -= 1

    def _look(self) -> bool:
        """Whether a storm is taken in that leaves the process no time for more."""
        now = self._monotonic()
        if self._measured is None:
            self._measured = (now, *self._taken(), self._wanted())
        since, taken_before, writing_before, wanted_before = self._measured
        if (seconds := now - since) >= WINDOW_SECONDS:
            # Asked no oftener: each group looks at each event, and to tell what a process wanted takes as long as that.
            (taken, writing), wanted = self._taken(), self._wanted()
            self._is_storm = (
                taken - taken_before > STORM * seconds
                and writing - writing_before >= WRITING * seconds
                and wanted - wanted_before >= BUSY * seconds
            )
            self._measured = (now, taken, writing, wanted)
        return self._is_storm
