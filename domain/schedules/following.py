"""Who makes a schedule follow a calendar kept elsewhere, or ends it? Its managers, with the calendar's https address.

What a calendar says from then on: domain/schedules/followed.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeAlias
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

from domain.desk import Desk
from domain.errors import InvalidInput, NotFound
from domain.ids import new_id
from domain.schedules.actions import end_override, managed_schedule
from domain.schedules.followed import FollowedCalendar
from domain.schedules.imports import CalendarMeaning, checked_cover
from domain.schedules.model import Override, Schedule
from domain.schedules.ports import Schedules

NO_SUCH = "no such followed calendar"
MAX_FOLLOWED = 20
MAX_ADDRESS = 2_000


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


def shown_followed(calendar: FollowedCalendar) -> dict[str, Any]:
    """What the audit log keeps of it: never its address."""
    return {
        "calendarId": str(calendar.id),
        "userId": str(calendar.user_id),
        "coverId": None if calendar.cover_id is None else str(calendar.cover_id),
        "meaning": calendar.meaning.value,
        "host": calendar.host,
    }


async def _check_people(asked: NewFollow, desk: FollowDesk) -> None:
    if asked.meaning is CalendarMeaning.AWAY:
        checked_cover(asked.user_id, asked.cover_id)
    elif asked.cover_id is not None:
        raise InvalidInput("nobody covers for who is on call: leave it out", ("coverId",))
    for user_id, name in ((asked.user_id, "userId"), (asked.cover_id, "coverId")):
        if user_id is not None and await desk.stores.missing_people({user_id}):
            raise InvalidInput("no such active person", (name,))
