"""Is an episode held for a pause exactly when its own past says that it ends by itself?"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from domain.alerts.decisions import pause_decision
from domain.alerts.model import Severity
from domain.flapping.pause import MAX_EPISODES, NOT_BY_ITSELF, PausePolicy, Pauses, pause_of, remembered

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
POLICY = PausePolicy(length=timedelta(minutes=2), recoveries=3, episodes=4)


@pytest.mark.parametrize(
    ("past", "recovered"),
    [
        ((30, 30, 30), 3),
        ((30, 30), None),
        ((120, 0, 119, 5000), 3),
        ((121, 0, 119, 5000), None),
        ((30, 30, 30, NOT_BY_ITSELF), 3),
        ((30, 30, NOT_BY_ITSELF, NOT_BY_ITSELF), None),
        # Only the newest four count.
        ((30, 30, 30, NOT_BY_ITSELF, 30, NOT_BY_ITSELF), None),
        ((5000, 5000, 30, 30, 30, 30), 4),
    ],
)
def test_the_newest_episodes_decide(past: tuple[int, ...], recovered: int | None) -> None:
    pause = pause_of(past, Severity.HIGH, POLICY, now=NOW)

    assert (None if pause is None else pause.recovered) == recovered
    if pause is not None:
        assert (pause.until, pause.episodes) == (NOW + timedelta(minutes=2), min(4, len(past)))


def test_a_critical_alert_is_never_held_unless_asked() -> None:
    past = (10,) * 10
    assert pause_of(past, Severity.CRITICAL, POLICY, now=NOW) is None
    asked = PausePolicy(length=timedelta(minutes=2), severities=frozenset(Severity))
    assert pause_of(past, Severity.CRITICAL, asked, now=NOW) is not None


def test_the_past_is_bounded() -> None:
    past: tuple[int, ...] = ()
    for seconds in range(100):
        past = remembered(past, seconds)

    assert past == tuple(range(100 - MAX_EPISODES, 100))


@pytest.mark.parametrize(
    "values", [{"length": timedelta(0)}, {"recoveries": 11}, {"recoveries": 0}, {"episodes": MAX_EPISODES + 1}]
)
def test_a_policy_that_makes_no_sense_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="a pause"):
        PausePolicy(**{"length": timedelta(minutes=1), **values})  # type: ignore[arg-type]  # each of its own kind


def test_a_team_says_how_long_and_whether_at_all() -> None:
    terms = PausePolicy(length=timedelta(minutes=2), recoveries=3, episodes=4, is_teams=True)
    pauses = Pauses(everybodys=POLICY, of_teams=terms)
    assert pauses.of(None) is POLICY
    assert pauses.of(0) is None
    longer = pauses.of(600)
    assert longer == replace(terms, length=timedelta(minutes=10))
    assert longer is not None
    pause = pause_of((200, 300, 400), Severity.LOW, longer, now=NOW)
    assert pause is not None
    assert pause.until == NOW + timedelta(minutes=10)
    assert pause_decision(pause).reason == (
        "held for 10 min, as its team wants it: it ended by itself within that in 3 of its last 3 episodes"
    )
    # What everybody's setting leaves alone a team may still hold.
    none = Pauses(of_teams=terms)
    assert none.of(None) is None
    assert none.of(60) is not None
