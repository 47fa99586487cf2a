"""Does the fold mark what flaps and hold what ends by itself, with the reason on record and the key's past kept?"""

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.alerts import edits, lifecycle, turning
from domain.alerts.edits import AlertPatch
from domain.alerts.events import AlertEventKind
from domain.alerts.fold import FoldPolicy
from domain.alerts.model import AlertStatus, ResolvedBy, Severity
from domain.alerts.signal import Outcome
from domain.flapping.pause import NOT_BY_ITSELF, PausePolicy, Pauses
from tests.alert_builder import ANNA, NOON, an_alert
from tests.unit.alerts.signals import FIRING, RESOLVED, Book, at, signal, submission

MARKS = {"flapping_started", "flapping_ended"}
MINUTE = timedelta(minutes=1)
PAUSE = Pauses(everybodys=PausePolicy(length=2 * MINUTE, recoveries=3, episodes=4))


def bounce(book: Book, *seconds: float) -> None:
    """Firing and resolved in turn."""
    for index, second in enumerate(seconds):
        if index % 2:
            book.say(second, RESOLVED, ended_at=at(second))
        else:
            book.say(second, started_at=at(second))


def marks(book: Book) -> list[Any]:
    return [event for event in book.events if event.kind in MARKS]


def test_the_sixth_turn_marks_the_alert_and_says_why() -> None:
    book = Book()
    bounce(book, 0, 60, 120, 180, 240)
    assert marks(book) == []

    book.say(300, RESOLVED, ended_at=at(300))

    (begun,) = marks(book)
    assert (begun.kind, begun.actor.kind, begun.status) == ("flapping_started", "system", AlertStatus.RESOLVED)
    assert begun.data["changes"] == {"flapping_since": [None, at(300).isoformat()]}
    (decision,) = begun.data["decisions"]
    assert decision["reason"] == "it turned 6 times within 30 min; 6 turns begin the mark"
    assert decision["inputs"] == {"turns": 6, "windowSeconds": 1800.0, "start": 6, "stop": 2}
    assert book.kinds()[-2:] == ["resolved", "flapping_started"]
    assert book.alert.version == begun.version == len(book.events)
    assert (book.alert.flapping_since, book.alert.flapping_turns) == (at(300), 6)


def test_repeats_and_late_deliveries_are_no_turns() -> None:
    book = Book()
    bounce(book, 0, 60, 120, 180, 240)
    for second in range(250, 290):
        book.say(second, started_at=at(240))
    book.say(291, started_at=at(0))
    book.say(292, RESOLVED, ended_at=at(60))

    assert book.alert.turns == (at(0), at(60), at(120), at(180), at(240))
    assert marks(book) == []


def test_the_past_is_the_keys_and_not_the_alerts() -> None:
    book = Book(policy=FoldPolicy(reopen_window=timedelta(0)))
    bounce(book, 0, 60, 120, 180, 240)
    assert book.kinds().count("opened") == 3, "each firing opens an alert of its own"

    book.say(300, RESOLVED, ended_at=at(300))

    assert [event.kind for event in marks(book)] == ["flapping_started"]


def test_a_new_alert_of_the_key_carries_the_mark_on() -> None:
    book = Book(policy=FoldPolicy(reopen_window=timedelta(0)))
    bounce(book, 0, 60, 120, 180, 240, 300)
    first = book.alert
    book.say(360, started_at=at(360))

    assert book.alert is not first
    assert (first.flapping_since, book.alert.flapping_since) == (None, at(300))
    told = [(event.alert_id == first.id, event.kind) for event in marks(book)]
    assert told == [(True, "flapping_started"), (True, "flapping_ended"), (False, "flapping_started")]
    assert marks(book)[-1].data["decisions"][0]["inputs"]["turns"] == book.alert.flapping_turns == 7


def test_a_new_alert_after_the_mark_is_over_carries_none() -> None:
    book = Book()
    bounce(book, 0, 60, 120, 180, 240, 300)
    first = book.alert
    book.say(300 + 7200, started_at=at(300 + 7200))

    assert [event.kind for event in marks(book)] == ["flapping_started", "flapping_ended"]
    assert marks(book)[-1].alert_id == first.id
    assert (first.flapping_since, book.alert.flapping_since) == (None, None)


def test_an_expiry_is_a_turn_and_a_persons_close_is_none() -> None:
    book = Book()
    book.say(0, started_at=at(0))
    for alert, by in ((book.alert, ResolvedBy.EXPIRY), (book.alert, ResolvedBy.PERSON)):
        second = 60 * alert.episode
        alert.status, alert.resolved_by, alert.resolved_at = AlertStatus.RESOLVED, by, at(second)
        book.say(second + 1, started_at=at(second + 1))

    assert book.alert.turns == (at(0), at(60), at(61), at(121))
    assert book.alert.past_episodes == (60, NOT_BY_ITSELF)


def test_without_a_policy_nothing_is_marked_and_episodes_are_still_timed() -> None:
    book = Book(policy=FoldPolicy(flapping=None))
    bounce(book, *range(0, 300, 10))

    assert marks(book) == []
    assert book.alert.past_episodes == (10,) * 15
    assert len(book.alert.turns or ()) == 1


def test_an_alert_that_never_turned_keeps_nothing() -> None:
    book = Book()
    book.say(0, started_at=at(0))
    book.say(30, started_at=at(0))

    assert (book.alert.turns, book.alert.past_episodes) == (None, None)


