"""Who counts for all who watch the same? At most one statement a second for each filter and sight, whoever waits."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from domain.alerts.counts import AlertCounts
from domain.alerts.cursor import Cursor
from domain.alerts.filter import AlertFilter
from domain.alerts.visibility import Sight

# Counting is a statement over all alerts in sight: a storm must not make it one for each event.
EVERY_SECONDS = 1.0
# More filters than that are watched with less sharing, not with more memory.
KEPT = 512
Key = tuple[AlertFilter, Sight]


@dataclass(slots=True)
class _Count:
    """One count. `place` is where the log was when it began; None while it waits for its second."""

    not_before: float
    place: Cursor | None = None
    # How often sight had changed when it began.
    changes: int = 0
    task: "asyncio.Task[AlertCounts]" = field(init=False)

    def covers(self, place: Cursor, changes: int) -> bool:
        """Whether it holds all up to there, as it is seen now: one that has not begun will."""
        if self.place is None:
            return True
        return self.changes == changes and self.place.epoch == place.epoch and self.place.position >= place.position


class SharedCounts:
    """The newest count of each filter and sight."""

    def __init__(self) -> None:
        self._known: OrderedDict[Key, _Count] = OrderedDict()
        # A team that becomes private takes its alerts out of what others count, and is no event of theirs.
        self.sight_changes = 0

    async def counts(
        self, key: Key, place: Cursor, *, now_at: Callable[[], Cursor], read: Callable[[], Awaitable[AlertCounts]]
    ) -> tuple[AlertCounts, Cursor]:
        """Counts that hold all up to `place`, and up to where they do. A read that failed is tried by the next."""
        known = self._known.get(key)
        if known is None or not known.covers(place, self.sight_changes) or (known.task.done() and _failed(known.task)):
            now = asyncio.get_running_loop().time()
            known = _Count(max(now, known.not_before + EVERY_SECONDS) if known else now)
            known.task = asyncio.create_task(self._count(known, now_at, read))
            self._known[key] = known
            self._known.move_to_end(key)
            if len(self._known) > KEPT:
                self._known.popitem(last=False)
        # One who leaves in the middle must not take the others' answer along.
        found = await asyncio.shield(known.task)
        return found, known.place or place

    async def _count(
        self, count: _Count, now_at: Callable[[], Cursor], read: Callable[[], Awaitable[AlertCounts]]
    ) -> AlertCounts:
        await asyncio.sleep(count.not_before - asyncio.get_running_loop().time())
        count.place, count.changes = now_at(), self.sight_changes
        return await read()


def _failed(task: "asyncio.Task[AlertCounts]") -> bool:
    return task.cancelled() or task.exception() is not None
