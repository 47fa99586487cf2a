"""Does a rule raise and clear when it should, and never because of how its minutes were cut into runs?"""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.thresholds.machine import FORGOTTEN_AFTER, Turn, evaluate
from domain.thresholds.model import MINUTE, Comparison, Condition, Dimension, GroupState, Measure, Phase
from domain.thresholds.series import Point, Series

START = datetime(2026, 3, 4, 12, tzinfo=UTC)


def condition(**more: object) -> Condition:
    values = {
        "measure": Measure.COUNT, "window": MINUTE, "comparison": Comparison.AT_LEAST, "raise_at": 10.0, "clear_at": 5.0
    }  # fmt: skip
    return Condition(**{**values, **more})  # type: ignore[arg-type] # of many types


def silence(**more: object) -> Condition:
    what = {"measure": Measure.ABSENCE, "comparison": Comparison.AT_MOST, "raise_at": 0.0, "clear_at": 0.0}
    return condition(**{**what, **more})


def at(minute: float) -> datetime:
    return START + minute * MINUTE


def series(*amounts: int, group: str = "") -> Series:
    """What a group had in each minute after START: the first is looked at when it is over, at(1)."""
    return {group: [Point(at(number), amount) for number, amount in enumerate(amounts) if amount]}


def moments(count: int) -> list[datetime]:
    return [at(number + 1) for number in range(count)]


def turns(of: Condition, *amounts: int) -> list[tuple[Turn, int]]:
    found = evaluate(of, {}, series(*amounts), moments(len(amounts)))
    return [(one.turn, int((one.at - START) / MINUTE)) for one in found.transitions]


def test_it_raises_at_the_one_threshold_and_clears_below_the_other() -> None:
    assert turns(condition(), 0, 9, 10, 7, 12, 5, 4, 9) == [(Turn.RAISED, 3), (Turn.CLEARED, 7)]


def test_at_most_is_the_same_the_other_way_round() -> None:
    low = condition(comparison=Comparison.AT_MOST, raise_at=2.0, clear_at=6.0)
    assert turns(low, 9, 3, 2, 5, 6, 7, 3) == [(Turn.RAISED, 3), (Turn.CLEARED, 6)]


@pytest.mark.parametrize(
    ("hold", "amounts", "expected"),
    [
        (0, (10,), [(Turn.RAISED, 1)]),
        (2, (10, 10, 10), [(Turn.RAISED, 3)]),
        (2, (10, 10, 9, 10, 10), []),
        (2, (10, 10, 9, 10, 10, 10), [(Turn.RAISED, 6)]),
    ],
    ids=["none", "held", "broken", "held anew"],
)
def test_the_condition_must_hold_for_as_long_as_it_says(
    hold: int, amounts: tuple[int, ...], expected: list[tuple[Turn, int]]
) -> None:
    assert turns(condition(hold=hold * MINUTE), *amounts) == expected


def test_what_raised_tells_since_when_the_condition_was_met() -> None:
    found = evaluate(condition(hold=2 * MINUTE), {}, series(0, 10, 10, 10), moments(4))
    assert [(one.since, one.at) for one in found.transitions] == [(at(2), at(4))]


def test_after_minutes_that_nobody_looked_at_what_was_pending_begins_anew() -> None:
    waiting = {"": GroupState(phase=Phase.PENDING, since=at(-60), value=10)}
    held = condition(hold=5 * MINUTE)
    assert [one.turn for one in evaluate(held, waiting, series(10), moments(1)).transitions] == [Turn.RAISED]
    assert evaluate(held, waiting, series(10), moments(1), with_gap=True).transitions == []


def test_what_fires_goes_on_firing_over_a_gap() -> None:
    firing = {"": GroupState(phase=Phase.FIRING, since=at(-60), value=10)}
    assert evaluate(condition(), firing, series(7), moments(1), with_gap=True).transitions == []
    assert [one.turn for one in evaluate(condition(), firing, series(0), moments(1)).transitions] == [Turn.CLEARED]


def test_nothing_at_all_is_an_absence() -> None:
    assert turns(silence(window=3 * MINUTE), 1, 0, 0, 0, 0, 2) == [(Turn.RAISED, 4), (Turn.CLEARED, 6)]


def test_a_group_that_was_heard_of_is_missed_and_a_week_later_forgotten() -> None:
    quiet = silence(window=5 * MINUTE, group_by=Dimension.SERVICE)
    heard = evaluate(quiet, {}, series(3, group="shop"), moments(1))
    assert (set(heard.states), heard.transitions) == ({"shop"}, [])
    missed = evaluate(quiet, heard.states, {}, [at(60)])
    assert [(one.group, one.turn) for one in missed.transitions] == [("shop", Turn.RAISED)]
    forgotten = evaluate(quiet, missed.states, {}, [at(1) + FORGOTTEN_AFTER])
    assert [one.turn for one in forgotten.transitions] == [Turn.FORGOTTEN]
    assert forgotten.states == {}


