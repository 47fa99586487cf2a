"""What waits for one subscriber? A bounded number of events; past the bound it is told so, never the others slowed."""

import asyncio
from collections import deque
from collections.abc import Iterable

from domain.alerts.cursor import Cursor, StreamReset
from domain.alerts.events import RecordedEvent
from domain.alerts.filter import EVERY_ALERT, AlertFilter
from domain.alerts.sieve import Possible, may_concern

MOST_WAITING = 1000


class Inbox:
    """The events that arrived since `attached_at` and were not taken yet; those that `wanted` may want, if given."""

    def __init__(self, attached_at: Cursor, *, most: int = MOST_WAITING, wanted: AlertFilter | None = None) -> None:
        self.attached_at = attached_at
        # How far there was nothing for it, while nothing waited.
        self.passed = attached_at
        self._wanted = None if wanted == EVERY_ALERT else wanted
        self.overflowed = False
        # The first of those that did not fit.
        self.emptied_from: RecordedEvent | None = None
        self.reset: StreamReset | None = None
        self._most = most
        self._waiting: deque[RecordedEvent] = deque()
        self._arrived = asyncio.Event()

    def may_want(self, possible: Possible) -> bool:
        """Whether an event of such alerts may be one for it."""
        return not self.overflowed and (self._wanted is None or may_concern(self._wanted, possible))

    def pass_to(self, place: Cursor) -> None:
        """Up to there is nothing for it."""
        if not self._waiting and not self.overflowed:
            self.passed = place

    def further(self, place: Cursor) -> Cursor:
        """This place, or how far there was nothing after it."""
        return self.passed if self.passed.position > place.position else place

    def put(self, event: RecordedEvent) -> None:
        """Add an event. A full inbox is emptied and marked: the log has what it held."""
        if self.overflowed:
            return
        if len(self._waiting) >= self._most:
            self.overflowed, self.emptied_from = True, self._waiting[0]
            self._waiting.clear()
        else:
            self._waiting.append(event)
        self._arrived.set()

    def end(self, reset: StreamReset) -> None:
        """Nothing more will come: the log is another one now."""
        self.reset = reset
        self._arrived.set()

    @property
    def waiting(self) -> Iterable[RecordedEvent]:
        """What can be taken without a wait."""
        return self._waiting

    async def take(self) -> RecordedEvent | None:
        """The next event; None when it overflowed or ended, at once even if events still wait."""
        while not self._waiting and not self.overflowed and self.reset is None:
            self._arrived.clear()
            await self._arrived.wait()
        if self.overflowed or self.reset is not None:
            return None
        return self._waiting.popleft()
