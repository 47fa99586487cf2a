"""Whose turn is it? The n-th handoff is n shift lengths after the first, counted on the wall clock of the zone.

So a daily handoff at 9:00 stays at 9:00 through the year. A handoff at a time the clock skips comes with the jump's
other side; a shift that falls into the skipped hour as a whole has no length, and its person is passed over.
"""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from domain.schedules.clock import to_utc, to_wall
from domain.schedules.model import Rotation, Span


def turns(rotation: Rotation, span: Span, where: ZoneInfo) -> Iterator[tuple[UUID, Span]]:
    """Whose turn it is over the span, in order. Before the first handoff it is nobody's."""
    if not rotation.participants:
        return
    number = max(0, turn_at(rotation, span.starts_at, where))
    begins = handoff(rotation, number, where)
    while begins < span.ends_at:
        ends = handoff(rotation, number + 1, where)
        part = Span(begins, ends).within(span)
        if part is not None:
            yield rotation.participants[number % len(rotation.participants)], part
        number, begins = number + 1, ends


def handoff(rotation: Rotation, number: int, where: ZoneInfo) -> datetime:
    """The moment, in UTC, that turn `number` begins."""
    return to_utc(rotation.starts_at + number * rotation.shift_length * rotation.unit.length, where)


def turn_at(rotation: Rotation, moment: datetime, where: ZoneInfo) -> int:
    """The number of the turn at the moment; negative before the first handoff."""
    elapsed = to_wall(moment, where) - rotation.starts_at
    number = elapsed // (rotation.shift_length * rotation.unit.length)
    # The wall clock repeats and skips hours, so the division may be one off around a change.
    while handoff(rotation, number, where) > moment:
        number -= 1
    while handoff(rotation, number + 1, where) <= moment:
        number += 1
    return number
