"""Who reads the alert of an event for several groups? The first that comes to it, and with it those of the next events.

Each event by itself would cost a statement, which is most of what an event costs that nobody asked for.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from domain.alerts.events import RecordedEvent
from domain.alerts.model import Alert
from domain.alerts.visibility import Sight
from graphql_api.live.upcoming import Upcoming

# One that is older is read anew: it may have changed, or be no longer for these eyes.
KEPT_SECONDS = 1.0
# Read with the first: an alert is shown as it was read, so not too far ahead.
READ_AHEAD = 100
# Groups run side by side, each sight reads for itself.
KEPT = 10 * READ_AHEAD
Read = Callable[[list[UUID]], Awaitable[Sequence[Alert | None]]]
_Alerts = dict[UUID, Alert | None]
_Reading = tuple[float, asyncio.Task[_Alerts]]


class AlertMemo:
    """The alerts of the newest events, by how far the viewer sees."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[Sight, UUID], _Reading] = OrderedDict()

    async def alert(
        self, sight: Sight, item: RecordedEvent, read: Read, *, upcoming: Upcoming | None = None
    ) -> Alert | None:
        """The event's alert, read once; a read that failed is nobody's answer twice."""
        key, now = (sight, item.event.id), asyncio.get_running_loop().time()
        known = self._find(key, now)
        if known is None:
            ahead = upcoming.events(READ_AHEAD) if upcoming else ()
            new = [next_ for next_ in ahead if self._find((sight, next_.event.id), now) is None]
            known = self._read(sight, [item, *new], read, now=now)
        try:
            # A group that ends in the middle must not take the others' answer with it.
            alerts = await asyncio.shield(known[1])
        except Exception:
            if self._known.get(key) is known:
                del self._known[key]
            raise
        return alerts[item.event.alert_id]

    def _find(self, key: tuple[Sight, UUID], now: float) -> _Reading | None:
        known = self._known.get(key)
        return None if known is None or now - known[0] > KEPT_SECONDS else known

    def _read(self, sight: Sight, items: Sequence[RecordedEvent], read: Read, *, now: float) -> _Reading:
        ids = list(dict.fromkeys(item.event.alert_id for item in items))
        reading = (now, asyncio.ensure_future(_read(ids, read)))
        for item in items:
            key = (sight, item.event.id)
            self._known[key] = reading
            self._known.move_to_end(key)
        while len(self._known) > KEPT:
            self._known.popitem(last=False)
        return reading

    def clear(self) -> None:
        """Read everything anew: what may be seen has changed."""
        self._known.clear()


async def _read(ids: list[UUID], read: Read) -> _Alerts:
    return dict(zip(ids, await read(ids), strict=True))
