"""Does whoever filters a stream learn that an alert came into their filter or left it, whatever a signal changed?

What a source does is folded here as the ingest does it; the events are asked as a stream asks them.
"""

from collections.abc import Callable
from dataclasses import fields
from datetime import timedelta

import pytest

from domain.alerts.filter import AlertFilter, TimeRange, matches
from domain.alerts.model import Alert, AlertStatus, ResolvedBy
from domain.alerts.passing import concerns
from domain.alerts.problem import AlertState
from domain.ids import new_id
from domain.silences.matchers import LabelMatcher, MatchOperator
from domain.silences.model import Silence
from tests.unit.alerts.signals import RESOLVED, Book, at

HOUR = 3600
SILENCED = Silence(
    id=new_id(),
    matchers=(LabelMatcher("env", MatchOperator.EQUAL, "test"),),
    starts_at=at(0) - timedelta(days=1),
    ends_at=at(0) + timedelta(days=1),
    created_by="",
    comment="",
    updated_at=at(0),
)


def as_alert(state: AlertState) -> Alert:
    return Alert(**{one.name: getattr(state, one.name) for one in fields(Alert) if hasattr(state, one.name)})


def resolve_by_source(book: Book) -> None:
    book.say(60, RESOLVED, ended_at=at(58))


def fire_again(book: Book) -> None:
    book.say(120, started_at=at(110))


def repeat(book: Book) -> None:
    book.say(120, started_at=at(0), labels={"env": "prod"})


def snoozed(book: Book) -> None:
    book.alert.snoozed_until = at(HOUR)


def called_false(book: Book) -> None:
    resolve_by_source(book)
    book.alert.is_false_positive = True


def resolved_while_silenced(book: Book) -> None:
    book.alert.suppressed_by = (SILENCED.id,)
    resolve_by_source(book)


def silenced_by_its_label(book: Book) -> None:
    book.say(60, started_at=at(0), labels={"env": "test"})


def no_longer_silenced(book: Book) -> None:
    book.say(60, started_at=at(0), labels={"env": "prod"})


def under_the_silence(book: Book) -> None:
    silenced_by_its_label(book)
    assert book.alert.suppressed_by == (SILENCED.id,)


def nothing(_book: Book) -> None:
    """As it opened."""


def resolved_by_hand(book: Book) -> None:
    book.alert.status, book.alert.resolved_by = AlertStatus.RESOLVED, ResolvedBy.SOURCE
    book.alert.resolved_at = at(30)


@pytest.mark.parametrize(
    ("wanted", "before", "signal"),
    [
        (AlertFilter(is_snoozed=True), snoozed, resolve_by_source),
        (AlertFilter(is_false_positive=True), called_false, fire_again),
        (AlertFilter(is_suppressed=True), resolved_while_silenced, fire_again),
        (AlertFilter(is_suppressed=False), nothing, silenced_by_its_label),
        (AlertFilter(is_suppressed=True), under_the_silence, no_longer_silenced),
        (AlertFilter(resolved_at=TimeRange()), resolve_by_source, fire_again),
        (AlertFilter(resolved_at=TimeRange(since=at(10), before=at(70))), resolve_by_source, fire_again),
        (AlertFilter(none_of=(AlertFilter(resolved_at=TimeRange()),)), nothing, resolve_by_source),
        (AlertFilter(updated_at=TimeRange(before=at(30))), nothing, resolve_by_source),
        (AlertFilter(updated_at=TimeRange(before=at(90))), resolved_by_hand, fire_again),
        (AlertFilter(updated_at=TimeRange(before=at(30))), nothing, repeat),
    ],
    ids=lambda given: given.__name__ if callable(given) else None,
)
def test_an_alert_that_leaves_a_filter_is_told_to_who_watches_it(
    wanted: AlertFilter, before: Callable[[Book], None], signal: Callable[[Book], None]
) -> None:
    book = Book(silences=(SILENCED,))
    book.say(0, started_at=at(0), labels={"env": "prod"})
    before(book)
    assert matches(wanted, as_alert(book.alert))
    heard = len(book.events)
    signal(book)
    now = as_alert(book.alert)
    assert not matches(wanted, now)
    assert any(concerns(wanted, event, now) for event in book.events[heard:])


def test_who_asks_for_another_time_is_not_told() -> None:
    book = Book()
    book.say(0, started_at=at(0))
    resolve_by_source(book)
    fire_again(book)
    now, (*_, reopened) = as_alert(book.alert), book.events
    assert not concerns(AlertFilter(resolved_at=TimeRange(before=at(-HOUR))), reopened, now)
    assert not concerns(AlertFilter(resolved_at=TimeRange(since=at(HOUR))), reopened, now)


def test_an_alert_that_was_resolved_again_was_resolved_before_too() -> None:
    book = Book()
    book.say(0, started_at=at(0))
    resolve_by_source(book)
    fire_again(book)
    book.say(200, RESOLVED, ended_at=at(198))
    now, (_, resolved, _, again) = as_alert(book.alert), book.events
    first = AlertFilter(resolved_at=TimeRange(since=at(50), before=at(70)))
    assert concerns(first, resolved, now)
    assert not concerns(first, again, now)


def test_a_signal_tells_what_it_changed_beside_what_it_says() -> None:
    book = Book(silences=(SILENCED,))
    book.say(0, started_at=at(0), labels={"env": "test"})
    snoozed(book)
    resolve_by_source(book)
    assert book.events[-1].data["changes"]["snoozed_until"] == [at(HOUR).isoformat(), None]
    book.alert.is_false_positive = True
    book.say(120, started_at=at(110), labels={"env": "prod"})
    changes = book.events[-1].data["changes"]
    assert changes["is_false_positive"] == [True, False]
    assert changes["suppressed_by"] == [[str(SILENCED.id)], []]
