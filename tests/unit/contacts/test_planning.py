"""By what is a person told, when, and what waits for the morning? (N2, N3)."""

from datetime import UTC, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.alerts.model import Severity
from domain.contacts.model import ContactKind
from domain.contacts.planning import PersonalRule, Preferences, QuietHours, RuleStep, Way, plan, quiet_until

ACCOUNT, PHONE, SECOND = (Way(UUID(int=number), kind) for number, kind in enumerate(
    (ContactKind.EMAIL, ContactKind.SMS, ContactKind.EMAIL), start=1
))  # fmt: skip
WAYS = (ACCOUNT, PHONE, SECOND)
NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
NIGHT = QuietHours(starts=time(22), ends=time(7), zone="Europe/Berlin", floor=Severity.HIGH)
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Chatham")
SEVERITIES = st.sampled_from(list(Severity))
TIMES = st.times().map(lambda at: at.replace(second=0, microsecond=0))
MINUTES = 2 * 365 * 24 * 60
MOMENTS = st.integers(0, MINUTES).map(lambda number: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=number))


def minutes(number: int) -> timedelta:
    return timedelta(minutes=number)


def rule(*steps: tuple[Way, int], of: frozenset[Severity] = frozenset(Severity)) -> PersonalRule:
    return PersonalRule(of, tuple(RuleStep(way.method_id, minutes(delay)) for way, delay in steps))


def test_without_a_rule_what_is_urgent_comes_by_everything_and_the_rest_by_mail() -> None:
    for severity, ways in (
        (Severity.CRITICAL, WAYS),
        (Severity.HIGH, WAYS),
        (Severity.MEDIUM, WAYS[:1]),
        (Severity.LOW, WAYS[:1]),
    ):
        found = plan(WAYS, Preferences(), severity=severity, now=NOON)
        assert [one.way for one in found] == list(ways), severity
        assert all(one.at == NOON and one.held is None for one in found)


def test_the_first_rule_for_the_severity_counts_with_what_is_usable() -> None:
    gone = Way(UUID(int=9), ContactKind.SMS)
    wanted = Preferences(
        rules=(
            rule((PHONE, 0), (gone, 1), (ACCOUNT, 5), (PHONE, 10), of=frozenset({Severity.CRITICAL})),
            rule((SECOND, 0)),
        )
    )
    found = plan(WAYS, wanted, severity=Severity.CRITICAL, now=NOON)
    assert [(one.way, one.rule_step, one.at - NOON) for one in found] == [
        (PHONE, 0, minutes(0)),
        (ACCOUNT, 2, minutes(5)),
        (PHONE, 3, minutes(10)),
    ]
    assert [one.way for one in plan(WAYS, wanted, severity=Severity.LOW, now=NOON)] == [SECOND]


def test_a_rule_of_which_nothing_is_left_leaves_the_account() -> None:
    (one,) = plan((ACCOUNT,), Preferences(rules=(rule((PHONE, 5)),)), severity=Severity.CRITICAL, now=NOON)
    assert (one.way, one.at) == (ACCOUNT, NOON)
    assert one.because == "no contact method of your rule can be used"


@pytest.mark.parametrize(
    ("local", "until"),
    [
        ("2026-03-10T21:59", None),
        ("2026-03-10T22:00", "2026-03-11T07:00"),
        ("2026-03-11T06:59", "2026-03-11T07:00"),
        ("2026-03-11T07:00", None),
        ("2026-03-28T23:00", "2026-03-29T07:00"),  # the night that is an hour shorter
        ("2026-10-24T23:00", "2026-10-25T07:00"),  # … and longer
    ],
)
def test_the_night_by_the_clock_of_the_zone(local: str, until: str | None) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    at = datetime.fromisoformat(local).replace(tzinfo=berlin).astimezone(UTC)
    expected = None if until is None else datetime.fromisoformat(until).replace(tzinfo=berlin)
    assert quiet_until(NIGHT, Severity.MEDIUM, at) == expected
    assert quiet_until(NIGHT, Severity.HIGH, at) is None
    assert quiet_until(None, Severity.LOW, at) is None


def test_what_is_held_says_so_and_comes_once_a_method() -> None:
    wanted = Preferences(rules=(rule((PHONE, 0), (PHONE, 5), (ACCOUNT, 10)),), quiet_hours=NIGHT)
    at = datetime(2026, 3, 10, 23, 0, tzinfo=UTC)
    found = plan(WAYS, wanted, severity=Severity.MEDIUM, now=at)
    assert [(one.way, one.at) for one in found] == [
        (PHONE, datetime(2026, 3, 11, 6, 0, tzinfo=UTC)),
        (ACCOUNT, datetime(2026, 3, 11, 6, 0, tzinfo=UTC)),
    ]
    assert {one.held for one in found} == {"held by quiet hours until 07:00 Europe/Berlin: medium is below high"}
    assert [one.held for one in plan(WAYS, wanted, severity=Severity.HIGH, now=at)] == [None] * 3


@settings(deadline=None)
@given(starts=TIMES, ends=TIMES, zone=st.sampled_from(ZONES), floor=SEVERITIES, severity=SEVERITIES, at=MOMENTS)
def test_quiet_hours_end_within_a_day_and_are_over_then(
    starts: time, ends: time, zone: str, floor: Severity, severity: Severity, at: datetime
) -> None:
    if starts == ends:
        return
    quiet = QuietHours(starts=starts, ends=ends, zone=zone, floor=floor)
    until = quiet_until(quiet, severity, at)
    if until is not None:
        assert at < until <= at + timedelta(hours=25)
        order = [Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL]
        assert order.index(severity) < order.index(floor)


_STEPS = st.lists(st.tuples(st.sampled_from(WAYS), st.integers(0, 720)), min_size=1, max_size=6)


@settings(deadline=None)
@given(
    usable=st.sets(st.sampled_from(WAYS[1:])),
    steps=st.lists(st.tuples(_STEPS, st.frozensets(SEVERITIES, min_size=1)), max_size=3),
    quiet=st.sampled_from([None, NIGHT]),
    severity=SEVERITIES,
    at=MOMENTS,
)
def test_somebody_who_is_paged_is_always_told_by_something_usable(
    usable: set[Way],
    steps: list[tuple[list[tuple[Way, int]], frozenset[Severity]]],
    quiet: QuietHours | None,
    severity: Severity,
    at: datetime,
) -> None:
    ways = [ACCOUNT, *sorted(usable, key=lambda way: way.method_id)]
    wanted = Preferences(rules=tuple(rule(*one, of=severities) for one, severities in steps), quiet_hours=quiet)
    found = plan(ways, wanted, severity=severity, now=at)
    assert found
    assert all(one.way in ways and one.at >= at for one in found)
    assert len({(one.way, one.rule_step) for one in found}) == len(found), "one row each"
    assert all(one.held is None for one in found) or severity in {Severity.LOW, Severity.MEDIUM}
