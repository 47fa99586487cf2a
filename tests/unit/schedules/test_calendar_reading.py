"""Is an uploaded calendar read as RFC 5545 says, within bounds, and is what is wrong named by its component?"""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import _iterinfo
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import InvalidInput
from domain.schedules.imports import import_span
from persistence.calendar_reading import MAX_BYTES, read_calendar

NOW = datetime(2026, 3, 1, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
VIENNA = """BEGIN:VTIMEZONE
TZID:Office
BEGIN:DAYLIGHT
DTSTART:19700329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
BEGIN:STANDARD
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
END:VTIMEZONE
"""


def calendar(*events: str, zones: str = "") -> str:
    bodies = "".join(f"BEGIN:VEVENT\n{event.strip()}\nEND:VEVENT\n" for event in events)
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n{zones}{bodies}END:VCALENDAR\n".replace("\n", "\r\n")


def read(*events: str, zones: str = "") -> list[tuple[str, str]]:
    """Each time as two texts in UTC."""
    found = read_calendar(calendar(*events, zones=zones), where=BERLIN, span=import_span(NOW))
    return [(f"{one.span.starts_at:%m-%dT%H:%M}", f"{one.span.ends_at:%m-%dT%H:%M}") for one in found]


@pytest.mark.parametrize(
    ("event", "times"),
    [
        ("DTSTART:20260310T080000Z\nDTEND:20260310T100000Z", [("03-10T08:00", "03-10T10:00")]),
        ("DTSTART:20260310T080000Z\nDURATION:PT90M", [("03-10T08:00", "03-10T09:30")]),
        # Without a zone: the schedule's. A whole day, too.
        ("DTSTART:20260310T080000\nDTEND:20260310T100000", [("03-10T07:00", "03-10T09:00")]),
        ("DTSTART;VALUE=DATE:20260310", [("03-09T23:00", "03-10T23:00")]),
        ("DTSTART;VALUE=DATE:20260328\nDTEND;VALUE=DATE:20260330", [("03-27T23:00", "03-29T22:00")]),
        (
            (
                "DTSTART;TZID=America/New_York:20260307T090000\nDTEND;TZID=America/New_York:20260307T170000\n"
                "RRULE:FREQ=DAILY;COUNT=2"
            ),
            # On 8 March the clock of New York goes forward: nine stays nine.
            [("03-07T14:00", "03-07T22:00"), ("03-08T13:00", "03-08T21:00")],
        ),
        (
            (
                "DTSTART:20260302T080000Z\nDTEND:20260302T090000Z\nRRULE:FREQ=WEEKLY;BYDAY=MO;UNTIL=20260323T080000Z\n"
                "EXDATE:20260309T080000Z\nRDATE:20260311T080000Z"
            ),
            [(f"03-{day}T08:00", f"03-{day}T09:00") for day in ("02", "11", "16", "23")],
        ),
        ("STATUS:CANCELLED\nDTSTART:20260310T080000Z\nDTEND:20260310T100000Z", []),
        ("DTSTART:20250310T080000Z\nDTEND:20250310T100000Z", []),
    ],
    ids=["utc", "duration", "floating", "a day", "two days", "zone", "recurring", "cancelled", "long ago"],
)
def test_times_are_read(event: str, times: list[tuple[str, str]]) -> None:
    assert read(f"UID:1\n{event}") == times


def test_a_zone_of_the_calendars_own_is_used() -> None:
    event = "UID:1\nDTSTART;TZID=Office:20260328T120000\nDTEND;TZID=Office:20260328T130000\nRRULE:FREQ=DAILY;COUNT=2"
    assert read(event, zones=VIENNA) == [("03-28T11:00", "03-28T12:00"), ("03-29T10:00", "03-29T11:00")]


def test_one_occurrence_that_was_moved_takes_the_place_of_its_own() -> None:
    every = "UID:1\nDTSTART:20260302T080000Z\nDTEND:20260302T090000Z\nRRULE:FREQ=DAILY;COUNT=3"
    moved = "UID:1\nRECURRENCE-ID:20260303T080000Z\nDTSTART:20260303T180000Z\nDTEND:20260303T190000Z"
    assert read(every, moved) == [
        ("03-02T08:00", "03-02T09:00"), ("03-04T08:00", "03-04T09:00"), ("03-03T18:00", "03-03T19:00"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("event", "named"),
    [
        ("DTSTART:yesterday", "VEVENT 2 (b): DTSTART"),
        ("DTSTART:20260310T080000Z\nDTEND:20260310T070000Z", "VEVENT 2 (b): it has no length"),
        ("DTSTART:20260310T080000Z", "VEVENT 2 (b): it has no length"),
        ("DTEND:20260310T080000Z", "VEVENT 2 (b)"),
        ("DTSTART:20260310T080000Z\nDTEND:20260310T090000Z\nRRULE:FREQ=SECONDLY", "VEVENT 2 (b): RRULE"),
        ("DTSTART:20260310T080000Z\nDTEND:20260310T090000Z\nRRULE:FREQ=DAILY;BYHOUR=1,2", "VEVENT 2 (b): RRULE"),
        ("DTSTART:20260310T080000Z\nDTEND:20260310T090000Z\nRRULE:FREQ=DAILY;INTERVAL=0", "VEVENT 2 (b): RRULE"),
        ("DTSTART:19000101T080000Z\nDTEND:19000101T090000Z\nRRULE:FREQ=DAILY", "VEVENT 2 (b): RRULE: it began"),
        (
            "RECURRENCE-ID;RANGE=THISANDFUTURE:20260310T080000Z\nDTSTART:20260310T080000Z\nDTEND:20260310T090000Z",
            "VEVENT 2 (b): RECURRENCE-ID",
        ),
        (
            "DTSTART;TZID=Mars/Base:20260310T080000\nDTEND;TZID=Mars/Base:20260310T090000",
            "VEVENT 2 (b): DTSTART: there is no time zone Mars/Base",
        ),
        (
            "DTSTART:20260310T080000Z\nDTEND:20260310T090000Z\nEXDATE;TZID=Mars/Base:20260310T080000",
            "VEVENT 2 (b): EXDATE: there is no time zone Mars/Base",
        ),
    ],
    ids=[
        *("start", "backwards", "no end", "no start", "secondly", "by hour", "interval", "ancient", "range"),
        *("zone", "excluded zone"),
    ],
)
def test_what_is_wrong_is_named(event: str, named: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        read("UID:a\nDTSTART:20260310T080000Z\nDTEND:20260310T090000Z", f"UID:b\n{event}")
    assert named in raised.value.message
    assert raised.value.path == ("calendar",)


@pytest.mark.parametrize(
    "text",
    ["", "hello", "BEGIN:VEVENT\r\nEND:VEVENT\r\n", "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nEND:VCALENDAR\r\n", "\x00"],
    ids=["empty", "prose", "event alone", "unclosed", "null"],
)
def test_what_is_no_calendar_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="no calendar"):
        read_calendar(text, where=BERLIN, span=import_span(NOW))


def test_what_is_too_much_is_refused_before_it_is_worked_out() -> None:
    event = "UID:1\nDTSTART:20260302T080000Z\nDTEND:20260302T090000Z"
    with pytest.raises(InvalidInput, match="200 events"):
        read(*[event] * 201)
    with pytest.raises(InvalidInput, match="1000 times"):
        read(*[f"{event}\nRRULE:FREQ=DAILY"] * 4)
    with pytest.raises(InvalidInput, match="KiB"):
        read_calendar("x" * (MAX_BYTES + 1), where=BERLIN, span=import_span(NOW))
    # Expanded by the library, this zone would be ten thousand million changes of the clock.
    each_second = VIENNA.replace("FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU", "FREQ=SECO\n NDLY")
    with pytest.raises(InvalidInput, match="VTIMEZONE 1"):
        read(event, zones=each_second)
    # A day that never comes.
    assert read(f"{event}\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30") == [("03-02T08:00", "03-02T09:00")]


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MONTHLY;BYMONTH=4;BYMONTHDAY=31",
        "FREQ=WEEKLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;BYDAY=MO;BYSETPOS=2",
    ],
    ids=["yearly", "monthly", "weekly", "daily", "second of one"],
)
def test_what_never_comes_is_not_looked_for_until_the_year_9999(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """OWASP API4:2023: two hundred such events, a few kilobytes, kept a process busy for half an hour."""
    looked, look = [], _iterinfo.rebuild

    def rebuild(self: Any, year: int, month: int) -> None:  # noqa: ANN401 - of a library without types
        looked.append((year, month))
        assert year < 2200, "this goes on for eight thousand years"
        look(self, year, month)

    monkeypatch.setattr(_iterinfo, "rebuild", rebuild)
    assert read(f"UID:1\nDTSTART:20200302T080000Z\nDTEND:20200302T090000Z\nRRULE:{rule}") == []
    assert 1 < len(looked) < 12 * 10


@pytest.mark.parametrize(
    "event",
    [
        "DTSTART:20200302T080000Z\nDURATION:P2900000D\nRRULE:FREQ=DAILY;COUNT=3000",
        "DTSTART;TZID=America/New_York:99991231T230000\nDTEND;TZID=America/New_York:99991231T235959",
        "DTSTART;TZID=Asia/Tokyo:00010101T000000\nDTEND;TZID=Asia/Tokyo:00010101T010000",
        "DTSTART:20260302T080000Z\nDTEND:20260302T090000Z\nRDATE:99991231T235959Z",
        "DTSTART;TZID=America/New_York:20260302T080000\nDURATION:PT1H\nRRULE:FREQ=DAILY;UNTIL=00010101T000000Z",
    ],
    ids=["long", "last", "first", "added", "until"],
)
def test_times_at_the_ends_of_time_are_refused(event: str) -> None:
    """ASVS 5 V16.5.1: what nobody can mean is an answer, not a fault of ours."""
    with pytest.raises(InvalidInput, match="outside of the years"):
        read(f"UID:1\n{event}")


def test_what_comes_seldom_is_found() -> None:
    event = "UID:1\nDTSTART:20200229T080000Z\nDTEND:20200229T090000Z\nRRULE:FREQ="
    assert read(event + "YEARLY;BYMONTH=12;BYMONTHDAY=31") == [("12-31T08:00", "12-31T09:00")]
    assert read(event + "MONTHLY;INTERVAL=6;BYMONTHDAY=-1") == [
        ("08-31T08:00", "08-31T09:00"),
        ("02-28T08:00", "02-28T09:00"),
    ]
    assert read(event + "WEEKLY;INTERVAL=52")[-1] == ("02-20T08:00", "02-20T09:00")


RULE = "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU"
EACH_SECOND = "FREQ=SECONDLY"


@pytest.mark.parametrize(
    "zone",
    [
        VIENNA.replace(RULE, f"RRU\n\n LE:{EACH_SECOND}"),
        VIENNA.replace(RULE, f"RR ULE:{EACH_SECOND}"),
        VIENNA.replace(RULE, f'RRULE;X="a:FREQ=YEARLY;UNTIL=":{EACH_SECOND}'),
        VIENNA.replace(RULE, f"TZNAME:a\x0cEND:VTIMEZONE\nRRULE:{EACH_SECOND}"),
        VIENNA.replace(RULE, f"TZNAME:a\u2028RRULE:{EACH_SECOND}"),
        VIENNA.replace(RULE, f"BEGIN:VALARM\nEND:VTIMEZONE\nRRULE:{EACH_SECOND}"),
        VIENNA.replace(RULE, f"EXRULE:{EACH_SECOND}"),
        VIENNA.replace(RULE, f"RRULE:FREQ=YEARLY;{EACH_SECOND}"),
        VIENNA.replace(RULE, "RRULE:FREQ=YEARLY;INTERVAL=0"),
        VIENNA.replace("BEGIN:VTIMEZONE", "BEGIN;X=1:VTIMEZONE").replace(RULE, f"RRULE:{EACH_SECOND}"),
    ],
    ids=["fold", "space", "quote", "form feed", "separator", "end", "exclude", "twice", "interval", "parameter"],
)
def test_no_way_of_writing_a_zone_lets_it_recur_for_ever(zone: str) -> None:
    """OWASP API4:2023: a calendar of half a kilobyte must not fill the memory, however its zone is written."""
    event = "UID:1\nDTSTART;TZID=Office:20260302T080000\nDTEND;TZID=Office:20260302T090000"
    with pytest.raises(InvalidInput, match="VTIMEZONE 1"):
        read(event, zones=zone)


def test_a_component_nobody_knows_is_refused() -> None:
    """OWASP API4:2023: the library would keep a class for each name, for as long as the process lives."""
    with pytest.raises(InvalidInput, match="X-MADE-UP is no component"):
        read("UID:1\nDTSTART:20260302T080000Z\nDTEND:20260302T090000Z\nBEGIN:X-MADE-UP\nEND:X-MADE-UP")


def test_a_zone_of_one_calendar_says_nothing_in_the_next() -> None:
    """OWASP API8:2023: the library keeps zones by name, and Outlook's names are everybody's."""
    event = "UID:1\nDTSTART;TZID={0}:20260302T080000\nDTEND;TZID={0}:20260302T090000"
    mine = event.format("W. Europe Standard Time")
    named = VIENNA.replace("TZID:Office", "TZID:W. Europe Standard Time")
    far = named.replace("+0100", "+1400").replace("+0200", "+1400")
    assert read(mine, zones=far) == [("03-01T18:00", "03-01T19:00")]
    assert read(mine, zones=named) == [("03-02T07:00", "03-02T08:00")]


LINES = (
    *("BEGIN:VCALENDAR", "END:VCALENDAR", "BEGIN:VEVENT", "END:VEVENT", "UID:1", "DTSTART:20260302T080000Z"),
    *("DTEND:20260302T090000Z", "DTSTART;VALUE=DATE:20260302", "RRULE:FREQ=DAILY", "RRULE:FREQ=WEEKLY;COUNT=x"),
    *("EXDATE:x", "RDATE;VALUE=PERIOD:20260302T080000Z/PT1H", "DURATION:-PT1H", "RECURRENCE-ID:20260302T080000Z"),
    *("BEGIN:VTIMEZONE", "END:VTIMEZONE", "TZID:x", "DTSTART;TZID=x:20260302T080000", "DTSTART:99991231T235959Z"),
    *(" folded", "SUMMARY:ok", "RRULE:FREQ=DAILY;INTERVAL=0", "RRULE:FREQ=MONTHLY;BYSETPOS=9;BYDAY=MO"),
)


@settings(deadline=None)
@given(st.lists(st.sampled_from(LINES), max_size=12))
def test_any_lines_are_read_or_refused(lines: list[str]) -> None:
    text = "\r\n".join(["BEGIN:VCALENDAR", "BEGIN:VEVENT", *lines, "END:VEVENT", "END:VCALENDAR"])
    try:
        found = read_calendar(text, where=BERLIN, span=import_span(NOW))
    except InvalidInput:
        return
    assert all(one.span.starts_at < one.span.ends_at for one in found)
    assert all(one.span.starts_at < NOW + timedelta(days=367) for one in found)
