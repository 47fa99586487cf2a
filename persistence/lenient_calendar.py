"""Which times does a followed calendar hold? What can be read counts; what cannot is told with its reason.

Nobody is there to mend it and try again, and one event that is wrong must not hide the others. Of an event that is
written in several parts, all are left out when one of them cannot be read: the rest would say something else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from zoneinfo import ZoneInfo

from icalendar import Event

from domain.errors import InvalidInput
from domain.schedules.followed import UnusedEvent, UnusedReason
from domain.schedules.imports import CalendarTime
from domain.schedules.model import Span
from persistence.calendar_reading import OUT_OF_YEARS, PATH, ReadEvent, events_of

# More than of an upload: a calendar that is kept holds years of what is over.
MAX_BYTES = 1024 * 1024
MAX_EVENTS = 2_000
MAX_OCCURRENCES = 2_000


@dataclass(frozen=True, slots=True)
class Reading:
    """What was found."""

    times: tuple[CalendarTime, ...]
    unused: tuple[UnusedEvent, ...]


def read_followed(text: str, *, where: ZoneInfo, span: Span) -> Reading:
    """Its times that meet the span; InvalidInput when it is no calendar at all."""
    events = events_of(text, most_bytes=MAX_BYTES, most_events=MAX_EVENTS)
    readable, unused, broken = _readable(events, where)
    replaced = {(one.uid, one.replaces) for one in readable if one.replaces is not None}
    times: list[CalendarTime] = []
    for one in readable:
        if one.uid and one.uid in broken:
            unused.append(_unreadable(one.place, "another part of it cannot be read"))
            continue
        try:
            found = list(islice(one.occurrences(span), MAX_OCCURRENCES + 1))
        except InvalidInput as error:
            unused.append(_unreadable(one.place, error.message))
            continue
        except OverflowError:
            unused.append(_unreadable(one.place, OUT_OF_YEARS))
            continue
        if one.is_cancelled:
            unused += [UnusedEvent(reason=UnusedReason.CANCELLED, starts_at=part.starts_at) for part in found[:1]]
            continue
        counted = [part for part in found if one.replaces is not None or (one.uid, part.starts_at) not in replaced]
        times += [CalendarTime(span=part, name=one.summary) for part in counted]
        if len(times) > MAX_OCCURRENCES:
            raise InvalidInput(f"a calendar has at most {MAX_OCCURRENCES} times within a year", PATH)
    return Reading(tuple(times), tuple(unused))


def _readable(events: Sequence[Event], where: ZoneInfo) -> tuple[list[ReadEvent], list[UnusedEvent], set[str]]:
    """Those that can be read, those that cannot, and the UIDs of these."""
    readable: list[ReadEvent] = []
    unused: list[UnusedEvent] = []
    broken: set[str] = set()
    for number, event in enumerate(events, start=1):
        try:
            readable.append(ReadEvent(event, number, where))
        except (InvalidInput, OverflowError) as error:
            said = error.message if isinstance(error, InvalidInput) else OUT_OF_YEARS
            unused.append(_unreadable(f"VEVENT {number}", said))
            broken.add(str(event.get("UID", "")))
    return readable, unused, broken


def _unreadable(place: str, said: str) -> UnusedEvent:
    return UnusedEvent(reason=UnusedReason.UNREADABLE, event=place[:100], detail=said[:200])
