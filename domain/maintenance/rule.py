"""What may a recurrence say? An RFC 5545 RRULE, read into a rule; what it cannot say is refused by its name.

Left out of RFC 5545: SECONDLY, MINUTELY and BYSECOND (a window that begins every minute is a silence), and BYWEEKNO.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from enum import StrEnum
from zoneinfo import ZoneInfo

from domain.errors import InvalidInput
from domain.schedules.clock import to_wall

MAX_RULE = 500
MAX_INTERVAL = 1_000
MAX_COUNT = 5_000
# Times a day, before BYSETPOS picks from them: all of a year's are worked out together.
MAX_TIMES = 48
PATH = ("recurrence",)
# Years that UNTIL may name; beyond them a time zone's offset leads out of the calendar.
_EARLIEST, _LATEST = 1900, 2200
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_DAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)", re.ASCII)
_UNTIL = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(\d{2})(Z?))?", re.ASCII)
_EXAMPLE = "write it like `FREQ=WEEKLY;BYDAY=SU` or `FREQ=MONTHLY;BYDAY=2TU;COUNT=12`"


class Frequency(StrEnum):
    """How long the periods are that a rule counts in."""

    YEARLY = "YEARLY"
    MONTHLY = "MONTHLY"
    WEEKLY = "WEEKLY"
    DAILY = "DAILY"
    HOURLY = "HOURLY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule as read; `until` is what the zone's clock shows. An empty tuple: that part was not given."""

    frequency: Frequency
    interval: int = 1
    count: int | None = None
    until: datetime | None = None
    months: tuple[int, ...] = ()
    month_days: tuple[int, ...] = ()
    year_days: tuple[int, ...] = ()
    # (n, weekday from Monday = 0); n is 0 for every such day.
    weekdays: tuple[tuple[int, int], ...] = ()
    hours: tuple[int, ...] = ()
    minutes: tuple[int, ...] = ()
    positions: tuple[int, ...] = ()
    week_start: int = 0


def parse_rule(text: str, where: ZoneInfo) -> Rule:
    """Read an RRULE, with or without `RRULE:` in front; InvalidInput says which part is wrong, and what is right."""
    if len(text) > MAX_RULE:
        raise _wrong(f"may have {MAX_RULE} characters, this has {len(text)}")
    parts: dict[str, str] = {}
    for part in text.strip().upper().removeprefix("RRULE:").strip(";").split(";"):
        name, equals, value = part.partition("=")
        name = name.strip()
        if not equals or not name or not value.strip():
            raise _wrong(f"{part[:40]!r} is no part of a recurrence: {_EXAMPLE}")
        if name in parts:
            raise _wrong(f"{name} is given twice")
        parts[name] = value.strip()
    values: dict[str, object] = {}
    for name, value in parts.items():
        reader = _READERS.get(name)
        if reader is None:
            hint = _HINTS.get(name, f"there are {', '.join(_READERS)}")
            raise _wrong(f"{name[:40]} is not taken: {hint}")
        field, read = reader
        values[field] = read(value, name)
    if "frequency" not in values:
        raise _wrong(f"FREQ is missing: {_EXAMPLE}")
    if isinstance(values.get("until"), str):
        values["until"] = _until(str(values["until"]), where)
    rule = Rule(**values)  # type: ignore[arg-type] # each reader gives what its field takes
    _check_together(rule)
    return rule


def _check_together(rule: Rule) -> None:
    if rule.count is not None and rule.until is not None:
        raise _wrong("give either COUNT or UNTIL, not both")
    if rule.frequency is Frequency.WEEKLY and rule.month_days:
        raise _wrong("BYMONTHDAY does not go with FREQ=WEEKLY: take FREQ=MONTHLY")
    if rule.year_days and rule.frequency not in {Frequency.YEARLY, Frequency.HOURLY}:
        raise _wrong("BYYEARDAY goes with FREQ=YEARLY")
    if any(n for n, _ in rule.weekdays) and rule.frequency not in {Frequency.YEARLY, Frequency.MONTHLY}:
        raise _wrong("a number before a day (2TU) goes with FREQ=MONTHLY or FREQ=YEARLY")
    if len(rule.hours or (0,)) * len(rule.minutes or (0,)) > MAX_TIMES:
        raise _wrong(f"BYHOUR and BYMINUTE may name at most {MAX_TIMES} times together")
    if rule.positions:
        if rule.frequency is Frequency.HOURLY:
            raise _wrong("BYSETPOS does not go with FREQ=HOURLY")
        if not any((rule.months, rule.month_days, rule.year_days, rule.weekdays, rule.hours, rule.minutes)):
            raise _wrong("BYSETPOS picks from what another part names, such as BYDAY")


