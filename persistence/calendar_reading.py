"""Which times does somebody's calendar hold? Read by the `icalendar` library, bounded; wrong parts are named.

A calendar comes from anybody: its size, its events, and above all its recurrences are bounded before they are worked
out. A zone's own rules are looked at before the library expands them, for one that recurs each second would fill the
memory. Times without a zone, and whole days, are of the schedule's zone.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import islice
from threading import Lock
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rrulestr
from icalendar import Calendar, Event
from icalendar.parser import Contentline, Contentlines
from icalendar.timezone import tzp

from domain.errors import InvalidInput
from domain.schedules.imports import CalendarTime
from domain.schedules.model import Span

PATH = ("calendar",)
MAX_BYTES = 256 * 1024
MAX_EVENTS = 200
MAX_OCCURRENCES = 1_000
MAX_ZONE_RULES = 40
OUT_OF_YEARS = "a time in this calendar lies outside of the years 1 to 9999"
# Each day of the longest time that is looked at.
MOST_OF_ONE = 5_000
# What recurs began at most so long ago: all of it is counted from there.
MAX_AGE = timedelta(days=3_660)
_FREQUENCIES = {"DAILY", "WEEKLY", "MONTHLY", "YEARLY"}
_TOO_FINE = {"BYHOUR", "BYMINUTE", "BYSECOND", "BYEASTER"}
_TIMES = ("DTSTART", "DTEND", "RECURRENCE-ID", "EXDATE", "RDATE")
# Outlook says that it is every one year, which is what there is without a word.
_ZONE_PARTS = {"FREQ", "INTERVAL", "BYMONTH", "BYDAY", "BYMONTHDAY", "UNTIL", "COUNT", "WKST"}
_ZONES = {"VTIMEZONE", "STANDARD", "DAYLIGHT"}
# Of any other name the library makes a class, and keeps it for ever.
_COMPONENTS = {
    *("VCALENDAR", "VEVENT", "VALARM", "VTODO", "VJOURNAL", "VFREEBUSY", "VAVAILABILITY", "AVAILABLE"),
    *("PARTICIPANT", "VLOCATION", "VRESOURCE", *_ZONES),
}
# The library keeps the zones that calendars bring by their names, for all that are read after them.
_READING = Lock()


def read_calendar(text: str, *, where: ZoneInfo, span: Span) -> tuple[CalendarTime, ...]:
    """The times of its events that meet the span; InvalidInput names the component that cannot be read."""
    events = events_of(text, most_bytes=MAX_BYTES, most_events=MAX_EVENTS)
    try:
        return tuple(_times(events, where, span))
    except OverflowError:
        raise InvalidInput(OUT_OF_YEARS, PATH) from None


def events_of(text: str, *, most_bytes: int, most_events: int) -> list[Event]:
    """Its events, not yet looked at; InvalidInput when it is no calendar or too much of one."""
    if len(text.encode("utf-8", "replace")) > most_bytes:
        raise InvalidInput(f"a calendar has at most {most_bytes // 1024} KiB", PATH)
    _check_components(text)
    try:
        calendar = _parsed(text)
        events = [one for one in calendar.walk("VEVENT") if isinstance(one, Event)]
    except (ValueError, KeyError, IndexError, AttributeError) as error:
        raise InvalidInput(f"this is no calendar (RFC 5545): {_short(error)}", PATH) from None
    if calendar.name != "VCALENDAR":
        raise InvalidInput("this is no calendar (RFC 5545): it begins with BEGIN:VCALENDAR", PATH)
    if len(events) > most_events:
        raise InvalidInput(f"a calendar has at most {most_events} events, not {len(events)}", PATH)
    return events


def _times(events: list[Event], where: ZoneInfo, span: Span) -> list[CalendarTime]:
    read = [ReadEvent(one, number, where) for number, one in enumerate(events, start=1)]
    replaced = {(one.uid, one.replaces) for one in read if one.replaces is not None}
    found: list[CalendarTime] = []
    for one in read:
        if one.is_cancelled:
            continue
        for part in one.occurrences(span):
            if one.replaces is None and (one.uid, part.starts_at) in replaced:
                continue
            found.append(CalendarTime(span=part, name=one.summary))
            if len(found) > MAX_OCCURRENCES:
                raise InvalidInput(f"{one.place}: that is more than {MAX_OCCURRENCES} times ahead", PATH)
    return found


class _PastTheEnd(Exception):
    """Everything up to the end was looked at."""


class _Ending(rrule):
    """A rule that is looked at month by month, and no further than its end.

    By itself the library asks for the end only when something meets the rule: for what never does, every day of every
    second month for one, it looks until the year 9999. It reads this attribute once for each month or year it looks at.
    """

    looks = 0

    @property
    def _byeaster(self) -> None:
        self.looks -= 1
        if self.looks < 0:
            raise _PastTheEnd


def _until(found: Any, last: datetime, most: int) -> list[datetime]:  # noqa: ANN401 - of a library without types
    years = last.year - found._dtstart.year + 1  # noqa: SLF001 - see _Ending
    found.__class__ = _Ending
    found.looks = 12 * max(years, 1) + 12
    walls: list[datetime] = []
    with suppress(_PastTheEnd):
        walls.extend(islice(found, most))
    return walls


class ReadEvent:
    """One VEVENT. Every fault of it is told with its number and UID."""

    def __init__(self, event: Event, number: int, where: ZoneInfo) -> None:
        self._event, self._where = event, where
        self.uid = str(event.get("UID", ""))
        self.place = f"VEVENT {number}" + (f" ({self.uid[:60]})" if self.uid else "")
        for name, problem in event.errors:
            raise InvalidInput(f"{self.place}: {name}: {_short(problem)}", PATH)
        self._check_zones()
        try:
            self._starts, self._ends = event.start, event.end
            self._excluded = set(self._moments("EXDATE"))
            self._added = list(self._moments("RDATE"))
            replaces = event.get("RECURRENCE-ID")
            self.replaces = None if replaces is None else self._utc(replaces.dt)
        except InvalidInput:
            raise
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            raise InvalidInput(f"{self.place}: {_short(error)}", PATH) from None
        if replaces is not None and "RANGE" in replaces.params:
            raise InvalidInput(f"{self.place}: RECURRENCE-ID with RANGE is not read: change each occurrence", PATH)
        self.is_cancelled = str(event.get("STATUS", "")).upper() == "CANCELLED"
        self.summary = " ".join(str(event.get("SUMMARY", "")).split())[:100]
        if self._utc(self._ends) <= self._utc(self._starts):
            raise InvalidInput(f"{self.place}: it has no length: DTEND comes after DTSTART", PATH)

    def occurrences(self, span: Span) -> Iterator[Span]:
        """Those that meet the span."""
        starts = [self._utc(self._starts), *self._added]
        rule = self._event.get("RRULE")
        if rule is not None:
            starts += self._recurring(rule, span)
        for start in sorted(set(starts) - self._excluded):
            # The wall clock says how long it lasts: nine to five is that on every day.
            wall = start.astimezone(self._zone).replace(tzinfo=None) + self._length
            part = Span(start, self._utc(wall.replace(tzinfo=self._zone)))
            if part.within(span) is not None:
                yield part

    def _recurring(self, rule: Any, span: Span) -> list[datetime]:  # noqa: ANN401 - of a library without types
        if isinstance(rule, list):
            raise InvalidInput(f"{self.place}: it has more than one RRULE", PATH)
        parts = {str(name).upper(): values for name, values in rule.items()}
        frequency = str(_first(parts.get("FREQ"))).upper()
        if frequency not in _FREQUENCIES or _TOO_FINE & set(parts):
            raise InvalidInput(f"{self.place}: RRULE: it recurs daily, weekly, monthly or yearly, not finer", PATH)
        if int(_first(parts.get("INTERVAL", 1))) < 1:
            raise InvalidInput(f"{self.place}: RRULE: INTERVAL is at least 1", PATH)
        first = self._wall(self._starts)
        if self._utc(self._starts) < span.starts_at - MAX_AGE:
            message = f"{self.place}: RRULE: it began more than {MAX_AGE.days // 366} years ago: begin it later"
            raise InvalidInput(message, PATH)
        last = self._wall_of(span.ends_at)
        until = _first(parts.pop("UNTIL", None))
        if until is not None:
            last = min(last, self._last(until))
        count = _first(parts.pop("COUNT", None))
        plain = ";".join(f"{name}={_joined(values)}" for name, values in parts.items())
        try:
            found = rrulestr(f"{plain};UNTIL={last:%Y%m%dT%H%M%S}", dtstart=first)
            walls = _until(found, last, MOST_OF_ONE if count is None else min(int(count), MOST_OF_ONE))
        except (ValueError, TypeError, OverflowError) as error:
            raise InvalidInput(f"{self.place}: RRULE: {_short(error)}", PATH) from None
        # Most of an old rule is over: no moment need be made of that.
        over = self._wall_of(span.starts_at) - self._length - timedelta(days=2)
        return [self._utc(wall.replace(tzinfo=self._zone)) for wall in walls if wall >= over]

    def _check_zones(self) -> None:
        """A time of a zone nobody knows is read without one: it would be somebody's shift at another time."""
        for name in _TIMES:
            given = self._event.get(name, [])
            for one in given if isinstance(given, list) else [given]:
                moments = [part.dt for part in one.dts] if hasattr(one, "dts") else [getattr(one, "dt", None)]
                tzid = one.params.get("TZID")
                if tzid and any(isinstance(moment, datetime) and moment.tzinfo is None for moment in moments):
                    message = f"{name}: there is no time zone {_short(tzid)}, and no VTIMEZONE tells of it"
                    raise InvalidInput(f"{self.place}: {message}", PATH)

    @property
    def _zone(self) -> tzinfo:
        zone = self._starts.tzinfo if isinstance(self._starts, datetime) else None
        return zone or self._where

    @property
    def _length(self) -> timedelta:
        """On the wall clock of the start's zone."""
        return self._wall(self._ends) - self._wall(self._starts)

    def _last(self, until: date) -> datetime:
        is_day = not isinstance(until, datetime)
        return datetime.combine(until, time(23, 59, 59)) if is_day else self._wall(until)

    def _wall(self, value: date) -> datetime:
        return self._wall_of(self._utc(value))

    def _wall_of(self, moment: datetime) -> datetime:
        return moment.astimezone(self._zone).replace(tzinfo=None, fold=0)

    def _utc(self, value: date) -> datetime:
        """A day begins at midnight, and a time without a zone is, on the clock of the schedule's zone."""
        moment = value if isinstance(value, datetime) else datetime.combine(value, time(0))
        return (moment if moment.tzinfo else moment.replace(tzinfo=self._where)).astimezone(UTC)

    def _moments(self, name: str) -> Iterator[datetime]:
        given = self._event.get(name, [])
        for values in given if isinstance(given, list) else [given]:
            for one in values.dts:
                if isinstance(one.dt, tuple):
                    raise InvalidInput(f"{self.place}: {name}: periods are not read", PATH)
                yield self._utc(one.dt)


