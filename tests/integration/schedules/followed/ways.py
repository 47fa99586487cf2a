"""What does a test of followed calendars do again and again? Follow one, have it read, look what came of it."""

from datetime import datetime, timedelta
from typing import Any

from jobs.calendars import read_calendars
from tests.api import Api, Person
from tests.calendar_double import Served
from tests.integration.schedules.test_schedules import HOUR

QUARTER = timedelta(minutes=15)
DAY = timedelta(days=1)
SECRET_PART = "private-0123456789abcdef"
STATE = """query($id: ID!) { schedule(id: $id) {
  followedCalendars { id host user { id } cover { id } meaning lastFetchedAt lastReadAt lastChangedAt nextFetchAt
    problem problemDetail problemSince isStale usedCount unusedCount unusedEvents { reason event detail startsAt } }
  overrides { id user { id } startsAt endsAt reason calendarId } } }"""


async def follow(api: Api, who: Person, schedule_id: str, server: Served, person: Person, **more: object) -> str:
    """The schedule follows the person's calendar; by which id."""
    what = {"scheduleId": schedule_id, "url": f"{server.url}/{SECRET_PART}/basic.ics", "meaning": "ON_CALL"}
    answer = await api.change("followCalendar", {**what, "userId": str(person.id), **more}, "calendarId", who=who)
    assert answer["__typename"] == "FollowCalendarSuccess", answer
    return str(answer["calendarId"])


async def read(api: Api, later: timedelta = timedelta(), **more: float) -> int:
    """Time passes and calendars that are due are read; how many."""
    api.clock.ahead += later
    return await read_calendars(api.engine, api.settings, api.clock.now(), **more)


async def state(api: Api, who: Person, schedule_id: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """How the reading went, and the overrides it came to."""
    found = (await api.data(STATE, {"id": schedule_id}, who=who))["schedule"]
    (calendar,) = found["followedCalendars"]
    return calendar, found["overrides"]


def times(overrides: list[dict[str, Any]]) -> list[tuple[datetime, datetime]]:
    """From when to when they are."""
    return [(datetime.fromisoformat(one["startsAt"]), datetime.fromisoformat(one["endsAt"])) for one in overrides]


def hour(api: Api, ahead: int, *, lasts: int = 1) -> tuple[datetime, datetime]:
    """A whole hour to come, or several."""
    start = api.clock.now().replace(minute=0, second=0, microsecond=0) + ahead * HOUR
    return start, start + lasts * HOUR
