"""Does the mark of flapping begin and end where the counts cross the thresholds, and nowhere else?"""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.flapping.turns import Crossed, Crossing, FlappingPolicy, Track, turned

START = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def run(policy: FlappingPolicy, *seconds: float) -> tuple[Track, list[Crossed]]:
    track, crossed = Track(), []
    for second in seconds:
        track, more = turned(track, at(second), policy)
        crossed += more
    return track, crossed


def test_the_turn_that_reaches_the_threshold_begins_the_mark() -> None:
    track, crossed = run(FlappingPolicy(), 0, 60, 120, 180, 240)
    assert (track.since, crossed) == (None, [])

    track, crossed = run(FlappingPolicy(), 0, 60, 120, 180, 240, 300)

    assert crossed == [Crossed(crossing=Crossing.BEGAN, at=at(300), turns=6)]
    assert track.since == at(300)
    assert track.until == at(180 + 1800), "then no more than the turns at 240 and 300 are left in the window"


def test_turns_that_are_too_far_apart_begin_nothing() -> None:
    track, crossed = run(FlappingPolicy(), *range(0, 60 * 400, 400))

    assert (track.since, crossed) == (None, [])


def test_every_further_turn_is_counted_and_puts_the_end_off() -> None:
    track, crossed = run(FlappingPolicy(), *range(0, 600, 10))

    assert (track.count, len(crossed)) == (60, 1)
    assert track.until == at(570 + 1800)
    assert len(track.turns) == 6, "no more is kept than decides"


def test_a_turn_after_the_end_ends_the_mark_when_nobody_has_yet() -> None:
    track, crossed = run(FlappingPolicy(), 0, 1, 2, 3, 4, 5, 7200)

    assert [(one.crossing, one.at) for one in crossed] == [(Crossing.BEGAN, at(5)), (Crossing.ENDED, at(3 + 1800))]
    assert (track.since, track.until, track.count, track.turns) == (None, None, 0, (at(7200),))


def test_between_the_thresholds_the_mark_stays_as_it_is() -> None:
    """The reason for two: with one, a problem at the edge would be marked and unmarked in turn."""
    policy = FlappingPolicy(start=4, stop=1, window=timedelta(seconds=100))
    rare = range(0, 1000, 40)  # always two or three in the window

    assert run(policy, *rare)[1] == []
    _, crossed = run(policy, 0, 1, 2, 3, *[40 + second for second in rare])

    assert [one.crossing for one in crossed] == [Crossing.BEGAN]


def test_a_clock_that_is_behind_does_not_turn_time_back() -> None:
    track, _ = run(FlappingPolicy(), 100, 50)

    assert track.turns == (at(100), at(100))


@pytest.mark.parametrize("values", [{"start": 3, "stop": 2}, {"start": 51}, {"stop": -1}, {"window": timedelta(0)}])
def test_thresholds_that_make_no_sense_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="flapping"):
        FlappingPolicy(**values)  # type: ignore[arg-type]  # each of its own kind


policies = st.integers(0, 5).flatmap(
    lambda stop: st.builds(
        FlappingPolicy,
        start=st.integers(stop + 2, stop + 7),
        stop=st.just(stop),
        window=st.integers(1, 60).map(lambda seconds: timedelta(seconds=seconds)),
    )
)
turns = st.lists(st.integers(0, 20), min_size=1, max_size=80).map(
    lambda waits: [sum(waits[: index + 1]) for index in range(len(waits))]
)


def reference(policy: FlappingPolicy, seconds: list[int]) -> list[tuple[Crossing, int]]:
    """The definition, second by second over the whole past: what the rule has to come to."""
    window, crossed, is_marked = int(policy.window.total_seconds()), [], False
    for now in range(seconds[0], seconds[-1] + 1):
        if is_marked and sum(now - window < one < now for one in seconds) <= policy.stop:
            crossed.append((Crossing.ENDED, now))
            is_marked = False
        past = [one for one in seconds if now - window < one < now]
        for count in range(len(past) + 1, len(past) + seconds.count(now) + 1):
            if not is_marked and count >= policy.start:
                crossed.append((Crossing.BEGAN, now))
                is_marked = True
    return crossed


@settings(deadline=None)
@given(policy=policies, seconds=turns)
def test_it_is_what_the_definition_says(policy: FlappingPolicy, seconds: list[int]) -> None:
    """Against a count over all turns at every second. Turns at the very end of the mark come after it ended."""
    track, crossed = run(policy, *seconds)
    told = [(one.crossing, int((one.at - START).total_seconds())) for one in crossed]
    expected = reference(policy, seconds)
    if track.since is not None and track.until is not None and track.until <= at(seconds[-1]):
        told.append((Crossing.ENDED, int((track.until - START).total_seconds())))

    assert told == expected


@settings(deadline=None)
@given(policy=policies, seconds=turns)
def test_it_begins_and_ends_in_turn_and_keeps_little(policy: FlappingPolicy, seconds: list[int]) -> None:
    track, crossed = run(policy, *seconds)

    assert all(one.crossing is not two.crossing for one, two in pairwise(crossed))
    assert all(one.at <= two.at for one, two in pairwise(crossed))
    assert not crossed or crossed[0].crossing is Crossing.BEGAN
    assert len(track.turns) <= policy.start
    assert (track.since is None) == (track.until is None) == (track.count == 0)
