"""Which value does a rule look at, at a moment? What lies in the window behind it, summed or counted."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from domain.thresholds.model import MINUTE, Condition, Measure
from domain.values import value_class


@value_class(frozen=True, slots=True)
class Point:
    """What a group had in one minute; `service` tells them apart where services are counted."""

    minute: datetime
    amount: int
    service: str | None = None


Series = Mapping[str, Sequence[Point]]


def series_of(rows: Iterable[tuple[str, Point]]) -> dict[str, list[Point]]:
    """The points of each group, in order of time."""
    groups: dict[str, list[Point]] = defaultdict(list)
    for group, point in rows:
        groups[group].append(point)
    for points in groups.values():
        points.sort(key=lambda point: point.minute)
    return dict(groups)


def moments_between(after: datetime, until: datetime) -> list[datetime]:
    """The ends of minutes after one moment up to and including another, in order."""
    first = ceil_minute(after)
    if first == after:
        first += MINUTE
    count = max(0, int((until - first) / MINUTE) + 1)
    return [first + number * MINUTE for number in range(count)]


def floor_minute(moment: datetime) -> datetime:
    """The end of the last minute that is over."""
    return moment.replace(second=0, microsecond=0)


def ceil_minute(moment: datetime) -> datetime:
    """The end of the minute the moment is in; the moment itself when it is one."""
    floor = floor_minute(moment)
    return floor if floor == moment else floor + MINUTE


@dataclass(slots=True)
class Window:
    """A window that slides over one group's points. Moments come in order."""

    condition: Condition
    points: Sequence[Point]
    _entered: int = 0
    _left: int = 0
    _total: int = 0
    _services: Counter[str] = field(default_factory=Counter)

    def value_at(self, moment: datetime) -> float:
        """The value of the window that ends at the moment: of the minutes that are over by then."""
        points = self.points
        while self._entered < len(points) and points[self._entered].minute + MINUTE <= moment:
            self._count(points[self._entered], 1)
            self._entered += 1
        begin = moment - self.condition.window
        while self._left < self._entered and points[self._left].minute < begin:
            self._count(points[self._left], -1)
            self._left += 1
        return self._value()

    def _count(self, point: Point, sign: int) -> None:
        self._total += sign * point.amount
        # An alert without a service is of none.
        if point.service:
            self._services[point.service] += sign * point.amount

    def _value(self) -> float:
        measure = self.condition.measure
        if measure is Measure.SERVICES:
            return float(sum(amount > 0 for amount in self._services.values()))
        if measure is Measure.RATE:
            return self._total / (self.condition.window / MINUTE)
        return float(self._total)


def values(condition: Condition, points: Sequence[Point], moments: Sequence[datetime]) -> Iterator[float]:
    """The value at each of the moments."""
    window = Window(condition, points)
    for moment in moments:
        yield window.value_at(moment)


def window_text(window: timedelta) -> str:
    """A window as people say it: 5 min, 2 h."""
    minutes = int(window / MINUTE)
    return f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"
