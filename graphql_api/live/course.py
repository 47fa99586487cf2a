"""How does the stream of one subscription run? Told to its source by whoever runs it, and what the source tells back.

A source cannot be given more than the client's arguments; who runs the document for a whole group, or only asks where
it would begin, says so here. See graphql_api/live/groups.py.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass

from domain.alerts.cursor import Cursor, StreamReset
from domain.alerts.events import RecordedEvent
from graphql_api.live.alert_memo import AlertMemo
from graphql_api.live.upcoming import Upcoming
from graphql_api.live.windows import Cut

Item = RecordedEvent | StreamReset


@dataclass(slots=True, kw_only=True)
class Course:
    """The course of one run. By default it is one client's alone: it begins where their `after` says, and has no end.

    `only_asks`: the run is over when it is known where it would begin (`place`), or why not. `is_shared`: it is run for
    many, as nobody in particular; then `feed` replaces the log, and `alerts` are read for several groups at once, also
    those of the `upcoming` events. `reset` and `is_over` are all that there is to say. `place` is how far the run has
    come, `begins` and `at` are the places of the first and the last event of the item that is being executed.
    """

    only_asks: bool = False
    is_shared: bool = False
    feed: AsyncGenerator[Item | Cut, None] | None = None
    alerts: AlertMemo | None = None
    upcoming: Upcoming | None = None
    # Takes the result of the event at `at` as JSON, where the source itself can tell it: that one is not executed.
    tell: Callable[[bytes], Awaitable[None]] | None = None
    reset: StreamReset | None = None
    is_over: bool = False
    place: Cursor | None = None
    begins: Cursor | None = None
    at: Cursor | None = None
    # The item could not be executed for now: the source gives it once more.
    again: bool = False
    # The place of the item that was executed last; None for one without a place, such as a reset.
    settled: Cursor | None = None
    # The event whose result is to be kept for others.
    noting: RecordedEvent | None = None
    # How often others' results had been forgotten when that began to be made.
    noting_since: int = 0
    # When the last event was given to a run for many, by the loop's time; None once what was made of it was told.
    began: float | None = None
    # The question where it would begin was answered: it was not refused, and did not end for another reason.
    has_answered: bool = False

    @property
    def follows_nothing(self) -> bool:
        """Whether there is one word to say at most."""
        return self.only_asks or self.is_over or self.reset is not None

    def settle(self) -> None:
        """The item was executed."""
        self.settled, self.at = self.at, None
        if self.settled is not None:
            self.place = self.settled
