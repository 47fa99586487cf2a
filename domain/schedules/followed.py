"""How does a schedule follow a calendar kept elsewhere? It is read again and again, and its times become overrides.

What appears in the calendar counts, what disappears ends, and what people made by hand stays on top: the overrides of a
calendar count as made when it began to be followed. A reading that fails changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from domain.ids import new_id
from domain.schedules.drafts import MAX_OVERRIDE
from domain.schedules.imports import CalendarMeaning
from domain.schedules.model import Override, Schedule, Span

# How often a calendar is read, and at the latest after failures.
EVERY = timedelta(minutes=15)
MAX_BACKOFF = timedelta(hours=1)
# A provider may ask for more patience than that, but not for ever.
MAX_PATIENCE = timedelta(hours=6)
# A calendar that is asked for with `If-None-Match` is read whole once in this time: its year ahead moves on.
WHOLE_EVERY = timedelta(hours=24)
STALE_AFTER = timedelta(hours=24)


class FollowProblem(StrEnum):
    """Why a calendar could not be read, or not be used."""

    UNREACHABLE = "unreachable"
    NOT_ALLOWED = "not_allowed"
    REFUSED = "refused"
    TOO_SLOW = "too_slow"
    TOO_LARGE = "too_large"
    NO_CALENDAR = "no_calendar"
    PERSON_LEFT = "person_left"


class UnusedReason(StrEnum):
    """Why an event of a calendar makes nobody be on call."""

    UNREADABLE = "unreadable"
    CANCELLED = "cancelled"
    NO_SHIFT = "no_shift"
    LATER = "later"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnusedEvent:
    """One event that is not used. `event` names it where it cannot be read."""

    reason: UnusedReason
    event: str = ""
    detail: str = ""
    starts_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedCalendar:
    """A calendar that a schedule follows; its address is in the store, sealed."""

    id: UUID
    schedule_id: UUID
    user_id: UUID
    meaning: CalendarMeaning
    host: str
    created_at: datetime
    next_read_at: datetime
    cover_id: UUID | None = None
    created_by: UUID | None = None
    ended_at: datetime | None = None
    fetched_at: datetime | None = None
    read_at: datetime | None = None
    changed_at: datetime | None = None
    problem: FollowProblem | None = None
    problem_detail: str = ""
    problem_since: datetime | None = None
    failures: int = 0
    used: int = 0
    unused_count: int = 0
    unused: tuple[UnusedEvent, ...] = ()
    etag: str | None = None
    last_modified: str | None = None
    whole_at: datetime | None = None
    schedule_version: int | None = None

    def is_stale(self, now: datetime) -> bool:
        """Whether it has not been read for so long that somebody should look."""
        return self.ended_at is None and now - (self.read_at or self.created_at) >= STALE_AFTER

    def asks_for_changes_only(self, schedule: Schedule, now: datetime) -> bool:
        """Whether "nothing changed" would say enough.

        It does not where what the calendar comes to depends on more than the calendar: on the shifts its person has.
        """
        is_recent = self.whole_at is not None and now - self.whole_at < WHOLE_EVERY
        is_enough = self.meaning is CalendarMeaning.ON_CALL and self.schedule_version == schedule.version
        return is_recent and is_enough and self.problem is not FollowProblem.PERSON_LEFT


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What has to change so that the schedule says what the calendar says."""

    to_add: tuple[Override, ...]
    to_end: tuple[Override, ...]


def reconciled(
    calendar: FollowedCalendar,
    wanted: Sequence[tuple[UUID, Span, str]],
    there: Sequence[Override],
    *,
    now: datetime,
) -> Reconciled:
    """What to add and what to end. What runs and goes on is left as it is: its beginning is past."""
    kept = {_key(one.user_id, Span(one.starts_at, one.ends_at), now): one for one in there}
    asked = {_key(user_id, span, now): (user_id, span, reason) for user_id, span, reason in wanted}
    added = [
        Override(
            id=new_id(),
            schedule_id=calendar.schedule_id,
            user_id=user_id,
            starts_at=max(span.starts_at, now),
            ends_at=span.ends_at,
            # By this it lies beneath whatever people do by hand later.
            created_at=calendar.created_at,
            created_by=calendar.created_by,
            reason=reason,
            calendar_id=calendar.id,
        )
        for key, (user_id, span, reason) in asked.items()
        if key not in kept
    ]
    known = {id(one) for key, one in kept.items() if key in asked}
    return Reconciled(tuple(added), tuple(one for one in there if id(one) not in known))


def in_pieces(span: Span, *, now: datetime) -> list[Span]:
    """The span in pieces no longer than an override lasts, without those that are over."""
    found, starts = [], span.starts_at
    while starts < span.ends_at:
        ends = min(starts + MAX_OVERRIDE, span.ends_at)
        found.append(Span(starts, ends))
        starts = ends
    return [one for one in found if one.ends_at > now]


def next_after_failure(failures: int, *, retry_after: float | None, now: datetime) -> datetime:
    """When it is tried again: later with each failure, and not before whoever refused it asked for."""
    pause = min(EVERY * (1 << min(failures - 1, 8)), MAX_BACKOFF)
    asked = timedelta() if retry_after is None else min(timedelta(seconds=min(retry_after, 1e9)), MAX_PATIENCE)
    return now + max(pause, asked)


def failed(
    calendar: FollowedCalendar,
    problem: FollowProblem,
    detail: str,
    *,
    now: datetime,
    retry_after: float | None = None,
) -> FollowedCalendar:
    """The calendar after a reading that came to nothing: what it said last goes on to count."""
    failures = calendar.failures + 1
    return replace(
        calendar,
        fetched_at=now,
        problem=problem,
        problem_detail=detail[:300],
        problem_since=calendar.problem_since or now,
        failures=failures,
        next_read_at=next_after_failure(failures, retry_after=retry_after, now=now),
    )


def went_well(calendar: FollowedCalendar, *, now: datetime) -> FollowedCalendar:
    """The calendar after it was read, or had not changed."""
    return replace(
        calendar,
        fetched_at=now,
        read_at=now,
        problem=None,
        problem_detail="",
        problem_since=None,
        failures=0,
        next_read_at=now + EVERY,
    )


def _key(user_id: UUID, span: Span, now: datetime) -> tuple[UUID, datetime, datetime]:
    return user_id, max(span.starts_at, now), span.ends_at
