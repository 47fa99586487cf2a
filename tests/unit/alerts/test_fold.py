"""Does a signal do to its alert what the state table says?"""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.alerts.fold import FoldPolicy
from domain.alerts.model import AlertStatus, ResolvedBy, Severity
from domain.alerts.signal import Outcome, RejectedItem, Signal, SignalStatus
from tests.unit.alerts.signals import ACKNOWLEDGED, FIRING, RESOLVED, Book, at, signal, submission

HOUR = 3600


@pytest.fixture
def book() -> Book:
    return Book()


def test_the_first_firing_opens_an_alert(book: Book) -> None:
    outcome = book.say(5, started_at=at(0), severity_text="critical", labels={"host": "db-01"}, service_name="db")

    assert outcome is Outcome.OPENED
    alert = book.alert
    assert (alert.status, alert.severity, alert.service_name) == (AlertStatus.ACTIVE, Severity.CRITICAL, "db")
    assert (alert.started_at, alert.created_at, alert.occurrences, alert.version) == (at(0), at(5), 1, 1)
    assert book.kinds() == ["opened"]
    decisions = {decision["kind"]: decision for decision in book.events[0].data["decisions"]}
    assert decisions["dedup_key"]["reason"] == "the test's key"
    assert decisions["severity"]["reason"] == "'critical' means critical"
    assert decisions["fold"]["inputs"] == {"outcome": "opened"}


def test_repeats_are_counted_and_logged_at_most_once_a_minute(book: Book) -> None:
    for second in range(0, 150, 10):
        book.say(second, started_at=at(0))

    assert book.alert.occurrences == 15
    assert book.alert.last_seen_at == at(140)
    assert book.kinds() == ["opened", "repeated", "repeated"]
    assert book.events[-1].data["changes"]["occurrences"][1] == 13
    assert book.alert.version == 1, "a repeat alone makes no new version: a person's edit would go stale each minute"


def test_a_burst_in_one_batch_is_one_event_with_its_count(book: Book) -> None:
    book.say(0)
    book.post(*[submission(at(90), signal()) for _ in range(200)])

    assert book.alert.occurrences == 201
    assert book.kinds() == ["opened", "repeated"]
    assert book.events[-1].data["count"] == 200


def test_a_resolve_closes_and_a_new_episode_within_the_window_reopens(book: Book) -> None:
    book.say(0, started_at=at(0))
    first = book.alert.id
    assert book.say(60, RESOLVED, ended_at=at(58)) is Outcome.RESOLVED
    assert (book.alert.status, book.alert.resolved_by) == (AlertStatus.RESOLVED, ResolvedBy.SOURCE)
    assert book.say(120, started_at=at(110)) is Outcome.REOPENED

    assert book.alert.id == first
    assert (book.alert.status, book.alert.episode, book.alert.resolved_at) == (AlertStatus.ACTIVE, 2, None)
    assert book.kinds() == ["opened", "resolved", "reopened"]
    assert book.events[-1].data["changes"]["status"] == ["resolved", "active"]


def test_a_snooze_ends_with_its_problem(book: Book) -> None:
    book.say(0, started_at=at(0))
    book.alert.snoozed_until = at(HOUR)
    book.say(60, RESOLVED, ended_at=at(58))

    assert book.alert.snoozed_until is None


def test_past_the_reopen_window_a_new_alert_opens(book: Book) -> None:
    book.say(0, started_at=at(0))
    first = book.alert.id
    book.say(60, RESOLVED, ended_at=at(60))
    assert book.say(60 + HOUR + 1, started_at=at(60 + HOUR)) is Outcome.OPENED

    assert book.alert.id > first
    assert book.alert.episode == 1


@pytest.mark.parametrize("status", [FIRING, ACKNOWLEDGED])
def test_a_late_delivery_never_beats_a_newer_statement(book: Book, status: SignalStatus) -> None:
    book.say(0, started_at=at(0))
    book.say(60, RESOLVED, ended_at=at(50))

    outcome = book.say(61, status, started_at=at(0))

    assert outcome in {Outcome.STALE, Outcome.NO_ALERT}
    assert book.alert.status is AlertStatus.RESOLVED


def test_a_resolve_of_an_earlier_episode_does_not_close_the_present_one(book: Book) -> None:
    book.say(0, started_at=at(0))
    book.say(60, RESOLVED, ended_at=at(50))
    book.say(90, started_at=at(80))

    assert book.say(91, RESOLVED, ended_at=at(50)) is Outcome.STALE
    assert book.alert.status is AlertStatus.ACTIVE


def test_a_resolve_of_an_unknown_key_makes_no_alert(book: Book) -> None:
    assert book.say(0, RESOLVED, ended_at=at(0)) is Outcome.NO_ALERT
    assert book.kinds() == []


def test_a_firing_that_arrives_after_its_resolve_is_opened_and_closed(book: Book) -> None:
    book.say(10, RESOLVED, ended_at=at(8))
    assert book.say(11, started_at=at(0)) is Outcome.RESOLVED

    assert book.alert.status is AlertStatus.RESOLVED
    assert book.kinds() == ["opened", "resolved"]


def test_a_new_episode_after_an_early_resolve_opens(book: Book) -> None:
    book.say(10, RESOLVED, ended_at=at(8))
    assert book.say(20, started_at=at(15)) is Outcome.OPENED
    assert book.alert.status is AlertStatus.ACTIVE


