"""How does the stream of one subscription run? Told to its source by whoever runs it, and what the source tells back.

A source cannot be given more than the client's arguments; who runs the document for a whole group, or only up to where
a group is, says so here. See graphql_api/live/groups.py.
"""

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from domain.alerts.cursor import Cursor, StreamReset
from domain.alerts.events import RecordedEvent
from graphql_api.live.alert_memo import AlertMemo

Item = RecordedEvent | StreamReset


@dataclass(slots=True, kw_only=True)
class Course:
    """The course of one run. By default it begins where the client's `after` says, and has no end.

    `after` goes before the client's, `until` ends the run there, `feed` replaces the log, `alerts` are read for several
    groups at once; `reset` and `is_over` are all that there is to say. `place` is how far the run has come, `at` the
    place of the item that is being executed.
    """

    after: Cursor | None = None
    until: Cursor | None = None
    feed: AsyncGenerator[Item, None] | None = None
    alerts: AlertMemo | None = None
    reset: StreamReset | None = None
    is_over: bool = False
    place: Cursor | None = None
    at: Cursor | None = None
    # The item could not be executed for now: the source gives it once more.
    again: bool = False
    # The place of the item that was executed last; None for one without a place, such as a reset.
    settled: Cursor | None = None
    # The run reached `until`: it was not refused, and did not end for another reason.
    has_arrived: bool = False

    def settle(self) -> None:
        """The item was executed."""
        self.settled, self.at = self.at, None
        if self.settled is not None:
            self.place = self.settled
