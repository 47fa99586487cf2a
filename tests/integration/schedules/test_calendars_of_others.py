"""Do other programmes read our calendars as they are meant, and do we read theirs? By ical.js and ical-generator (N3).

ical.js is what Thunderbird reads calendars with. Node.js has a time-zone database of its own, so what its clock shows
is no echo of ours.
"""

import asyncio
import json
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar

from domain.identity.model import Role
from domain.schedules.imports import import_span
from persistence.calendar_reading import read_calendar
from tests.api import Api
from tests.integration.schedules.test_schedules import create, final, layer
from tests.services.node import node_environment, node_path, npm_project

CALENDARS = Path(__file__).resolve().parents[2] / "calendars"
BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 3, 1, tzinfo=UTC)
SPAN = import_span(NOW)
# As Outlook writes the zone it calls so: https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-oxcical
OUTLOOK_ZONE = """BEGIN:VTIMEZONE
TZID:W. Europe Standard Time
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE
"""
OUTLOOK = "W. Europe Standard Time"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return npm_project(CALENDARS, tmp_path_factory.mktemp("npm") / "calendars")


async def node(project: Path, script: str, *arguments: str, given: str = "", zone: str = "UTC") -> str:
    """What a script prints."""
    process = await asyncio.create_subprocess_exec(
        str(node_path()), script, *arguments, cwd=project, env={**node_environment(), "TZ": zone},
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(60):
        said, trouble = await process.communicate(given.encode())
    assert process.returncode == 0, trouble.decode()
    return said.decode()


async def read_by_others(project: Path, text: str, since: datetime, until: datetime) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(
        await node(project, "read.mjs", since.isoformat(), until.isoformat(), given=text)
    )
    return found


def moment(text: str) -> datetime:
    """A moment; of a day or a time without a zone, by the clock of Berlin."""
    value = datetime.fromisoformat(text) if "T" in text else datetime.combine(date.fromisoformat(text), time(0))
    return (value if value.tzinfo else value.replace(tzinfo=BERLIN)).astimezone(UTC)


async def agree(project: Path, text: str) -> list[tuple[datetime, datetime]]:
    """Ours and theirs read the same times; which."""
    ours = sorted((one.span.starts_at, one.span.ends_at) for one in read_calendar(text, where=BERLIN, span=SPAN))
    theirs = await read_by_others(project, text, SPAN.starts_at, SPAN.ends_at)
    assert ours == sorted((moment(one["start"]), moment(one["end"])) for one in theirs)
    return ours


async def test_another_programme_reads_the_same_shifts_at_the_right_hour(api: Api, project: Path) -> None:
    manager = await api.person(Role.MANAGER)
    people = [await api.person(Role.OPERATOR) for _ in range(2)]
    made = await create(api, manager, layer(*people, startsAt="2026-01-05T09:00", unit="DAY"), timeZone="Europe/Berlin")
    feed = await api.change("createCalendarFeed", {"scheduleId": made["id"]}, "url", who=people[0])
    got = await api.http.get(feed["url"][feed["url"].index("/calendars") :])
    now = api.clock.now()
    read = await read_by_others(project, got.text, now, now + timedelta(days=170))
    found = await final(api, manager, made["id"], now, now + timedelta(days=90))
    wanted = [(moment(one["startsAt"]), moment(one["endsAt"])) for one in found["shifts"]][1:-1]
    theirs = {(moment(one["start"]), moment(one["end"])) for one in read}
    assert len(wanted) > 80
    assert set(wanted) <= theirs
    by_icalendar = {str(one["UID"]) for one in Calendar.from_ical(got.content).walk("VEVENT")}
    assert {one["uid"] for one in read} <= by_icalendar
    assert len({one["uid"] for one in read}) == len(read), "no two shifts have one name"
    # Half a year holds a change of the clock: nine stays nine by the time zones of Node.js.
    assert {one["berlin"] for one in read if moment(one["start"]) > now} == {"09:00"}
    lengths = {moment(one["end"]) - moment(one["start"]) for one in read}
    assert lengths & {timedelta(hours=23), timedelta(hours=25)}, "the day the clock changes is another length"


async def test_a_calendar_of_another_generator_is_read(project: Path) -> None:
    """`TZID` of a zone that everybody knows, and no VTIMEZONE: as most generators write."""
    text = await node(project, "write.mjs", zone="Europe/Berlin")
    assert ("EXDATE" in text, "STATUS:CANCELLED" in text, "VTIMEZONE" in text) == (True, True, False)
    ours = sorted((one.name, one.span.starts_at) for one in read_calendar(text, where=BERLIN, span=SPAN))
    nights = [at for name, at in ours if name == "Nights"]
    # Nine in the evening, also when the clock went forward on the 29th; the 27th is left out.
    assert nights == [
        datetime(2026, 3, day, 21, tzinfo=BERLIN).astimezone(UTC) for day in (23, 24, 25, 26, 28, 29, 30, 31)
    ] + [datetime(2026, 4, 1, 21, tzinfo=BERLIN).astimezone(UTC)]
    assert [one for one in ours if one[0] != "Nights"] == [
        ("Holiday", datetime(2026, 4, 6, tzinfo=BERLIN).astimezone(UTC)),
        ("Plain", datetime(2026, 4, 1, 8, tzinfo=UTC)),
    ]


def calendar(*events: str, zones: str = "") -> str:
    bodies = "".join(f"BEGIN:VEVENT\nUID:{number}\n{event}\nEND:VEVENT\n" for number, event in enumerate(events))
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n{zones}{bodies}END:VCALENDAR\n".replace("\n", "\r\n")


@pytest.mark.parametrize(
    ("events", "count"),
    [
        pytest.param(
            [(f"DTSTART;TZID={OUTLOOK}:20260323T220000\nDTEND;TZID={OUTLOOK}:20260324T060000\n"
             f"RRULE:FREQ=DAILY;COUNT=10\nEXDATE;TZID={OUTLOOK}:20260327T220000")],
            9, id="nights over the change of the clock, one left out",
        ),
        pytest.param(
            [(f"DTSTART;TZID={OUTLOOK}:20260302T080000\nDTEND;TZID={OUTLOOK}:20260302T170000\n"
             "RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;UNTIL=20260501T000000Z;WKST=MO")],
            10, id="every other week",
        ),
        pytest.param(
            [(f"DTSTART;TZID={OUTLOOK}:20260306T170000\nDTEND;TZID={OUTLOOK}:20260309T080000\n"
             "RRULE:FREQ=MONTHLY;BYDAY=1FR;COUNT=4")],
            4, id="the first week-end of a month",
        ),
        pytest.param(["DTSTART;VALUE=DATE:20260328\nDTEND;VALUE=DATE:20260330"], 1, id="two whole days"),
        pytest.param(
            ["DTSTART;VALUE=DATE:20260328\nDTEND;VALUE=DATE:20260329\nRRULE:FREQ=WEEKLY;COUNT=3"],
            3, id="a whole day each week",
        ),
        pytest.param(
            ["STATUS:CANCELLED\nDTSTART:20260310T080000Z\nDTEND:20260310T100000Z",
             "DTSTART:20260311T080000Z\nDTEND:20260311T100000Z\nSTATUS:CONFIRMED"],
            1, id="one of two is cancelled",
        ),
        pytest.param(["DTSTART:20260310T080000\nDURATION:PT3H"], 1, id="of no zone"),
    ],
)  # fmt: skip
async def test_what_outlook_writes_is_read_as_another_reads_it(project: Path, events: list[str], count: int) -> None:
    assert len(await agree(project, calendar(*events, zones=OUTLOOK_ZONE))) == count


async def test_one_occurrence_that_was_moved_and_one_that_was_cancelled(project: Path) -> None:
    at = f"TZID={OUTLOOK}:202603"
    every = f"DTSTART;{at}02T090000\nDTEND;{at}02T100000\nRRULE:FREQ=DAILY;COUNT=5"
    moved = f"RECURRENCE-ID;{at}03T090000\nDTSTART;{at}03T180000\nDTEND;{at}03T190000"
    off = f"RECURRENCE-ID;{at}04T090000\nDTSTART;{at}04T090000\nDTEND;{at}04T100000\nSTATUS:CANCELLED"
    text = calendar(every, moved, off, zones=OUTLOOK_ZONE).replace("UID:1\r", "UID:0\r").replace("UID:2\r", "UID:0\r")
    hours = [f"{starts.astimezone(BERLIN):%d %H}" for starts, _ in await agree(project, text)]
    assert hours == ["02 09", "03 18", "05 09", "06 09"]


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("Eastern Standard Time", "America/New_York"),
        ("India Standard Time", "Asia/Kolkata"),
        ("GMT Standard Time", "Europe/London"),
    ],
)
def test_a_zone_by_the_name_windows_has_for_it_is_known_without_its_rules(name: str, zone: str) -> None:
    event = f"DTSTART;TZID={name}:20260410T090000\nDTEND;TZID={name}:20260410T170000"
    (found,) = read_calendar(calendar(event), where=ZoneInfo("UTC"), span=SPAN)
    assert found.span.starts_at == datetime(2026, 4, 10, 9, tzinfo=ZoneInfo(zone))