@pytest.mark.parametrize("size", [1, 2, 7])
@settings(deadline=None)
@given(waits=st.lists(st.tuples(st.integers(1, 400), st.booleans()), min_size=1, max_size=60))
def test_how_deliveries_are_batched_changes_nothing(size: int, waits: list[tuple[int, bool]]) -> None:
    """And the mark begins and ends in turn, whatever comes."""
    clock, deliveries = 0, []
    for wait, fires in waits:
        clock += wait
        said = signal(FIRING, started_at=at(clock)) if fires else signal(RESOLVED, ended_at=at(clock))
        deliveries.append(submission(at(clock), said))
    books = []
    for length in (size, len(deliveries)):
        book = Book(policy=FoldPolicy(reopen_window=timedelta(minutes=5)))
        for first in range(0, len(deliveries), length):
            book.post(*deliveries[first : first + length])
        books.append(book)
    told = [[(event.kind, event.occurred_at, event.data) for event in marks(book)] for book in books]

    assert told[0] == told[1]
    # A mark that is carried on ends on one alert and begins on the next: told of as two, in turn as well.
    assert all(one[0] is not two[0] for one, two in pairwise(told[0]))


# -- pauses


def past(book: Book, count: int) -> float:
    """`count` episodes of 30 seconds; the second after them."""
    bounce(book, *[1800 * number + 30 * part for number in range(count) for part in (0, 1)])
    return 1800.0 * count


def test_what_mostly_ends_by_itself_is_held_and_the_evidence_is_on_record() -> None:
    book = Book(policy=FoldPolicy(pause=PAUSE))
    now = past(book, 3)
    assert book.alert.paused_until is None

    book.say(now, started_at=at(now))

    assert book.alert.paused_until == at(now + 120)
    decision = book.events[-1].data["decisions"][-1]
    assert decision["kind"] == "pause"
    assert decision["reason"] == "held for 2 min: it ended by itself within that in 3 of its last 3 episodes"
    assert decision["inputs"] == {"until": at(now + 120).isoformat(), "seconds": 120.0, "recovered": 3, "episodes": 3}


def test_an_end_within_the_pause_ends_the_pause() -> None:
    book = Book(policy=FoldPolicy(pause=PAUSE))
    now = past(book, 3)
    bounce(book, now, now + 30)

    assert book.alert.paused_until is None
    resolved = next(event for event in reversed(book.events) if event.kind is AlertEventKind.RESOLVED)
    assert resolved.data["changes"]["paused_until"] == [at(now + 120).isoformat(), None]


def test_a_new_alert_of_the_key_is_held_by_the_past_of_the_one_before() -> None:
    book = Book(policy=FoldPolicy(pause=PAUSE, reopen_window=timedelta(0)))
    now = past(book, 3)

    assert book.say(now, started_at=at(now)) is Outcome.OPENED
    assert book.alert.paused_until == at(now + 120)


def test_one_that_becomes_critical_is_held_no_longer() -> None:
    book = Book(policy=FoldPolicy(pause=PAUSE))
    now = past(book, 3)
    book.say(now, started_at=at(now), severity_text="high")
    pauses = [book.alert.paused_until]
    book.say(now + 1, started_at=at(now), severity_text="critical")

    assert [*pauses, book.alert.paused_until] == [at(now + 120), None]
    updated = next(event for event in book.events if event.kind is AlertEventKind.UPDATED)
    assert updated.data["changes"]["paused_until"] == [at(now + 120).isoformat(), None]


def test_what_flaps_is_not_held_besides() -> None:
    book = Book(policy=FoldPolicy(pause=PAUSE))
    bounce(book, 0, 30, 60, 90, 120, 150, 180)

    assert book.alert.flapping_since == at(150)
    assert book.alert.paused_until is None


# -- by time alone


def test_the_mark_ends_at_its_time_and_not_before() -> None:
    alert = an_alert(flapping_since=NOON, flapping_until=NOON + 30 * MINUTE, flapping_turns=9)

    assert turning.end_flapping(alert, now=NOON + 29 * MINUTE).events == ()
    ended = turning.end_flapping(alert, now=NOON + 30 * MINUTE)

    assert (ended.after.flapping_since, ended.after.flapping_until, ended.after.flapping_turns) == (None, None, 0)
    (event,) = ended.events
    assert (event.kind, event.data["changes"]) == (
        AlertEventKind.FLAPPING_ENDED,
        {"flapping_since": [NOON.isoformat(), None]},
    )
    assert event.data["decisions"][0]["inputs"] == {"turns": 9, "since": NOON.isoformat()}
    assert turning.end_flapping(ended.after, now=NOON + 60 * MINUTE).events == ()


def test_a_pause_ends_at_its_time_and_not_before() -> None:
    alert = an_alert(paused_until=NOON + MINUTE)

    assert turning.end_pause(alert, now=NOON).events == ()
    ended = turning.end_pause(alert, now=NOON + MINUTE)

    assert ended.after.paused_until is None
    assert ended.events[0].kind is AlertEventKind.PAUSE_ENDED
    assert turning.end_pause(ended.after, now=NOON + MINUTE).events == ()


def test_a_person_who_changes_the_severity_ends_the_pause() -> None:
    alert = an_alert(paused_until=NOON + MINUTE)

    assert edits.update(alert, patch=AlertPatch(title="Other words"), actor=ANNA, now=NOON).after.paused_until
    changed = edits.update(alert, patch=AlertPatch(severity=Severity.CRITICAL), actor=ANNA, now=NOON)

    assert changed.after.paused_until is None
    assert changed.events[0].data["changes"]["paused_until"] == [(NOON + MINUTE).isoformat(), None]


def test_an_expiry_ends_the_pause() -> None:
    alert = an_alert(paused_until=NOON + MINUTE, expires_at=NOON)
    assert lifecycle.expire(alert, now=NOON).after.paused_until is None
