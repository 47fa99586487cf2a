"""How does work that is not urgent give way to work that is? It rests, and looks meanwhile whether it still has to."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

# How often who rests looks.
LOOK_SECONDS = 0.2
# A machine whose processors are idle for this part of the time has room for what is not urgent, too.
ROOM = 0.4
_STAT = Path("/proc/stat")


def processor_times() -> tuple[int, int] | None:
    """How long this machine's processors were idle, and how long that and all else was, since it started; in ticks.

    None where the system does not tell. Format: proc_stat(5); waiting for a disk counts as idle.
    """
    try:
        with _STAT.open("rb") as lines:
            name, *ticks = lines.readline().split()
    except OSError:
        return None
    if name != b"cpu":
        return None
    user, nice, system, idle, waits, *more = (int(tick) for tick in ticks[:8])
    return idle + waits, user + nice + system + idle + waits + sum(more)


class Machine:
    """How busy the machine is now. In a container that has its own share of it, that is the host."""

    def __init__(
        self,
        *,
        times: Callable[[], tuple[int, int] | None] = processor_times,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._times, self._monotonic = times, monotonic
        self._measured = (monotonic(), times())
        self._has_room = False

    def has_room(self) -> bool:
        """Whether its processors were idle for `ROOM` of the time since that was measured last."""
        since, before = self._measured
        now = self._monotonic()
        if now - since >= LOOK_SECONDS and (times := self._times()) is not None:
            if before is not None and times[1] > before[1]:
                self._has_room = times[0] - before[0] >= ROOM * (times[1] - before[1])
            self._measured = (now, times)
        return self._has_room


async def rest(
    seconds: float, *, while_needed: Callable[[], bool], sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> None:
    """Rest so long, or until it is no longer needed: that is asked before each step of `LOOK_SECONDS`."""
    while seconds > 0 and while_needed():
        await sleep(min(seconds, LOOK_SECONDS))
        seconds -= LOOK_SECONDS
