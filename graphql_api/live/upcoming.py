"""Which events will a run be given next? As far as they have come: what they need is read for all of them at once."""

from collections import deque
from collections.abc import Collection, Iterable
from itertools import chain, islice

from domain.alerts.cursor import Cursor
from domain.alerts.events import RecordedEvent
from domain.alerts.filter import AlertFilter
from graphql_api.live.inbox import Inbox
from graphql_api.live.member import Payload


class Upcoming:
    """Told by who gives the events, asked by who reads for them. An event may be here that was given already."""

    def __init__(self, wanted: AlertFilter | None = None, *, made: Collection[Payload] = ()) -> None:
        self._page: deque[RecordedEvent] = deque()
        # What was made of the events before, and not given yet.
        self._made = made
        self._inbox: Inbox | None = None
        # The last one given from the log; None where there is nothing to be read after it.
        self._given: RecordedEvent | None = None
        # What the run asks for, said before it takes the first event.
        self.wanted = wanted

    def begin_page(self, events: Iterable[RecordedEvent]) -> None:
        """These were read from the log."""
        self._page = deque(events)

    def begin_inbox(self, inbox: Inbox) -> None:
        """These arrive now."""
        self._inbox, self._given = inbox, None

    def given(self) -> None:
        """The first of the page was given."""
        if self._page:
            self._given = self._page.popleft()

    @property
    def oldest(self) -> RecordedEvent | Cursor | None:
        """The one that has waited longest, or was given just before it where the next is yet to be read."""
        for payload in islice(self._made, 1):
            if payload.at is not None:
                return payload.at
        return self._next

    @property
    def is_empty(self) -> bool:
        """Whether the run was given all that there is for now."""
        return self._next is None

    @property
    def _next(self) -> RecordedEvent | None:
        emptied_from = None if self._inbox is None else self._inbox.emptied_from
        return next(iter(self.events(1)), self._given or emptied_from)

    def events(self, most: int) -> list[RecordedEvent]:
        """The next ones."""
        arrived: Iterable[RecordedEvent] = () if self._inbox is None else self._inbox.waiting
        return list(islice(chain(self._page, arrived), most))
