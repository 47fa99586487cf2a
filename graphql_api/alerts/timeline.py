"""How is a timeline paged? By the places in the log; its cursors are those a subscription resumes from."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.alerts.cursor import Cursor, decode_cursor, encode_cursor
from domain.alerts.events import LogPosition, RecordedEvent
from graphql_api.alerts.loaders import TimelinePage, load_event_counts, load_log_epoch, load_timelines
from graphql_api.connection import Connection, Cursors, connection, page_request
from graphql_api.context import Context

Place = tuple[LogPosition, datetime]


@dataclass(frozen=True, slots=True)
class LogCursors(Cursors[Place]):
    """The log's own cursors, in the form of a list's."""

    epoch: UUID

    def encode(self, key: Place) -> str:
        """The cursor of an event."""
        position, recorded_at = key
        return encode_cursor(Cursor(epoch=self.epoch, position=position, recorded_at=recorded_at))

    def decode(self, cursor: str, argument: str) -> Place:
        """The place a cursor names. Its epoch does not matter here: a restore keeps a timeline's order."""
        found = decode_cursor(cursor, path=(argument,))
        return found.position, found.recorded_at


async def timeline_of(
    context: Context, alert_id: UUID, *, first: int | None, after: str | None, last: int | None, before: str | None
) -> Connection[RecordedEvent]:
    """A page of an alert's timeline, oldest first; loaded together with those of the page's other alerts."""
    cursors = LogCursors("timeline", Place, await context.loader(load_log_epoch).load(None))
    request = page_request(cursors, first=first, after=after, last=last, before=before)
    page = TimelinePage(
        limit=request.limit + 1,
        after=request.after and request.after[0],
        before=request.before and request.before[0],
        backward=request.backward,
    )
    rows = await context.loader(load_timelines).load((alert_id, page))

    async def count() -> int:
        return await context.loader(load_event_counts).load(alert_id)

    return connection(rows, request, cursors=cursors, key=_place, count=count)


def _place(recorded: RecordedEvent) -> Place:
    return recorded.position, recorded.recorded_at
