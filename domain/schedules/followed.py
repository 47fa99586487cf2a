"""How does a schedule follow a calendar kept elsewhere? It is read again and again, and its times become overrides.

What appears in the calendar counts, what disappears ends, and what people made by hand stays on top: the overrides of a
calendar count as made when it began to be followed. A reading that fails changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol, TypeAlias
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

from domain.desk import Desk
from domain.errors import InvalidInput, NotFound
from domain.ids import new_id
from domain.schedules.actions import end_override, managed_schedule
from domain.schedules.drafts import MAX_OVERRIDE
from domain.schedules.imports import CalendarMeaning, checked_cover
from domain.schedules.model import Override, Schedule, Span
from domain.schedules.ports import Schedules

NO_SUCH = "no such followed calendar"
MAX_FOLLOWED = 20
MAX_ADDRESS = 2_000
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


class Follows(Schedules, Protocol):
    """The store of followed calendars, within one transaction."""

    async def add_followed(self, calendar: FollowedCalendar, address: str) -> None:
        """Write a new one, its address sealed."""
        ...

    async def locked_followed(self, calendar_id: UUID) -> FollowedCalendar | None:
        """The calendar, locked until the transaction ends; None for one that is not followed any more."""
        ...

    async def end_followed(self, calendar_id: UUID, *, ended_at: datetime) -> None:
        """Follow it no more, and forget its address."""
        ...

    async def followed_by(self, schedule_id: UUID) -> int:
        """How many the schedule follows."""
        ...

    async def overrides_of_calendar(self, calendar_id: UUID, *, after: datetime) -> Sequence[Override]:
        """Its overrides that are not over by then."""
        ...


FollowDesk: TypeAlias = Desk[Follows]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFollow:
    """Whose calendar is to be followed, where it is and what it says."""

    schedule_id: UUID
    address: str
    user_id: UUID
    meaning: CalendarMeaning
    cover_id: UUID | None = None


def checked_address(given: str) -> str:
    """The address to ask at; `webcal:` is what programmes write for one they subscribe to."""
    text = given.strip()
    wrong = InvalidInput(
        "must be an address that begins with https:// and names a host, without a user and password", ("url",)
    )
    try:
        parts = urlsplit(text)
        if parts.scheme == "webcal":
            parts = parts._replace(scheme="https")
        is_good = parts.scheme == "https" and bool(parts.hostname) and parts.username is None and parts.port != 0
    except ValueError:
        raise wrong from None
    if not is_good or not text.isprintable() or " " in text:
        raise wrong
    if len(text) > MAX_ADDRESS:
        raise InvalidInput(f"an address has at most {MAX_ADDRESS} characters", ("url",))
    return urlunsplit(parts._replace(fragment=""))


async def follow_calendar(asked: NewFollow, *, desk: FollowDesk) -> FollowedCalendar:
    """Follow it from now on; it is read within a minute."""
    schedule = await managed_schedule(asked.schedule_id, desk, "scheduleId")
    address = checked_address(asked.address)
    await _check_people(asked, desk)
    if await desk.stores.followed_by(schedule.id) >= MAX_FOLLOWED:
        raise InvalidInput(f"a schedule follows at most {MAX_FOLLOWED} calendars", ("scheduleId",))
    calendar = FollowedCalendar(
        id=new_id(),
        schedule_id=schedule.id,
        user_id=asked.user_id,
        meaning=asked.meaning,
        cover_id=asked.cover_id,
        host=urlsplit(address).hostname or "",
        created_at=desk.now,
        created_by=desk.viewer.person_id,
        next_read_at=desk.now,
    )
    await desk.stores.add_followed(calendar, address)
    await desk.audit(target_id=schedule.id, after=shown_followed(calendar))
    return calendar


async def unfollow_calendar(calendar_id: UUID, *, desk: FollowDesk) -> Schedule:
    """Follow it no more: what it put on call ends now or never begins, and its address is forgotten."""
    found = await desk.stores.locked_followed(calendar_id)
    if found is None:
        raise NotFound(NO_SUCH, ("id",))
    schedule = await desk.stores.locked(found.schedule_id, sight=desk.viewer.sight)
    if schedule is None:
        raise NotFound(NO_SUCH, ("id",))
    desk.require_manager(schedule.team_id)
    for override in await desk.stores.overrides_of_calendar(found.id, after=desk.now):
        await end_override(override, stores=desk.stores, now=desk.now)
    await desk.stores.end_followed(found.id, ended_at=desk.now)
    await desk.audit(target_id=schedule.id, before=shown_followed(found))
    return schedule


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


def shown_followed(calendar: FollowedCalendar) -> dict[str, Any]:
    """What the audit log keeps of it: never its address."""
    return {
        "calendarId": str(calendar.id),
        "userId": str(calendar.user_id),
        "coverId": None if calendar.cover_id is None else str(calendar.cover_id),
        "meaning": calendar.meaning.value,
        "host": calendar.host,
    }


def _key(user_id: UUID, span: Span, now: datetime) -> tuple[UUID, datetime, datetime]:
    return user_id, max(span.starts_at, now), span.ends_at


async def _check_people(asked: NewFollow, desk: FollowDesk) -> None:
    if asked.meaning is CalendarMeaning.AWAY:
        checked_cover(asked.user_id, asked.cover_id)
    elif asked.cover_id is not None:
        raise InvalidInput("nobody covers for who is on call: leave it out", ("coverId",))
    for user_id, name in ((asked.user_id, "userId"), (asked.cover_id, "coverId")):
        if user_id is not None and await desk.stores.missing_people({user_id}):
            raise InvalidInput("no such active person", (name,))