def _wrong(message: str) -> InvalidInput:
    return InvalidInput(f"the recurrence: {message}", PATH)


def _number(lowest: int, highest: int) -> Callable[[str, str], int]:
    def read(text: str, name: str) -> int:
        if not re.fullmatch(r"\d{1,5}", text, re.ASCII) or not lowest <= int(text) <= highest:
            raise _wrong(f"{name} is a number from {lowest} to {highest}, not {text[:20]!r}")
        return int(text)

    return read


def _numbers(lowest: int, highest: int, *, from_the_end: bool = False) -> Callable[[str, str], tuple[int, ...]]:
    def read(text: str, name: str) -> tuple[int, ...]:
        found = set()
        for one in text.split(","):
            number = int(one) if re.fullmatch(r"[+-]?\d{1,3}", one.strip(), re.ASCII) else None
            sized = None if number is None else abs(number) if from_the_end else number
            if number is None or sized is None or not lowest <= sized <= highest:
                ends = f", or -{lowest} to -{highest} from the end" if from_the_end else ""
                raise _wrong(f"{name} takes numbers from {lowest} to {highest}{ends}, not {one[:20]!r}")
            found.add(number)
        return tuple(sorted(found))

    return read


def _frequency(text: str, _name: str) -> Frequency:
    try:
        return Frequency(text)
    except ValueError:
        message = f"FREQ is one of {', '.join(Frequency)}, not {text[:20]!r}"
        if text in {"SECONDLY", "MINUTELY"}:
            message = f"FREQ={text} begins too often for a maintenance window: make a silence, or take FREQ=HOURLY"
        raise _wrong(message) from None


def _weekdays(text: str, name: str) -> tuple[tuple[int, int], ...]:
    found = set()
    for one in text.split(","):
        read = _DAY.fullmatch(one.strip())
        number = int(read[1] or 0) if read else 0
        if read is None or abs(number) > 53 or (read[1] and not number):  # noqa: PLR2004 - weeks of a year
            raise _wrong(f"{name} takes days such as MO, 2TU or -1FR, not {one[:20]!r}")
        found.add((number, _DAYS.index(read[2])))
    return tuple(sorted(found))


def _week_start(text: str, name: str) -> int:
    if text not in _DAYS:
        raise _wrong(f"{name} is one of {', '.join(_DAYS)}")
    return _DAYS.index(text)


def _later(text: str, _name: str) -> str:
    return text


def _until(text: str, where: ZoneInfo) -> datetime:
    """A day (to its end) or a time, on the zone's clock or in UTC (Z)."""
    read = _UNTIL.fullmatch(text)
    wrong = _wrong(f"UNTIL is a day or a time such as 20261231 or 20261231T000000Z, not {text[:20]!r}")
    if read is None or not _EARLIEST <= int(read[1]) < _LATEST:
        raise wrong
    try:
        year, month, day = (int(part) for part in read.groups()[:3])
        if read[4] is None:
            return datetime.combine(datetime(year, month, day), time.max)  # noqa: DTZ001 - what a clock shows
        moment = datetime(year, month, day, int(read[4]), int(read[5]), int(read[6]))  # noqa: DTZ001
    except ValueError:
        raise wrong from None
    return to_wall(moment.replace(tzinfo=UTC), where) if read[7] else moment


_READERS: Mapping[str, tuple[str, Callable[[str, str], object]]] = {
    "FREQ": ("frequency", _frequency),
    "INTERVAL": ("interval", _number(1, MAX_INTERVAL)),
    "COUNT": ("count", _number(1, MAX_COUNT)),
    "UNTIL": ("until", _later),
    "BYMONTH": ("months", _numbers(1, 12)),
    "BYMONTHDAY": ("month_days", _numbers(1, 31, from_the_end=True)),
    "BYYEARDAY": ("year_days", _numbers(1, 366, from_the_end=True)),
    "BYDAY": ("weekdays", _weekdays),
    "BYHOUR": ("hours", _numbers(0, 23)),
    "BYMINUTE": ("minutes", _numbers(0, 59)),
    "BYSETPOS": ("positions", _numbers(1, 366, from_the_end=True)),
    "WKST": ("week_start", _week_start),
}
_HINTS = {
    "BYSECOND": "a window begins on the minute",
    "BYWEEKNO": "name months and days (BYMONTH, BYDAY), or an INTERVAL of weeks",
    "DTSTART": "give the first start as startsAt, and its zone as timeZone",
    "EXDATE": "give them as exceptions",
}
