"""Who reads the alert of an event for several groups? The first that comes to it, and with it those of the next events.

Each event by itself would cost a statement, which is most of what an event costs that nobody asked for. A row is read
once for all sights, with whether its team is private; what a group sees of it is asked here, each time.

What changed of an alert since its event is read when a group cannot do without it, for all that were read with it.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any
from uuid import UUID

from domain.alerts.events import LogPosition, RecordedEvent
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
# What later events changed, each with its place, by alert and in order.
Changes = Mapping[UUID, Sequence[tuple[LogPosition, Mapping[str, Any]]]]
ReadChanges = Callable[[Sequence[RecordedEvent]], Awaitable[Changes]]


@dataclass(eq=False, slots=True)
class _Reading:
    """The rows of some events' alerts, and what changed of them since."""

    at: float
    events: Sequence[RecordedEvent]
    rows: asyncio.Task[_Rows]
    changes: asyncio.Task[Changes] | None = None


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
        for reading in sorted(set(readings.values()), key=attrgetter("at")):
            rows |= await self._rows(reading)
        return [_seen(sight, rows[item.alert_id]) for item in items]

    async def changes_since(self, item: RecordedEvent, read: ReadChanges) -> list[Mapping[str, Any]]:
        """What later events changed of the alert that `alerts` gave for this event alone, in their order."""
        reading = self._known.get(item.id)
        if reading is None:
            changes = await read([item])
        else:
            # After the rows were read: nothing is in them that is not told by what is read now.
            if reading.changes is None or _has_failed(reading.changes):
                reading.changes = asyncio.ensure_future(_read_changes(reading, read))
            changes = await asyncio.shield(reading.changes)
        return [told for place, told in changes.get(item.alert_id, ()) if place > item.position]

    async def _rows(self, reading: _Reading) -> _Rows:
        try:
            # A group that ends in the middle must not take the others' answer with it.
            return await asyncio.shield(reading.rows)
        except Exception:
            self._drop(reading)
            raise

    def _find(self, event_id: UUID, now: float) -> _Reading | None:
        known = self._known.get(event_id)
        return None if known is None or now - known.at > KEPT_SECONDS else known

    def _read(self, items: Sequence[RecordedEvent], read: Read, *, now: float) -> _Reading:
        ids = list(dict.fromkeys(item.alert_id for item in items))
        reading = _Reading(now, items, asyncio.ensure_future(_read(ids, read)))
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


async def _read_changes(reading: _Reading, read: ReadChanges) -> Changes:
    """Of those that have changed since their event."""
    rows = await reading.rows
    changed = [item for item in reading.events if (row := rows[item.alert_id]) and row[0].version > item.event.version]
    return await read(changed) if changed else {}


def _has_failed(task: "asyncio.Task[Changes]") -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)
