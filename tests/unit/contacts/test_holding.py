"""Until when do quiet hours hold a message: a person's own, those of a team, when the clock is changed? (N3)."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.alerts.model import Severity
from domain.contacts.model import ContactKind
from domain.contacts.pacing import PACES, has_room
from domain.contacts.planning import Preferences, QuietHours, Rest, Way, hold_of, plan, quiet_until, rests_of
from domain.ids import new_id

BERLIN, DAY = "Europe/Berlin", timedelta(days=1)
ZONES = (BERLIN, "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC")
NIGHT = QuietHours(starts=time(22), ends=time(7), zone=BERLIN, floor=Severity.HIGH)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(BERLIN)).astimezone(UTC)


@pytest.mark.parametrize(
    ("asked", "own", "of_team", "until"),
    [
        ("2026-11-26T23:00", NIGHT, None, "2026-11-27T07:00"),
        ("2026-11-26T23:00", None, NIGHT, "2026-11-27T07:00"),
        ("2026-11-26T12:00", NIGHT, NIGHT, None),
        # One begins before the other ends.
        ("2026-11-26T23:00", NIGHT, (time(6), time(9)), "2026-11-27T09:00"),
        ("2026-11-26T23:00", (time(6), time(9)), NIGHT, "2026-11-27T09:00"),
        # Together they cover the day: each holds once, and not for ever.
        ("2026-11-26T23:00", NIGHT, (time(7), time(22)), "2026-11-27T22:00"),
        ("2026-11-26T23:00", NIGHT, (time(6), time(23)), "2026-11-27T23:00"),
        # The clock goes back on 25 October at three: the night is an hour longer. And on, in March.
        ("2026-10-24T23:00", None, NIGHT, "2026-10-25T07:00"),
        ("2026-03-28T23:00", None, NIGHT, "2026-03-29T07:00"),
    ],
    ids=["own", "team", "neither", "one after the other", "the other way", "all day", "overlap", "back", "forward"],
)
def test_each_holds_once(
    asked: str,
    own: QuietHours | tuple[time, time] | None,
    of_team: QuietHours | tuple[time, time] | None,
    until: str | None,
) -> None:
    quiets = [
        QuietHours(starts=one[0], ends=one[1], zone=BERLIN, floor=Severity.HIGH) if isinstance(one, tuple) else one
        for one in (own, of_team)
    ]
    rest = None if quiets[1] is None else Rest(quiets[1], is_of_team=True)
    hold = hold_of(rests_of(Preferences(quiet_hours=quiets[0]), rest), Severity.LOW, at(asked))
    assert (None if hold is None else hold.until) == (None if until is None else at(until))


def test_the_night_is_as_long_as_the_clock_makes_it() -> None:
    rest = (Rest(NIGHT, is_of_team=True),)
    lengths = [
        (hold.until - at(evening)).total_seconds() / 3600
        for evening in ("2026-10-23T22:00", "2026-10-24T22:00", "2026-03-28T22:00")
        if (hold := hold_of(rest, Severity.LOW, at(evening))) is not None
    ]
    assert lengths == [9, 10, 8]


quiet_hours = st.builds(
    QuietHours,
    starts=st.times().map(lambda one: one.replace(microsecond=0, tzinfo=None)),
    ends=st.times().map(lambda one: one.replace(microsecond=0, tzinfo=None)),
    zone=st.sampled_from(ZONES),
    floor=st.sampled_from(Severity),
).filter(lambda quiet: quiet.starts != quiet.ends)


@given(
    own=st.none() | quiet_hours,
    team=st.none() | quiet_hours,
    severity=st.sampled_from(Severity),
    now=st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)).map(lambda one: one.replace(tzinfo=UTC)),  # noqa: DTZ001 - strategies take it so
)
def test_what_is_held_is_let_go_within_two_days_and_nothing_bad_enough_is_held(
    own: QuietHours | None, team: QuietHours | None, severity: Severity, now: datetime
) -> None:
    rests = rests_of(Preferences(quiet_hours=own), None if team is None else Rest(team, is_of_team=True))
    hold = hold_of(rests, severity, now)
    holding = [one for one in rests if quiet_until(one.quiet, severity, now) is not None]
    assert (hold is not None) == bool(holding)
    if hold is None:
        return
    assert now < hold.until <= now + 2 * DAY + timedelta(hours=2)
    assert severity is not Severity.CRITICAL
    assert hold.reason.startswith("held by ")
    # Whoever held it holds it no more; who begins meanwhile has had a turn.
    assert all(quiet_until(one.quiet, severity, now + timedelta(0)) <= hold.until for one in holding)  # type: ignore[operator] # not None


def test_the_team_holds_a_message_once_for_each_method() -> None:
    ann = new_id()
    ways = [Way(ann, ContactKind.EMAIL), Way(new_id(), ContactKind.SMS)]
    found = plan(ways, Preferences(), severity=Severity.MEDIUM, now=at("2026-11-26T23:00"), team=Rest(NIGHT, True))
    assert [(one.way.kind, one.at) for one in found] == [(ContactKind.EMAIL, at("2026-11-27T07:00"))]
    assert found[0].held == "held by the team's quiet hours until 07:00 Europe/Berlin: medium is below high"


@given(
    kind=st.sampled_from(ContactKind),
    minutes=st.lists(st.integers(0, 300), max_size=40),
)
def test_no_window_holds_more_messages_than_its_pace(kind: ContactKind, minutes: list[int]) -> None:
    """Whoever asks before each message sends no more than that in any window."""
    start, sent = datetime(2026, 11, 26, tzinfo=UTC), list[datetime]()
    for minute in sorted(minutes):
        moment = start + timedelta(minutes=minute)
        if has_room(kind, sent, now=moment):
            sent.append(moment)
    for pace in PACES[kind]:
        for moment in sent:
            assert sum(moment - pace.window < other <= moment for other in sent) <= pace.most
