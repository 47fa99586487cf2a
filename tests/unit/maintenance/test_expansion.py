"""Does a rule occur when RFC 5545 says so? Held against python-dateutil, which reads the same text."""
# ruff: noqa: DTZ001 - what a clock shows has no zone

from datetime import datetime, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from domain.errors import InvalidInput
from domain.maintenance.expansion import occur
from domain.maintenance.rule import MAX_RULE, parse_rule

BERLIN = ZoneInfo("Europe/Berlin")
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def _some(values: st.SearchStrategy[object]) -> st.SearchStrategy[str]:
    return st.lists(values, min_size=1, max_size=3, unique=True).map(lambda found: ",".join(map(str, found)))


def _signed(highest: int) -> st.SearchStrategy[int]:
    return st.integers(1, highest) | st.integers(-highest, -1)


@st.composite
def rules(draw: st.DrawFn) -> str:  # noqa: C901 - one line a part of the rule
    """An RRULE of every kind that is taken. In a week dateutil picks (BYSETPOS) from what is left of the first one."""
    frequency = draw(st.sampled_from(["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY"]))
    parts = [f"FREQ={frequency}"]
    if draw(st.booleans()):
        parts.append(f"INTERVAL={draw(st.integers(1, 5))}")
    if draw(st.booleans()):
        parts.append(f"BYMONTH={draw(_some(st.integers(1, 12)))}")
    day_part = draw(st.sampled_from(["", "BYDAY", "BYNDAY", "BYMONTHDAY", "BYYEARDAY"]))
    if day_part == "BYDAY":
        parts.append(f"BYDAY={draw(_some(st.sampled_from(_DAYS)))}")
    elif day_part == "BYNDAY" and frequency in {"YEARLY", "MONTHLY"}:
        numbered = st.tuples(_signed(5), st.sampled_from(_DAYS)).map(lambda one: f"{one[0]}{one[1]}")
        parts.append(f"BYDAY={draw(_some(numbered))}")
    elif day_part == "BYMONTHDAY" and frequency != "WEEKLY":
        parts.append(f"BYMONTHDAY={draw(_some(_signed(31)))}")
    elif day_part == "BYYEARDAY" and frequency == "YEARLY":
        parts.append(f"BYYEARDAY={draw(_some(_signed(366)))}")
    if draw(st.booleans()):
        parts.append(f"BYHOUR={draw(_some(st.integers(0, 23)))}")
    if draw(st.booleans()):
        parts.append(f"BYMINUTE={draw(_some(st.integers(0, 59)))}")
    if (
        len(parts) > 2
        and frequency not in {"HOURLY", "WEEKLY"}
        and any("BY" in part for part in parts)
        and draw(st.booleans())
    ):
        parts.append(f"BYSETPOS={draw(_some(_signed(3)))}")
    if draw(st.booleans()):
        parts.append(f"WKST={draw(st.sampled_from(_DAYS))}")
    end = draw(st.sampled_from(["", "COUNT", "UNTIL"]))
    if end == "COUNT":
        parts.append(f"COUNT={draw(st.integers(1, 40))}")
    elif end == "UNTIL":
        parts.append(f"UNTIL={draw(st.datetimes(datetime(2026, 1, 1), datetime(2031, 1, 1))):%Y%m%dT%H%M%S}")
    return ";".join(parts)


@settings(max_examples=150, deadline=None)
@given(
    text=rules(),
    start=st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31)).map(
        lambda at: at.replace(second=0, microsecond=0)
    ),
    later=st.integers(0, 1_000),
)
def test_a_rule_occurs_when_dateutil_says(text: str, start: datetime, later: int) -> None:
    since = start + timedelta(days=later, hours=later % 24)
    until = since + timedelta(days=500)
    found = list(occur(parse_rule(text, BERLIN), start, since=since, until=until))
    # Only what occurs within sight can be asked of dateutil: what never does, it looks for until the year 9999.
    wide = islice(occur(parse_rule(text, BERLIN), start, since=start, until=start + timedelta(days=4_000)), 1)
    assume(next(wide, None) is not None)
    bounded = text if "UNTIL" in text or "COUNT" in text else f"{text};UNTIL={until:%Y%m%dT%H%M%S}"
    try:
        oracle = rrulestr(bounded, dtstart=start)
        expected = [at for at in takewhile(lambda at: at < until, oracle) if at >= since]
    except ValueError as error:  # an hour that no interval reaches
        assert "Invalid combination of interval" in str(error)  # noqa: PT017
        expected = []
    assert found == expected