def _parsed(text: str) -> Calendar:
    """By the zones of this calendar alone: what another called by the same name says nothing here."""
    with _READING:
        tzp.use_default()
        try:
            return Calendar.from_ical(text)
        except AssertionError as error:  # of the library, for a line that holds several
            raise ValueError(str(error)) from None
        finally:
            tzp.use_default()


def _check_components(text: str) -> None:
    """InvalidInput for a component of another name, and for a zone that changes more than twice a year.

    Read line by line as the library reads, and whatever closes a part closes the one begun last: what is looked at
    here is what is expanded there.
    """
    number, rules, within = 0, 0, list[str]()
    lines: list[Contentline] = Contentlines.from_ical(text)  # type: ignore[no-untyped-call] # no types there
    for line in lines:
        name, value = _parts(line)
        if name == "BEGIN":
            within.append(value.upper())
            if within[-1] not in _COMPONENTS:
                raise InvalidInput(f"this is no calendar (RFC 5545): {_short(value)} is no component of one", PATH)
            number += within[-1] == "VTIMEZONE"
        elif name == "END":
            del within[-1:]
        if not _ZONES.intersection(within):
            continue
        rules += name == "RRULE"
        # A zone is written out and read once more, by one that ends lines at more than line ends.
        is_one = len(line.splitlines()) <= 1 and name != "EXRULE"
        if not is_one or rules > MAX_ZONE_RULES or (name == "RRULE" and not _is_of_a_zone(value)):
            raise InvalidInput(f"VTIMEZONE {number}: its rules are not those of a time zone", PATH)


