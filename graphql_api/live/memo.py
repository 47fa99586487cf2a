"""What need not be made twice? The newest results of a group, by their event's place, for seconds and within bounds.

A thousand clients that come back with a thousand cursors ask for the same events. A result shows its alert as it was
when it was made; what changed since is a later event, which follows. What a viewer may see is no matter of a group's:
another role or team is another group. An alert that leaves a team is forgotten at once, and everything when a team
changes.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from enum import Enum, auto
from uuid import UUID

from domain.alerts.events import LogPosition, RecordedEvent
from graphql_api.live.member import Payload

KEPT_SECONDS = 10.0
# Of one group, and of all groups of a process.
MOST_BYTES, MOST_BYTES_IN_ALL = 8_000_000, 32_000_000
# What an entry costs beside its bytes.
OVERHEAD = 500


class Unknown(Enum):
    """What was not made, or is not kept; None is the result of an event that says nothing to the group."""

    UNKNOWN = auto()


UNKNOWN = Unknown.UNKNOWN


@dataclass(slots=True)
class Budget:
    """How many bytes all memos of a process hold."""

    used: int = 0


@dataclass(frozen=True, slots=True)
class _Made:
    payload: Payload | None
    alert_id: UUID
    until: float
    size: int


class Memo:
    """The results of one group, oldest first."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._made: OrderedDict[LogPosition, _Made] = OrderedDict()
        self._bytes = 0
        self._sweep: asyncio.TimerHandle | None = None
        self.times_forgotten = 0

    def keep(self, event: RecordedEvent, payload: Payload | None, *, since: int | None = None) -> None:
        """Keep what was made of an event; not when something was forgotten `since` its making began."""
        self._drop(event.position)
        if since is not None and since != self.times_forgotten:
            return
        loop = asyncio.get_running_loop()
        size = OVERHEAD + (len(payload.body) if payload else 0)
        self._made[event.position] = _Made(payload, event.event.alert_id, loop.time() + KEPT_SECONDS, size)
        self._bytes += size
        self._budget.used += size
        while self._made and (self._bytes > MOST_BYTES or self._budget.used > MOST_BYTES_IN_ALL):
            self._drop(next(iter(self._made)))
        if self._sweep is None and self._made:
            self._sweep = loop.call_later(KEPT_SECONDS, self._drop_old)

    def find(self, position: LogPosition) -> Payload | Unknown | None:
        """What was made of the event there."""
        made = self._made.get(position)
        if made is None or made.until < asyncio.get_running_loop().time():
            return UNKNOWN
        return made.payload

    def forget(self, alert_id: UUID) -> None:
        """What was said of an alert is no longer to be said."""
        self.times_forgotten += 1
        for position in [position for position, made in self._made.items() if made.alert_id == alert_id]:
            self._drop(position)

    def clear(self) -> None:
        """Forget everything."""
        self.times_forgotten += 1
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None
        for position in list(self._made):
            self._drop(position)

    def _drop(self, position: LogPosition) -> None:
        made = self._made.pop(position, None)
        if made is not None:
            self._bytes -= made.size
            self._budget.used -= made.size

    def _drop_old(self) -> None:
        self._sweep = None
        loop = asyncio.get_running_loop()
        now = loop.time()
        while self._made and (first := next(iter(self._made.items())))[1].until <= now:
            self._drop(first[0])
        if self._made:
            self._sweep = loop.call_later(max(0.1, first[1].until - now), self._drop_old)