def test_what_never_occurs_is_known_at_once() -> None:
    start = datetime(2026, 1, 5, 2)
    for text in (
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;INTERVAL=7;BYDAY=TU",
        "FREQ=MONTHLY;INTERVAL=12;BYMONTH=3",
        "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=9",
        "FREQ=HOURLY;INTERVAL=24;BYHOUR=3",
        "FREQ=YEARLY;UNTIL=20250101",
    ):
        looked = occur(parse_rule(text, BERLIN), start, since=start, until=start + timedelta(days=3_660))
        assert next(looked, None) is None, text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no part of a recurrence"),
        ("every monday", "no part of a recurrence"),
        ("BYDAY=MO", "FREQ is missing"),
        ("FREQ=SECONDLY", "begins too often"),
        ("FREQ=MINUTELY;INTERVAL=30", "begins too often"),
        ("FREQ=FORTNIGHTLY", "one of YEARLY"),
        ("FREQ=DAILY;FREQ=DAILY", "given twice"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL is a number from 1"),
        ("FREQ=DAILY;INTERVAL=99999999", "INTERVAL is a number from 1"),
        ("FREQ=DAILY;COUNT=-1", "COUNT is a number"),
        ("FREQ=DAILY;COUNT=3;UNTIL=20270101", "not both"),
        ("FREQ=DAILY;UNTIL=2027-01-01", "UNTIL is a day"),
        ("FREQ=DAILY;UNTIL=20270230", "UNTIL is a day"),
        ("FREQ=DAILY;UNTIL=99991231", "UNTIL is a day"),
        ("FREQ=DAILY;UNTIL=00010101T000000Z", "UNTIL is a day"),
        ("FREQ=WEEKLY;BYDAY=2TU", "goes with FREQ=MONTHLY"),
        ("FREQ=MONTHLY;BYDAY=0TU", "BYDAY takes days"),
        ("FREQ=MONTHLY;BYDAY=99TU", "BYDAY takes days"),
        ("FREQ=MONTHLY;BYDAY=XX", "BYDAY takes days"),
        ("FREQ=WEEKLY;BYMONTHDAY=3", "take FREQ=MONTHLY"),
        ("FREQ=MONTHLY;BYMONTHDAY=32", "BYMONTHDAY takes numbers from 1 to 31"),
        ("FREQ=YEARLY;BYMONTH=13", "BYMONTH takes numbers"),
        ("FREQ=YEARLY;BYMONTH=-1", "BYMONTH takes numbers"),
        ("FREQ=MONTHLY;BYYEARDAY=3", "goes with FREQ=YEARLY"),
        ("FREQ=DAILY;BYHOUR=24", "BYHOUR takes numbers"),
        ("FREQ=DAILY;BYSECOND=3", "on the minute"),
        ("FREQ=YEARLY;BYWEEKNO=3", "name months"),
        ("FREQ=DAILY;BYEASTER=0", "there are FREQ"),
        ("FREQ=DAILY;EXDATE=20260101", "exceptions"),
        ("FREQ=DAILY;BYSETPOS=1", "picks from"),
        ("FREQ=HOURLY;BYMINUTE=1,2;BYSETPOS=1", "does not go with"),
        (f"FREQ=DAILY;BYHOUR=1,2;BYMINUTE={','.join(map(str, range(25)))}", "at most 48 times"),
        ("FREQ=DAILY;WKST=XX", "WKST is one of"),
        ("FREQ=DAILY;BYHOUR=" + "1," * MAX_RULE, "may have 500 characters"),
        ("FREQ=DAILY;BYHOUR=٣", "BYHOUR takes numbers"),
    ],
)
def test_what_no_recurrence_can_be_is_refused_with_what_would_be_right(text: str, said: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_rule(text, BERLIN)
    assert said in caught.value.message
    assert tuple(caught.value.path) == ("recurrence",)


@given(
    text=st.text(max_size=60)
    | st.lists(st.sampled_from(["FREQ", "BYDAY", "COUNT", "UNTIL", "=", ";", ",", "-1", "MO", "DAILY", "99", "Z", "²"]))
    .map("".join)
)  # fmt: skip
def test_whatever_is_sent_is_read_or_refused(text: str) -> None:
    try:
        rule = parse_rule(text, BERLIN)
    except InvalidInput:
        return
    start = datetime(2026, 1, 1, 2, 30)
    assert all(at >= start for at in islice(occur(rule, start, since=start, until=start + timedelta(days=30)), 5))


def test_an_end_is_read_on_the_zones_clock() -> None:
    assert parse_rule("FREQ=DAILY;UNTIL=20260701T120000Z", BERLIN).until == datetime(2026, 7, 1, 14)
    assert parse_rule("FREQ=DAILY;UNTIL=20260701T120000", BERLIN).until == datetime(2026, 7, 1, 12)
    assert parse_rule("rrule:freq=daily;until=20260701;", BERLIN).until == datetime(2026, 7, 1, 23, 59, 59, 999999)
