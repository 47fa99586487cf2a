"""When are followers told that they fell too far behind? Not before they were late for a while and came no nearer."""

from datetime import UTC, datetime, timedelta

import pytest

from graphql_api.live.overtaken import LATE, LATE_FOR_SECONDS, NEARER, TOO_LATE, Overtaken

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
MOMENT = timedelta(seconds=1)


class Run:
    """A run of followers, and the seconds that pass for it."""

    def __init__(self) -> None:
        self.seconds = 100.0
        self.overtaken = Overtaken(lambda: self.seconds)

    def is_overtaken(self, *, behind: timedelta) -> bool:
        return self.overtaken.is_at(NOON - behind, NOON)


@pytest.fixture
def run() -> Run:
    return Run()


def test_who_falls_further_and_further_behind_is_overtaken_after_a_minute(run: Run) -> None:
    for second in range(int(TOO_LATE.total_seconds()) + 1):
        run.seconds += 1
        assert not run.is_overtaken(behind=timedelta(seconds=second)), second
    run.seconds += 1
    assert run.is_overtaken(behind=TOO_LATE + MOMENT)


def test_who_comes_back_from_an_outage_has_time_to_catch_up(run: Run) -> None:
    assert not run.is_overtaken(behind=timedelta(hours=1))
    run.seconds += LATE_FOR_SECONDS - 1
    assert not run.is_overtaken(behind=timedelta(hours=1))
    run.seconds += 2
    assert run.is_overtaken(behind=timedelta(hours=1))


def test_who_comes_nearer_is_told_on(run: Run) -> None:
    behind = timedelta(minutes=3)
    while behind > TOO_LATE:
        assert not run.is_overtaken(behind=behind)
        run.seconds += LATE_FOR_SECONDS
        behind -= NEARER
    behind += 3 * NEARER
    assert run.is_overtaken(behind=behind)


def test_who_comes_nearer_to_a_head_that_came_first_itself_is_told_on(run: Run) -> None:
    assert not run.is_overtaken(behind=LATE + MOMENT)
    assert not run.is_overtaken(behind=timedelta(minutes=2))
    run.seconds += LATE_FOR_SECONDS
    assert not run.is_overtaken(behind=timedelta(minutes=2) - NEARER)


def test_who_hardly_comes_nearer_is_not(run: Run) -> None:
    assert not run.is_overtaken(behind=timedelta(minutes=3))
    run.seconds += LATE_FOR_SECONDS
    assert run.is_overtaken(behind=timedelta(minutes=3) - NEARER + MOMENT)


def test_who_was_in_time_in_between_has_all_the_time_again(run: Run) -> None:
    assert not run.is_overtaken(behind=timedelta(hours=1))
    run.seconds += LATE_FOR_SECONDS
    assert not run.is_overtaken(behind=LATE)
    assert not run.is_overtaken(behind=TOO_LATE + MOMENT)
    run.seconds += LATE_FOR_SECONDS
    assert run.is_overtaken(behind=TOO_LATE + MOMENT)


def test_who_was_told_all_that_there_was_in_between_has_all_the_time_again(run: Run) -> None:
    # What came after it was for others.
    assert not run.is_overtaken(behind=LATE + MOMENT)
    run.overtaken.in_time()
    run.seconds += 3600
    assert not run.is_overtaken(behind=2 * TOO_LATE)
    run.seconds += LATE_FOR_SECONDS
    assert run.is_overtaken(behind=2 * TOO_LATE)


def test_who_keeps_its_distance_is_told_on(run: Run) -> None:
    for _ in range(10):
        run.seconds += LATE_FOR_SECONDS
        assert not run.is_overtaken(behind=TOO_LATE)
