"""What is a consumer? Something that is given runs of the log in order, at least once, and moves its own place."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import asyncpg

from domain.alerts.cursor import Cursor
from persistence.direct import DirectConnection

# Of one run. A run is read, and held in memory, whole.
RUN_EVENTS = 500
# Moves the consumer's place to the end of the run: a statement, within the connection's transaction if it is in one.
Move: TypeAlias = Callable[[DirectConnection], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A piece of the log: what follows `before`, up to and including `end`. `lines` is for who reads them.

    A line is a row of LogReader.lines_after: an event as the log has it.
    """

    before: Cursor
    end: Cursor
    lines: Sequence[asyncpg.Record] = ()


class Consumer(Protocol):
    """Follows the log. A run that raised is given again, so handling it twice must do no harm.

    One that leaves the events to the database says so by `reads_lines`: to read them costs more than all the rest.
    `most_events` is how many a run may have, `rest_seconds` how long it lets events gather after one: a run of many
    costs little more than a run of one. `patience_seconds` is how far behind it may be in a storm before it takes more
    than a part of the time: until then it leaves the processors to who has to answer.
    """

    name: str
    reads_lines: bool
    most_events: int
    rest_seconds: float
    patience_seconds: float

    async def consume(self, run: Run, move: Move) -> None:
        """Handle a run and call `move`; in one transaction if the effect is in PostgreSQL."""
        ...
