"""Does the filter in memory find what the table of cases says?"""

import pytest

from domain.alerts.filter import EVERY_ALERT, MAX_DEPTH, MAX_PARTS, AlertFilter, check, matches, search_within
from domain.errors import InvalidInput
from domain.ids import new_id
from tests.alert_filter_cases import ALERTS, CASES, Case


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_memory_agrees_with_the_table(case: Case) -> None:
    assert "".join(name for name, alert in ALERTS.items() if matches(case.wanted, alert)) == case.found


def _deep(levels: int) -> AlertFilter:
    made = AlertFilter(is_open=True)
    for _ in range(levels - 1):
        made = AlertFilter(none_of=(made,))
    return made


@pytest.mark.parametrize(
    ("wanted", "place"),
    [
        (_deep(MAX_DEPTH + 1), "filter"),
        (AlertFilter(any_of=(EVERY_ALERT,) * MAX_PARTS), "filter"),
        (AlertFilter(ids=frozenset(new_id() for _ in range(501))), "filter.ids"),
        (AlertFilter(service_names=frozenset(str(number) for number in range(501))), "filter.serviceName"),
        (AlertFilter(search="x" * 201), "filter.search"),
        (AlertFilter(search="x " * 11), "filter.search"),
        (AlertFilter(any_of=(EVERY_ALERT, AlertFilter(search="x " * 11))), "filter.or.1.search"),
        (AlertFilter(search="x " * 10, all_of=(AlertFilter(search="x " * 7),) * 3), "filter.and.2.search"),
        (AlertFilter(search="a\x00"), "filter.search"),
        (AlertFilter(all_of=(AlertFilter(sources=frozenset({"\ud800"})),)), "filter.and.0.source"),
        (AlertFilter(none_of=(AlertFilter(service_names=frozenset({None, "\x00"})),)), "filter.not.serviceName"),
        (AlertFilter(dedup_key="\x00"), "filter.dedupKey"),
    ],
)
def test_a_filter_that_costs_too_much_or_can_never_hold_is_refused(wanted: AlertFilter, place: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        check(wanted)
    assert ".".join(refusal.value.path) == place


def test_a_filter_within_the_limits_passes() -> None:
    check(_deep(MAX_DEPTH))
    check(AlertFilter(any_of=(EVERY_ALERT,) * (MAX_PARTS - 1)))
    check(AlertFilter(search="x" * 200, service_names=frozenset({None})))


def test_search_is_found_however_deep_it_stands() -> None:
    deep = AlertFilter(none_of=(AlertFilter(all_of=(AlertFilter(search="x"),)),))
    assert search_within(deep) == ("filter", "not", "and", "0", "search")
    assert search_within(AlertFilter(none_of=(AlertFilter(is_open=True),))) is None