def test_a_group_that_the_filter_names_is_expected_from_the_start() -> None:
    from domain.thresholds.model import Match  # noqa: PLC0415 - of this one test

    quiet = silence(window=5 * MINUTE, group_by=Dimension.SERVICE, match=Match(services=("shop", "till")))
    found = evaluate(quiet, {}, series(3, group="shop"), moments(1))
    assert [(one.group, one.turn) for one in found.transitions] == [("till", Turn.RAISED)]
    later = evaluate(quiet, found.states, {}, [at(1) + FORGOTTEN_AFTER])
    assert [one.group for one in later.transitions] == ["shop"]


def test_a_quiet_group_takes_no_row() -> None:
    assert evaluate(condition(), {}, series(3), moments(1)).states == {}


def test_services_are_counted_each_once_and_a_rate_is_by_the_minute() -> None:
    points = [Point(at(0), 5, "a"), Point(at(0), 1, "b"), Point(at(1), 9, "a"), Point(at(1), 9, "")]
    of = condition(measure=Measure.SERVICES, window=2 * MINUTE, raise_at=2.0, clear_at=2.0)
    (state,) = evaluate(of, {}, {"": points}, [at(1), at(2)]).states.values()
    assert (state.phase, state.value) == (Phase.FIRING, 2)
    of = condition(measure=Measure.RATE, window=2 * MINUTE, raise_at=3.0, clear_at=1.0)
    (state,) = evaluate(of, {}, series(4, 3), [at(1), at(2)]).states.values()
    assert state.value == 3.5


amounts = st.lists(st.integers(0, 14), min_size=1, max_size=40)
conditions = st.builds(
    lambda window, hold, comparison, low, width, group_by: condition(
        window=window * MINUTE,
        hold=hold * MINUTE,
        comparison=comparison,
        raise_at=float(low + width if comparison is Comparison.AT_LEAST else low),
        clear_at=float(low if comparison is Comparison.AT_LEAST else low + width),
        group_by=group_by,
    ),
    st.integers(1, 5), st.integers(0, 4), st.sampled_from(Comparison), st.integers(1, 12), st.integers(0, 6),
    st.sampled_from([None, Dimension.SERVICE]),
)  # fmt: skip


@given(conditions, st.lists(amounts, min_size=1, max_size=3), st.lists(st.integers(1, 12), max_size=8))
def test_the_runs_make_no_difference(of: Condition, had: list[list[int]], cuts: list[int]) -> None:
    groups = {str(number): series(*one, group="x")["x"] for number, one in enumerate(had)}
    groups = groups if of.group_by else {"": groups["0"]}
    all_moments = moments(max(map(len, had)) + 6)
    whole = evaluate(of, {}, groups, all_moments)
    states: dict[str, GroupState] = {}
    transitions = []
    rest, sizes = all_moments, iter(cuts)
    while rest:
        size = next(sizes, 3)
        piece, rest = rest[:size], rest[size:]
        found = evaluate(of, states, groups, piece)
        states = found.states
        transitions += found.transitions
    assert (states, transitions) == (whole.states, whole.transitions)


@given(conditions, amounts)
def test_between_the_thresholds_nothing_turns(of: Condition, had: list[int]) -> None:
    """Whatever the values: a raise needs the one threshold, a clear the other, and they take turns."""
    of = condition(**{**{name: getattr(of, name) for name in Condition.__dataclass_fields__}, "group_by": None})
    found = evaluate(of, {}, series(*had), moments(len(had)))
    assert [one.turn for one in found.transitions] == [Turn.RAISED, Turn.CLEARED] * (len(found.transitions) // 2) + [
        Turn.RAISED
    ] * (len(found.transitions) % 2)
    for one in found.transitions:
        assert of.is_met(one.value) if one.turn is Turn.RAISED else of.is_over(one.value)
        if one.turn is Turn.RAISED:
            assert one.at - one.since >= of.hold


@given(st.integers(5, 9), st.lists(st.integers(5, 9), min_size=1, max_size=30))
def test_a_value_that_trembles_between_the_thresholds_makes_no_noise(first: int, had: list[int]) -> None:
    assert turns(condition(), first, *had) == []
    assert turns(condition(), 10, *had) == [(Turn.RAISED, 1)]


@given(conditions, amounts)
def test_a_window_summed_into_one_point_is_the_same_value(of: Condition, had: list[int]) -> None:
    """As the database answers for a single moment."""
    end = at(len(had))
    inside = [amount for number, amount in enumerate(had) if at(number) >= end - of.window]
    points = series(*had)[""]
    one = {"": [Point(end - MINUTE, sum(inside))]} if sum(inside) else {}
    by_minute = evaluate(of, {}, {"": points}, [end])
    assert evaluate(of, {}, one, [end]).states.get("") == by_minute.states.get("")


def test_a_minute_that_is_not_over_does_not_count() -> None:
    half = {"": [Point(at(0), 10)]}
    assert evaluate(condition(), {}, half, [at(0.5) - timedelta(seconds=1)]).transitions == []
