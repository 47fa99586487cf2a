"""When in the week does a layer count? Windows of the week on the wall clock, as moments."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from domain.schedules.clock import to_utc, to_wall
from domain.schedules.model import Restriction, Span

_DAY = timedelta(days=1)


def open_times(restrictions: Sequence[Restriction], span: Span, where: ZoneInfo) -> list[Span]:
    """The parts of the span in which a layer counts, in order; those that touch are one. No restriction: all of it."""
    if not restrictions:
        return [span]
    first = to_wall(span.starts_at, where).date() - _DAY  # a window of yesterday may reach into today
    last = to_wall(span.ends_at, where).date()
    found = [
        part
        for number in range((last - first).days + 1)
        for restriction in restrictions
        if (part := _window(restriction, datetime.combine(first, datetime.min.time()) + number * _DAY, where, span))
    ]
    return joined(found)


def _window(restriction: Restriction, day: datetime, where: ZoneInfo, span: Span) -> Span | None:
    if day.weekday() not in {weekday.number for weekday in restriction.weekdays}:
        return None
    starts = datetime.combine(day.date(), restriction.starts)
    ends = datetime.combine(day.date(), restriction.ends)
    if restriction.ends <= restriction.starts:
        ends += _DAY
    return Span(to_utc(starts, where), to_utc(ends, where)).within(span)


def joined(spans: Sequence[Span]) -> list[Span]:
    """The spans in order, those that overlap or touch made one."""
    result: list[Span] = []
    for span in sorted(spans, key=lambda span: span.starts_at):
        if result and span.starts_at <= result[-1].ends_at:
            result[-1] = Span(result[-1].starts_at, max(result[-1].ends_at, span.ends_at))
        else:
            result.append(span)
    return result
