"""When does a rule occur? Worked out period by period, from any time on, within a bound that is known beforehand.

A library that yields occurrences cannot be stopped while there are none: for the 30th of February it looks at every day
up to the year 9999. Here a look ends at its bound; what does not occur within it never occurs for us. That this gives
what RFC 5545 says is held against python-dateutil by tests/unit/maintenance/test_expansion.py.

All times are what a clock shows, without a zone; occurrences.py gives them one.
"""

import calendar
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import count as counting

from domain.maintenance.rule import Frequency, Rule

_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)
_MONTHS = 12


def occur(rule: Rule, start: datetime, *, since: datetime, until: datetime) -> Iterator[datetime]:
    """The starts by the rule within `since <= start < until`, in order. `start` is where the rule begins."""
    rule = _with_defaults(rule, start)
    left = rule.count
    # What comes before does not matter, unless it is counted.
    for days in _periods(rule, start, start if left is not None else max(since, start)):
        first = datetime.combine(days[0], datetime.min.time())
        if first >= until or (rule.until is not None and first > rule.until):
            return
        for moment in _moments(rule, start, days):
            if moment < start:
                continue
            if moment >= until or left == 0 or (rule.until is not None and moment > rule.until):
                return
            if left is not None:
                left -= 1
            if moment >= since:
                yield moment


def _with_defaults(rule: Rule, start: datetime) -> Rule:
    """What the first start says where the rule does not."""
    if not (rule.month_days or rule.year_days or rule.weekdays):
        if rule.frequency is Frequency.YEARLY:
            rule = replace(rule, months=rule.months or (start.month,), month_days=(start.day,))
        elif rule.frequency is Frequency.MONTHLY:
            rule = replace(rule, month_days=(start.day,))
        elif rule.frequency is Frequency.WEEKLY:
            rule = replace(rule, weekdays=((0, start.weekday()),))
    hours = rule.hours or (() if rule.frequency is Frequency.HOURLY else (start.hour,))
    return replace(rule, hours=hours, minutes=rule.minutes or (start.minute,))


def _periods(rule: Rule, start: datetime, since: datetime) -> Iterator[list[date]]:
    """The days of each period that the rule counts, from the one before `since` on. Hours are counted within a day."""
    begun, look = start.date(), since.date()
    step = rule.interval
    if rule.frequency is Frequency.YEARLY:
        first = max(0, (look.year - begun.year) // step - 1)
        for number in counting(first):
            year = begun.year + number * step
            if year > date.max.year - 1:
                return
            yield _days(date(year, 1, 1), date(year + 1, 1, 1))
    elif rule.frequency is Frequency.MONTHLY:
        base = begun.year * _MONTHS + begun.month - 1
        first = max(0, (look.year * _MONTHS + look.month - 1 - base) // step - 1)
        for number in counting(first):
            year, month = divmod(base + number * step, _MONTHS)
            if year > date.max.year - 1:
                return
            after = date(year + 1, 1, 1) if month == _MONTHS - 1 else date(year, month + 2, 1)
            yield _days(date(year, month + 1, 1), after)
    elif rule.frequency is Frequency.WEEKLY:
        monday = begun - timedelta(days=(begun.weekday() - rule.week_start) % 7)
        first = max(0, (look - monday).days // (7 * step) - 1)
        for number in counting(first):
            week = monday + number * step * _WEEK
            yield _days(week, week + _WEEK)
    else:
        # Which hours of a day are counted is said by `_times`.
        days = step if rule.frequency is Frequency.DAILY else 1
        first = max(0, (look - begun).days // days - 1)
        for number in counting(first):
            yield [begun + timedelta(days=number * days)]


def _days(first: date, after: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((after - first).days)]


def _moments(rule: Rule, start: datetime, days: list[date]) -> list[datetime]:
    """The starts within one period, in order."""
    found = [moment for day in days if _fits(rule, day) for moment in _times(rule, start, day)]
    if not rule.positions:
        return found
    size = len(found)
    places = {place - 1 if place > 0 else size + place for place in rule.positions}
    return [found[place] for place in sorted(places) if 0 <= place < size]


def _times(rule: Rule, start: datetime, day: date) -> list[datetime]:
    hours = rule.hours or tuple(range(24))
    if rule.frequency is Frequency.HOURLY:
        before = (day - start.date()).days * 24 - start.hour
        hours = tuple(hour for hour in hours if (before + hour) % rule.interval == 0)
    return [datetime(day.year, day.month, day.day, hour, minute) for hour in hours for minute in rule.minutes]  # noqa: DTZ001


def _fits(rule: Rule, day: date) -> bool:
    if rule.months and day.month not in rule.months:
        return False
    if rule.month_days:
        length = calendar.monthrange(day.year, day.month)[1]
        if day.day not in rule.month_days and day.day - length - 1 not in rule.month_days:
            return False
    if rule.year_days:
        number, length = day.timetuple().tm_yday, 366 if calendar.isleap(day.year) else 365
        if number not in rule.year_days and number - length - 1 not in rule.year_days:
            return False
    return not rule.weekdays or any(
        _is_weekday(rule, day, n) for n, weekday in rule.weekdays if weekday == day.weekday()
    )


def _is_weekday(rule: Rule, day: date, n: int) -> bool:
    """Whether it is the n-th such day of its month, or of its year where the rule counts in whole years."""
    if n == 0:
        return True
    if rule.frequency is Frequency.YEARLY and not rule.months:
        first, after = date(day.year, 1, 1), date(day.year + 1, 1, 1)
    else:
        first = day.replace(day=1)
        after = (first + timedelta(days=31)).replace(day=1)
    return (day - first).days // 7 + 1 == n if n > 0 else (after - day - _DAY).days // 7 + 1 == -n
