"""When does a window occur, in UTC? Also on the two nights a year when the clock jumps.

As RFC 5545 has it (domain/schedules/clock.py): a start that the clock skips is read with the offset before the jump, so
a window of 02:30 begins at 03:30 that night; of a start that the clock shows twice the first is meant, so it occurs
once. Its duration is time that passes, not what the clock shows: three hours are three hours in every night.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from domain.maintenance.expansion import occur
from domain.maintenance.model import MaintenanceWindow, Occurrence
from domain.maintenance.rule import parse_rule
from domain.schedules.clock import to_utc, to_wall, zone

# Further ahead nobody looks: a window that does not occur by then is taken for one that never does.
HORIZON = timedelta(days=3_660)
# Within a jump the order of clock times is not that of moments; no jump is longer than this.
_JUMP = timedelta(hours=26)
NEXT = 5


def occurrences(window: MaintenanceWindow, *, since: datetime, until: datetime) -> Iterator[Occurrence]:
    """Those that start within `since <= start < until`, in order, without its exceptions."""
    where = zone(window.time_zone)
    waiting: list[datetime] = []
    last: datetime | None = None
    for wall in _walls(window, to_wall(since, where) - _JUMP, to_wall(until, where) + _JUMP):
        if wall in window.exceptions:
            continue
        moment = to_utc(wall, where)
        # What is well before the newest has nothing before it any more.
        ready = [one for one in waiting if one < moment - _JUMP]
        waiting = [one for one in waiting if one >= moment - _JUMP]
        for one in ready:
            if since <= one < until and one != last:
                yield Occurrence(one, one + window.duration)
                last = one
        if moment not in waiting:
            waiting = sorted([*waiting, moment])
    for one in waiting:
        if since <= one < until and one != last:
            yield Occurrence(one, one + window.duration)
            last = one


def _walls(window: MaintenanceWindow, since: datetime, until: datetime) -> Iterator[datetime]:
    if window.recurrence is None:
        return iter([window.starts_at] if since <= window.starts_at < until else [])
    rule = parse_rule(window.recurrence, zone(window.time_zone))
    return occur(rule, window.starts_at, since=since, until=until)


def next_occurrences(window: MaintenanceWindow, *, now: datetime, limit: int = NEXT) -> list[Occurrence]:
    """The next ones that are not over, the running one first; none of a window that is paused or ended."""
    if not window.is_at_work:
        return []
    found = []
    for one in occurrences(window, since=now - window.duration, until=now + HORIZON):
        if one.ends_at > now and one.starts_at not in window.skipped:
            found.append(one)
        if len(found) == limit:
            break
    return found