def test_a_resend_does_not_reopen_what_a_person_resolved_until_the_hold_ends(book: Book) -> None:
    book.say(0, started_at=at(0))
    book.alert.status, book.alert.resolved_by = AlertStatus.RESOLVED, ResolvedBy.PERSON
    book.alert.resolved_at, book.alert.hold_until = at(30), at(30 + HOUR)

    assert book.say(60, started_at=at(0)) is Outcome.HELD
    assert (book.alert.status, book.alert.occurrences) == (AlertStatus.RESOLVED, 2)
    assert book.say(31 + HOUR, started_at=at(0)) is Outcome.REOPENED


def test_the_sources_own_resolve_ends_the_hold(book: Book) -> None:
    book.say(0, started_at=at(0))
    book.alert.status, book.alert.resolved_by = AlertStatus.RESOLVED, ResolvedBy.PERSON
    book.alert.resolved_at, book.alert.hold_until = at(30), at(30 + HOUR)
    book.say(60, RESOLVED, ended_at=at(55))

    assert book.say(90, started_at=at(80)) is Outcome.REOPENED


def test_a_new_start_after_a_persons_resolve_is_a_new_episode(book: Book) -> None:
    book.say(0, started_at=at(0))
    book.alert.status, book.alert.resolved_by = AlertStatus.RESOLVED, ResolvedBy.PERSON
    book.alert.resolved_at, book.alert.hold_until = at(30), at(30 + HOUR)

    assert book.say(90, started_at=at(80)) is Outcome.REOPENED


def test_a_start_far_in_the_future_counts_as_arrival_and_says_so(book: Book) -> None:
    book.say(0, started_at=at(86_400 * 365))

    assert book.alert.started_at == at(0)
    kinds = [decision["kind"] for decision in book.events[0].data["decisions"]]
    assert "source_time" in kinds
    assert book.say(60, RESOLVED, ended_at=at(50)) is Outcome.RESOLVED


def test_what_people_see_change_is_an_update_and_a_moving_value_is_not(book: Book) -> None:
    book.say(0, severity_text="warning", description="5.1 %")
    assert book.say(1, severity_text="warning", description="5.2 %") is Outcome.REPEATED
    assert book.alert.description == "5.2 %"
    assert book.say(2, severity_text="critical", description="9.9 %") is Outcome.UPDATED

    assert book.alert.severity is Severity.CRITICAL
    assert book.events[-1].data["changes"] == {"severity": ["medium", "critical"]}


def test_a_persons_own_words_are_not_overwritten(book: Book) -> None:
    book.say(0, title="Disk full", severity_text="low")
    book.alert.pinned = ("title",)
    book.alert.title = "Disk of the billing database"
    book.say(1, title="Disk nearly full", severity_text="high")

    assert book.alert.title == "Disk of the billing database"
    assert book.alert.severity is Severity.HIGH


def test_acknowledging_at_the_source_acknowledges_here(book: Book) -> None:
    book.say(0)
    assert book.say(5, ACKNOWLEDGED) is Outcome.ACKNOWLEDGED
    assert (book.alert.status, book.alert.acknowledged_at) == (AlertStatus.ACKNOWLEDGED, at(5))
    assert book.say(6, ACKNOWLEDGED) is Outcome.REPEATED


def test_an_expiry_follows_the_newest_resend(book: Book) -> None:
    book.say(0, started_at=at(0), expires_at=at(300))
    book.say(60, started_at=at(0), expires_at=at(360))
    assert book.alert.expires_at == at(360)


def test_a_rejected_item_leaves_its_neighbours_alone(book: Book) -> None:
    bad = RejectedItem(message="title is missing", path=("alerts", "1", "title"), raw=b"{}")
    post = submission(at(0), signal(key="t:1:a"), bad, signal(key="t:1:b"))
    results = book.post(post).results

    assert [result.outcome for result in results] == [Outcome.OPENED, Outcome.REJECTED, Outcome.OPENED]
    assert results[1].path == ("alerts", "1", "title")


# Episodes as a real source makes them: each starts after the one before ended, and each is said several times.
episodes = st.lists(
    st.tuples(st.integers(1, 50), st.integers(1, 50), st.integers(0, 3), st.booleans()), min_size=1, max_size=5
)


@given(episodes=episodes, data=st.data())
def test_the_outcome_does_not_depend_on_the_order_of_delivery(
    episodes: list[tuple[int, int, int, bool]], data: st.DataObject
) -> None:
    deliveries: list[tuple[float, Signal]] = []
    clock, truth = 0.0, False
    for index, (wait, length, repeats, ends) in enumerate(episodes):
        start = clock + wait
        deliveries += [(start + repeat, signal(FIRING, started_at=at(start))) for repeat in range(repeats + 1)]
        clock, truth = start + length, True
        if ends or index < len(episodes) - 1:
            deliveries += [(clock, signal(RESOLVED, ended_at=at(clock)))] * 2
            truth = False
    shuffled = data.draw(st.permutations(deliveries))
    size = data.draw(st.integers(1, len(shuffled)))

    book = Book(policy=FoldPolicy(reopen_window=timedelta(days=365)))
    for first in range(0, len(shuffled), size):
        book.post(*[submission(at(received), item) for received, item in shuffled[first : first + size]])

    assert book.alert.is_open is truth
    opened = sum(kind in {"opened", "reopened"} for kind in book.kinds())
    closed = sum(kind == "resolved" for kind in book.kinds())
    assert opened - closed == int(truth), "every opening is closed at most once"
