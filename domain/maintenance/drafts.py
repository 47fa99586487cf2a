"""What can be no maintenance window? Refused when it is saved, with the field and what would be right."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice, pairwise

from domain.errors import InvalidInput
from domain.maintenance.expansion import occur
from domain.maintenance.model import MaintenanceWindow
from domain.maintenance.occurrences import HORIZON, next_occurrences
from domain.maintenance.rule import PATH, parse_rule
from domain.schedules.clock import to_wall, zone
from domain.silences.drafts import MAX_COMMENT, check_holds_some, check_said
from domain.text import checked_text

MAX_NAME = 100
MAX_EXCEPTIONS = 200
SHORTEST = timedelta(minutes=1)
OFTEN = 24
_LOOKED_AT = 60
_EARLIEST, _LATEST = 2000, 2100


def checked_window(
    window: MaintenanceWindow, *, now: datetime, max_duration: timedelta, before: MaintenanceWindow | None = None
) -> MaintenanceWindow:
    """The window with its texts tidied; InvalidInput for one that cannot be. `before` is the one that is edited."""
    check_holds_some(window.matchers, window.condition)
    name = checked_text(window.name, path=("name",), limit=MAX_NAME)
    comment = check_said(window.comment, "comment", MAX_COMMENT)
    where = zone(window.time_zone, "timeZone")
    if not _EARLIEST <= window.starts_at.year < _LATEST:
        raise InvalidInput(f"must be from {_EARLIEST} to {_LATEST - 1}", ("startsAt",))
    if window.starts_at.second or window.starts_at.microsecond:
        raise InvalidInput("a window begins on the minute", ("startsAt",))
    if not SHORTEST <= window.duration <= max_duration:
        days = max_duration / timedelta(days=1)
        raise InvalidInput(f"must be from a minute to {days:g} days", ("duration",))
    if len(window.exceptions) > MAX_EXCEPTIONS:
        raise InvalidInput(f"at most {MAX_EXCEPTIONS}, these are {len(window.exceptions)}", ("exceptions",))
    if window.recurrence is not None:
        _check_recurrence(window, now=to_wall(now, where))
    _check_exceptions(window, before, now=to_wall(now, where))
    if window.is_at_work and not next_occurrences(window, now=now, limit=1):
        raise _never(window)
    return replace(window, name=name, comment=comment)


def _check_recurrence(window: MaintenanceWindow, *, now: datetime) -> None:
    """Neither overlap itself nor begin all the time. Asked of the clock's times, of the next ones there are."""
    rule = parse_rule(window.recurrence or "", zone(window.time_zone))
    since = max(now - window.duration, window.starts_at)
    starts = list(islice(occur(rule, window.starts_at, since=since, until=since + HORIZON), _LOOKED_AT))
    for first, second in pairwise(starts):
        if second - first < window.duration:
            message = (
                f"it would overlap itself: it begins at {first:%Y-%m-%d %H:%M} and {second:%Y-%m-%d %H:%M}, so it may "
                f"last {_length(second - first)} at most"
            )
            raise InvalidInput(message, ("duration",))
    for first, later in zip(starts, starts[OFTEN:], strict=False):
        if later - first < timedelta(days=1):
            raise InvalidInput(f"the recurrence: a window may begin at most {OFTEN} times a day", PATH)


def _check_exceptions(window: MaintenanceWindow, before: MaintenanceWindow | None, *, now: datetime) -> None:
    """An exception to come that is no start skips nothing: the window would hold all the same.

    So it is with one that was there, once an edit moves the starts. Those of the past say nothing any more.
    """
    is_moved = before is None or (window.starts_at, window.recurrence) != (before.starts_at, before.recurrence)
    known = () if before is None or is_moved else before.exceptions
    new = {place: one for place, one in enumerate(window.exceptions) if one >= now and one not in known}
    for place, one in new.items():
        if not _EARLIEST <= one.year < _LATEST:
            raise InvalidInput(f"must be from {_EARLIEST} to {_LATEST - 1}", ("exceptions", str(place)))
    starts = _starts_of(window, list(new.values()))
    for place, one in new.items():
        if one not in starts:
            message = f"it does not begin at {one:%Y-%m-%d %H:%M} by its clock: name a start that is not to happen"
            raise InvalidInput(message, ("exceptions", str(place)))


def _starts_of(window: MaintenanceWindow, moments: Sequence[datetime]) -> AbstractSet[datetime]:
    """Those of the moments at which it begins, exceptions aside."""
    if window.recurrence is None or not moments:
        return {window.starts_at}
    rule = parse_rule(window.recurrence, zone(window.time_zone))
    if rule.count is not None:  # counted from the first, so looked through once
        return set(occur(rule, window.starts_at, since=window.starts_at, until=max(moments) + SHORTEST))
    return {start for one in moments for start in occur(rule, window.starts_at, since=one, until=one + SHORTEST)}


def _length(length: timedelta) -> str:
    """As people say it: 1 day, 2 h 30 min. Windows begin on the minute."""
    hours, minutes = divmod(length.seconds // 60, 60)
    days = [f"{length.days} day{'s' * (length.days > 1)}"] if length.days else []
    return " ".join([*days, *([f"{hours} h"] if hours else []), *([f"{minutes} min"] if minutes else [])])


def _never(window: MaintenanceWindow) -> InvalidInput:
    if window.recurrence is None and window.starts_at in window.exceptions:
        return InvalidInput("its one start is an exception: it would never occur", ("exceptions",))
    if window.recurrence is None:
        return InvalidInput("it would be over already: its one time lies in the past", ("startsAt",))
    years = HORIZON // timedelta(days=366)
    message = f"the recurrence: it never occurs from now on, or not within {years} years, but for exceptions"
    return InvalidInput(message, PATH)
