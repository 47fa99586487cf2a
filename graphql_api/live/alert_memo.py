"""Who reads the alert of an event for several groups? The first that comes to it, and with it those of the next events.

Each event by itself would cost a statement, which is most of what an event costs that nobody asked for. A row is read
once for all sights, with whether its team is private; what a group sees of it is asked here, each time.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from operator import itemgetter
from uuid import UUID

from domain.alerts.events import RecordedEvent
from domain.alerts.model import Alert
from domain.alerts.visibility import Sight
from graphql_api.live.upcoming import Upcoming

# One that is older is read anew: it may have changed, or be no longer for these eyes.
KEPT_SECONDS = 1.0
# Read with the first: an alert is shown as it was read, so not too far ahead.
READ_AHEAD = 100
# Groups run side by side, and those that follow in lists are two hundred events apart.
KEPT = 10 * READ_AHEAD
Row = tuple[Alert, bool]
Read = Callable[[list[UUID]], Awaitable[Sequence[Row | None]]]
_Rows = dict[UUID, Row | None]
_Reading = tuple[float, asyncio.Task[_Rows]]


class AlertMemo:
    """The alerts of the newest events."""

    def __init__(self) -> None:
        self._known: OrderedDict[UUID, _Reading] = OrderedDict()

    async def alerts(
        self, sight: Sight, items: Sequence[RecordedEvent], read: Read, *, upcoming: Upcoming | None = None
    ) -> list[Alert | None]:
        """The alert of each event, read once; a read that failed is nobody's answer twice.

        Two events of one alert show it alike: as it was read last.
        """
        now = asyncio.get_running_loop().time()
        # Held here: what others read meanwhile may push it out.
        readings = {item.id: found for item in items if (found := self._find(item.id, now)) is not None}
        missing = [item for item in items if item.id not in readings]
        if missing:
            ahead = upcoming.events(READ_AHEAD) if upcoming else ()
            new = [next_ for next_ in ahead if self._find(next_.id, now) is None]
            reading = self._read([*missing, *new], read, now=now)
            readings |= {item.id: reading for item in missing}
        rows: _Rows = {}
        for reading in sorted(set(readings.values()), key=itemgetter(0)):
            rows |= await self._rows(reading)
        return [_seen(sight, rows[item.alert_id]) for item in items]

    async def _rows(self, reading: _Reading) -> _Rows:
        try:
            # A group that ends in the middle must not take the others' answer with it.
            return await asyncio.shield(reading[1])
        except Exception:
            self._drop(reading)
            raise

    def _find(self, event_id: UUID, now: float) -> _Reading | None:
        known = self._known.get(event_id)
        return None if known is None or now - known[0] > KEPT_SECONDS else known

    def _read(self, items: Sequence[RecordedEvent], read: Read, *, now: float) -> _Reading:
        ids = list(dict.fromkeys(item.alert_id for item in items))
        reading = (now, asyncio.ensure_future(_read(ids, read)))
        for item in items:
            self._known[item.id] = reading
            self._known.move_to_end(item.id)
        while len(self._known) > KEPT:
            self._known.popitem(last=False)
        return reading

    def _drop(self, reading: _Reading) -> None:
        for event_id in [event_id for event_id, known in self._known.items() if known is reading]:
            del self._known[event_id]

    def clear(self) -> None:
        """Read everything anew: what may be seen has changed."""
        self._known.clear()


def _seen(sight: Sight, row: Row | None) -> Alert | None:
    if row is None:
        return None
    alert, is_private = row
    private = frozenset({alert.team_id} if is_private and alert.team_id is not None else ())
    return alert if sight.sees(alert.team_id, private) else None


async def _read(ids: list[UUID], read: Read) -> _Rows:
    return dict(zip(ids, await read(ids), strict=True))
