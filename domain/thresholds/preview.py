"""What would a rule have done over a past? The same machine over the same series, from nothing known.

The values are shown thinned out: each point is the worst of its stretch, so that no peak is lost.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.errors import InvalidInput
from domain.thresholds.machine import Transition, Turn, evaluate
from domain.thresholds.model import Comparison, Condition
from domain.thresholds.series import Series, Window, floor_minute, moments_between

MAX_RANGE = timedelta(days=7)
# Some seconds of work.
MAX_STEPS = 750_000
MAX_POINTS = 500_000
MAX_TURNS = 500
SHOWN_GROUPS = 10
SHOWN_POINTS = 200
TOO_MUCH = "that is too much to go through: ask for less time, or count fewer alerts"


@dataclass(frozen=True, slots=True)
class Sample:
    """The worst value of the minutes that end with `at`."""

    at: datetime
    value: float


@dataclass(frozen=True, slots=True)
class GroupPreview:
    """One group's values."""

    group: str
    raises: int
    samples: Sequence[Sample]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a rule would have done. `turns` are the first of them, `groups` the ones it would have raised most for."""

    raises: int
    clears: int
    firing_for: timedelta
    group_count: int
    turns: Sequence[Transition]
    groups: Sequence[GroupPreview]

    @property
    def turns_left_out(self) -> int:
        """How many more turns there are than are shown."""
        return self.raises + self.clears - len(self.turns)


def checked_range(since: datetime, until: datetime, *, now: datetime) -> list[datetime]:
    """The ends of the minutes of a past; InvalidInput when it is empty or too long."""
    if until <= since:
        message = "the end must be after the start"
        raise InvalidInput(message, ("until",))
    if until - since > MAX_RANGE:
        message = f"at most {MAX_RANGE.days} days at a time"
        raise InvalidInput(message, ("until",))
    moments = moments_between(since, min(until, floor_minute(now)))
    if not moments:
        message = "a past of a whole minute at least"
        raise InvalidInput(message, ("since",))
    return moments


def preview(condition: Condition, series: Series, moments: Sequence[datetime]) -> Preview:
    """Evaluate the past; InvalidInput when it holds too much."""
    groups = {*series, *condition.expected}
    if len(groups) * len(moments) > MAX_STEPS:
        raise InvalidInput(TOO_MUCH, ("until",))
    turns = evaluate(condition, {}, series, moments).transitions
    raises: dict[str, int] = dict.fromkeys(groups, 0)
    firing, began = timedelta(), dict[str, datetime]()
    for one in turns:
        if one.turn is Turn.RAISED:
            raises[one.group] += 1
            began[one.group] = one.at
        else:
            firing += one.at - began.pop(one.group)
    firing += sum((moments[-1] - at for at in began.values()), timedelta())
    loudest = sorted(groups, key=lambda group: (-raises[group], -_size(series, group), group))[:SHOWN_GROUPS]
    return Preview(
        raises=sum(raises.values()),
        clears=len(turns) - sum(raises.values()),
        firing_for=firing,
        group_count=len(groups),
        turns=turns[:MAX_TURNS],
        groups=[GroupPreview(group, raises[group], _samples(condition, series, group, moments)) for group in loudest],
    )


def _size(series: Series, group: str) -> int:
    return sum(point.amount for point in series.get(group, ()))


def _samples(condition: Condition, series: Series, group: str, moments: Sequence[datetime]) -> list[Sample]:
    window = Window(condition, series.get(group, ()))
    stretch = -(-len(moments) // SHOWN_POINTS)
    worst = max if condition.comparison is Comparison.AT_LEAST else min
    samples = []
    for begin in range(0, len(moments), stretch):
        part = moments[begin : begin + stretch]
        samples.append(Sample(part[-1], worst(window.value_at(moment) for moment in part)))
    return samples
