"""What is an on-call schedule? Layers of rotations in one time zone, versions of them, and overrides on top.

A later layer covers the ones before it; an override covers every layer. A change of the layers makes a new version that
counts from the moment it is saved: who was on call yesterday stays as it was.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

MAX_LAYERS = 20
MAX_PARTICIPANTS = 100
MAX_RESTRICTIONS = 50
MAX_SHIFT_UNITS = 1000


class Weekday(StrEnum):
    """A day of the week, in the schedule's time zone."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"

    @property
    def number(self) -> int:
        """As `date.weekday()` counts: 0 is Monday."""
        return _DAYS.index(self)


_DAYS = tuple(Weekday)


class ShiftUnit(StrEnum):
    """What a shift's length is counted in, on the wall clock: a day across a change of the clock is 23 or 25 hours."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"

    @property
    def length(self) -> timedelta:
        """On the wall clock."""
        return _LENGTHS[self]


_LENGTHS = {ShiftUnit.HOUR: timedelta(hours=1), ShiftUnit.DAY: timedelta(days=1), ShiftUnit.WEEK: timedelta(weeks=1)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """People who take turns. `starts_at` is a wall-clock time in the schedule's zone: the first handoff."""

    starts_at: datetime
    unit: ShiftUnit
    shift_length: int
    participants: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Restriction:
    """A window of the week. It begins on each of `weekdays`; an end not after the start is on the next day."""

    weekdays: frozenset[Weekday]
    starts: time
    ends: time


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A rotation, the hours it counts in (none given: always), and the moments it begins and ends to count."""

    id: UUID
    name: str
    rotation: Rotation
    restrictions: tuple[Restriction, ...] = ()
    begins_at: datetime | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Layers:
    """The layers of one version. They count from `effective_from` until the next version's."""

    version: int
    effective_from: datetime
    time_zone: str
    layers: tuple[Layer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """Somebody else is on call for a time: on top of every layer. Of two that overlap the one made later counts.

    `calendar_id`: of a calendar that the schedule follows; it counts as made when that began to be followed.
    """

    id: UUID
    schedule_id: UUID
    user_id: UUID
    starts_at: datetime
    ends_at: datetime
    created_at: datetime
    created_by: UUID | None = None
    reason: str = ""
    calendar_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A schedule as it is now."""

    id: UUID
    name: str
    time_zone: str
    created_at: datetime
    updated_at: datetime
    team_id: UUID | None = None
    description: str = ""
    layers: tuple[Layer, ...] = ()
    archived_at: datetime | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of time, its end excluded."""

    starts_at: datetime
    ends_at: datetime

    def within(self, other: "Span") -> "Span | None":
        """The part that both have; None when they do not meet."""
        starts, ends = max(self.starts_at, other.starts_at), min(self.ends_at, other.ends_at)
        return Span(starts, ends) if starts < ends else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """One person on call for a time, because of a layer or of an override."""

    user_id: UUID
    starts_at: datetime
    ends_at: datetime
    layer_id: UUID | None = None
    override_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class FinalSchedule:
    """Who is on call over a time, in order and without overlap, and when nobody is."""

    shifts: tuple[Shift, ...]
    gaps: tuple[Span, ...]

    def within(self, span: Span) -> "FinalSchedule":
        """What of it is in the span."""
        shifts = [(one, Span(one.starts_at, one.ends_at).within(span)) for one in self.shifts]
        return FinalSchedule(
            tuple(
                replace(one, starts_at=part.starts_at, ends_at=part.ends_at) for one, part in shifts if part is not None
            ),
            tuple(part for gap in self.gaps if (part := gap.within(span)) is not None),
        )


Versions: TypeAlias = Sequence[Layers]
