"""Which alerts of a group does a rule page for? Each line of the tables, and that nobody is forgotten (N1, A3)."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.alerts.model import Severity
from domain.ids import new_id
from domain.routing.grouping import Counts, Then, looked_at, that_page
from domain.routing.model import RoutedEvent, Routing

NOW = datetime(2026, 11, 26, 3, tzinfo=UTC)
RULE, GROUP = new_id(), new_id()


def decision(severity: Severity = Severity.HIGH, event: RoutedEvent = RoutedEvent.OPENED) -> Routing:
    return Routing(
        id=new_id(),
        rule_id=RULE,
        rule_version=1,
        alert_id=new_id(),
        episode=1,
        event=event,
        severity=severity,
        decided_at=NOW,
        group_id=GROUP,
    )


def test_the_worst_of_the_first_pages_and_later_only_what_is_worse() -> None:
    low, high, other = decision(Severity.LOW), decision(), decision()
    assert that_page([low, high, other], ()) == {high.id}, "of two that are alike the first"
    told = [(high.alert_id, Severity.HIGH)]
    assert that_page([decision(), decision(Severity.LOW)], told) == set()
    worse = decision(Severity.CRITICAL)
    assert that_page([decision(), worse], told) == {worse.id}


def test_what_was_told_of_and_opened_again_is_told_of_again() -> None:
    first = decision()
    told = [(first.alert_id, Severity.HIGH)]
    again = decision(Severity.LOW, RoutedEvent.REOPENED)
    assert that_page([again], told) == set(), "one that joined silently before"
    mine = Routing(**{**{name: getattr(again, name) for name in again.__slots__}, "alert_id": first.alert_id})
    assert that_page([mine], told) == {mine.id}


@given(st.lists(st.lists(st.sampled_from(Severity), min_size=1, max_size=4), min_size=1, max_size=8))
def test_a_group_pages_once_and_again_only_as_it_becomes_worse(runs: list[list[Severity]]) -> None:
    told: list[tuple[object, Severity]] = []
    for severities in runs:
        fresh = [decision(one) for one in severities]
        paging = that_page(fresh, told)  # type: ignore[arg-type] # ids
        assert len(paging) <= 1
        told += [(one.alert_id, one.severity) for one in fresh if one.id in paging]
    order = [list(Severity).index(severity) for _, severity in told]
    assert order == sorted(set(order), reverse=True), "each page is about something worse"
    everything = [list(Severity).index(one) for severities in runs for one in severities]
    assert min(order) == min(everything), "and the worst was told of"


@pytest.mark.parametrize(
    ("counts", "then"),
    [
        ((0, 0, 0, 0, 1), Then.OVER),
        ((2, 0, 2, 1, 0), Then.ANSWERED),
        ((2, 1, 1, 1, 0), Then.NOTHING),
        ((1, 1, 0, 1, 0), Then.NOTHING),
        ((1, 1, 0, 0, 0), Then.NOTHING),
        ((1, 1, 0, 0, 1), Then.AGAIN),
        ((2, 1, 1, 0, 1), Then.NOTHING),
        ((1, 0, 0, 0, 1), Then.NOTHING),
    ],
)
def test_a_look_at_a_group_that_was_told_of(counts: tuple[int, ...], then: Then) -> None:
    opened, calling, answered, told_open, told_answered = counts
    seen = Counts(opened=opened, calling=calling, answered=answered, told_open=told_open, told_answered=told_answered)
    assert looked_at(seen) is then
