"""What is a consumer? Something that is given runs of the log in order, at least once, and moves its own place."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeAlias

from domain.alerts.cursor import Cursor
from domain.alerts.events import RecordedEvent
from persistence.direct import DirectConnection

# Moves the consumer's place to the end of the run, within the connection's transaction.
Move: TypeAlias = Callable[[DirectConnection], Awaitable[None]]


class Consumer(Protocol):
    """Follows the log. A run that raised is given again, so handling it twice must do no harm."""

    name: str

    async def consume(self, before: Cursor, events: Sequence[RecordedEvent], move: Move) -> None:
        """Handle a run that follows `before` and call `move`; in one transaction if the effect is in PostgreSQL."""
        ...
