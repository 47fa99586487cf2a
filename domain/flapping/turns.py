"""Does a problem flap? Its turns are counted in a window, with one threshold to begin and a lower one to end.

A turn is what the source makes: the problem opens, opens again, or is over. With `count(t)` the turns within
`(t - window, t]`, the mark begins with the turn that takes the count to `start`, and ends when the count has fallen to
`stop`: by time alone, when nothing turns any more.

The two thresholds are those of Nagios, which compares its rate of change with a high and a low one so that a problem at
the edge is not marked and unmarked in turn (https://assets.nagios.com/downloads/nagioscore/docs/nagioscore/4/en/flapping.html;
Icinga 2 does the same). Its rate is the weighted share of the last 21 *checks* that changed the state. A pushed alert
has no checks, only changes, so here they are counted in a window of time; an order of their own they need not.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

from domain.values import value_class

MAX_START = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class FlappingPolicy:
    """When is it flapping? `start` turns within `window` begin it, `stop` or fewer end it."""

    start: int = 6
    stop: int = 2
    window: timedelta = timedelta(minutes=30)

    def __post_init__(self) -> None:
        if not 0 <= self.stop <= self.start - 2 or self.start > MAX_START:
            message = f"flapping: needs 0 <= stop, stop + 2 <= start <= {MAX_START}, not {self.stop} and {self.start}"
            raise ValueError(message)
        if self.window <= timedelta(0):
            message = "flapping: the window must be longer than nothing"
            raise ValueError(message)


class Crossing(Enum):
    """What a turn, or time, did to the mark."""

    BEGAN = auto()
    ENDED = auto()


@value_class(frozen=True, slots=True, kw_only=True)
class Crossed:
    """The mark began or ended: when, and how many turns it was about."""

    crossing: Crossing
    at: datetime
    turns: int


@value_class(frozen=True, slots=True, kw_only=True)
class Track:
    """The turns of one dedup key as far as they decide: the newest within the window, at most `start`, oldest first.

    `since` is when the mark began; `until` when it ends unless the problem turns again; `count` the turns it has seen.
    """

    turns: tuple[datetime, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    count: int = 0


def turned(track: Track, at: datetime, policy: FlappingPolicy) -> tuple[Track, list[Crossed]]:
    """The track after one more turn, and what became of its mark; never twice the same in a row."""
    crossed: list[Crossed] = []
    turns, since, until, count = track.turns, track.since, track.until, track.count
    if turns:
        at = max(at, turns[-1])  # another host's clock may be behind: turns come in the order they are applied
    if since is not None and until is not None and until <= at:
        crossed.append(Crossed(crossing=Crossing.ENDED, at=until, turns=count))
        since, until, count = None, None, 0
    oldest = at - policy.window
    turns = (*(turn for turn in turns if turn > oldest), at)[-policy.start :]
    if since is None and len(turns) >= policy.start:
        since, count = at, len(turns)
        crossed.append(Crossed(crossing=Crossing.BEGAN, at=at, turns=count))
    elif since is not None:
        count += 1
    if since is not None:
        # The count falls to `stop` when the oldest of the newest `stop + 1` leaves the window.
        until = turns[max(-len(turns), -(policy.stop + 1))] + policy.window
    return Track(turns=turns, since=since, until=until, count=count), crossed
