"""How are shifts written as a calendar? As RFC 5545 has it, all times in UTC, and the same bytes for the same shifts.

UTC needs no VTIMEZONE and is right in every programme; whoever reads shows it in their own zone. Nothing in it tells
when it was made: a programme that asks with `If-None-Match` is answered with 304 until a shift changes.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, timedelta
from uuid import UUID

from icalendar import Calendar, Event, vDuration

from domain.identity.model import User
from domain.schedules.published import PublishedShift

# How often a programme that asks may look.
REFRESH = timedelta(minutes=15)


def calendar_text(name: str, shifts: Sequence[PublishedShift], people: Mapping[UUID, User]) -> bytes:
    """The whole calendar."""
    calendar = Calendar()
    calendar.add("prodid", "-//Tocsin//On-call shifts//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", name)
    calendar.add("refresh-interval", REFRESH, parameters={"value": "DURATION"})
    calendar.add("x-published-ttl", vDuration(REFRESH))
    for shift in shifts:
        calendar.add_component(_event(shift, people))
    body: bytes = calendar.to_ical()
    return body


def _event(one: PublishedShift, people: Mapping[UUID, User]) -> Event:
    person = people.get(one.shift.user_id)
    event = Event()
    event.add("uid", one.uid)
    event.add("dtstamp", one.changed_at.astimezone(UTC))
    event.add("last-modified", one.changed_at.astimezone(UTC))
    event.add("dtstart", one.shift.starts_at.astimezone(UTC))
    event.add("dtend", one.shift.ends_at.astimezone(UTC))
    event.add("summary", f"{'somebody' if person is None else person.name} is on call: {one.schedule.name}")
    lines = [f"Schedule: {one.schedule.name}"]
    if one.shift.override_id is not None:
        lines.append("Covers the shift of somebody else" + (f": {one.reason}" if one.reason else ""))
    event.add("description", "\n".join(lines))
    # Being on call leaves time for other things.
    event.add("transp", "TRANSPARENT")
    return event