def _parts(line: Contentline) -> tuple[str, str]:
    """Name and value; nothing of a line that cannot be read: the library skips it or refuses the whole."""
    try:
        name, _, value = line.parts() if line else ("", None, "")
    except ValueError:
        return "", ""
    return name.upper(), value


def _is_of_a_zone(rule: str) -> bool:
    named = [part.partition("=")[::2] for part in rule.upper().split(";") if part]
    parts = dict(named)
    is_yearly = parts.get("FREQ") == "YEARLY" and parts.get("INTERVAL", "1") == "1"
    is_once_a_year = is_yearly and set(parts) <= _ZONE_PARTS and len(parts) == len(named)
    few = all(len(parts.get(name, "").split(",")) <= most for name, most in (("BYMONTH", 1), ("BYDAY", 1)))
    days = len(parts.get("BYMONTHDAY", "").split(","))
    return is_once_a_year and few and days <= len("1234567")


def _first(values: Any) -> Any:  # noqa: ANN401 - of a library without types
    return values[0] if isinstance(values, list) and values else values


def _joined(values: Any) -> str:  # noqa: ANN401 - of a library without types
    return ",".join(str(one) for one in (values if isinstance(values, list) else [values]))


def _short(problem: object) -> str:
    return " ".join(str(problem).split())[:160]
