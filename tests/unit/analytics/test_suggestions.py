"""Does a suggestion say what the history says, and stay silent without evidence? Worked out by hand (A8, R1)."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.alerts.model import Severity
from domain.analytics.noise import DEFAULT_RANGE, MAX_RANGE, NoiseFigures, checked_range
from domain.analytics.suggestions import (
    PAUSES,
    FlappingKey,
    PagedEpisode,
    ServiceHistory,
    Suggestion,
    SuggestionKind,
    spared,
    suggest,
)
from domain.errors import InvalidInput
from domain.ids import new_id

MINUTE = timedelta(minutes=1)
CHECKS = UUID(int=1)
NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def episode(minutes: float | None = 3, *, key: str = "k", service: str | None = "shop", **more: Any) -> PagedEpisode:  # noqa: ANN401
    values: dict[str, Any] = {
        "alert_id": new_id(),
        "title": f"Title of {key}",
        "severity": Severity.HIGH,
        "pages": (timedelta(0),),
        "lasted": None if minutes is None else minutes * MINUTE,
        "ended_by_itself": minutes is not None,
        "is_answered": True,
    }
    return PagedEpisode(key=(CHECKS, key), service=service, **{**values, **more})


def of(kind: SuggestionKind, *episodes: PagedEpisode, **more: Any) -> list[Suggestion]:  # noqa: ANN401
    given_history = {"services": [], "flapping": [], **more}
    return [one for one in suggest(episodes=episodes, **given_history) if one.kind is kind]


def test_a_pause_that_would_have_spared_most_pages_of_a_key() -> None:
    short = [episode(3.5) for _ in range(212)]
    long = [episode(60) for _ in range(18)]

    (found,) = of(SuggestionKind.PAUSE, *short, *long)

    assert found.text == (
        "a pause of 4 min would have spared 212 of 230 pages of 'Title of k'; the others would have come 4 min later"
    )
    assert (found.affected, found.total, found.pause) == (212, 230, 4 * MINUTE)
    assert found.remedy.startswith("set TOCSIN_PAUSE to PT4M")
    assert (found.integration_id, found.dedup_key, found.service) == (CHECKS, "k", "shop")
    assert found.samples == tuple(one.alert_id for one in short[:3])


def test_keys_that_explain_nothing_alone_are_looked_at_by_service() -> None:
    (found,) = of(SuggestionKind.PAUSE, *[episode(1, key=f"k{number}") for number in range(20)])

    assert (found.affected, found.total, found.dedup_key) == (20, 20, None)
    assert "pages of the service shop" in found.text


@pytest.mark.parametrize(
    "more",
    [{"severity": Severity.CRITICAL}, {"ended_by_itself": False}, {"lasted": None}, {"lasted": 40 * MINUTE}],
)
def test_a_pause_is_never_suggested_for_what_needed_somebody(more: dict[str, Any]) -> None:
    assert of(SuggestionKind.PAUSE, *[episode(1, **more) for _ in range(30)]) == []


def test_little_evidence_is_none() -> None:
    assert of(SuggestionKind.PAUSE, *[episode(1) for _ in range(9)]) == []
    mixed = [episode(1) for _ in range(9)] + [episode(600) for _ in range(10)]
    assert of(SuggestionKind.PAUSE, *mixed) == [], "less than half of the pages"


def test_a_later_page_would_have_waited_longer_too() -> None:
    one = episode(8, pages=(timedelta(0), 5 * MINUTE))

    assert [spared([one], pause) for pause in PAUSES] == [0, 0, 0, 1, 1, 2, 2]


@settings(deadline=None)
@given(
    st.lists(
        st.builds(
            episode,
            st.none() | st.floats(0, 30),
            severity=st.sampled_from(Severity),
            ended_by_itself=st.booleans(),
            key=st.sampled_from("ab"),
            pages=st.lists(st.integers(0, 10).map(lambda minutes: minutes * MINUTE), min_size=1, max_size=4).map(tuple),
        ),
        max_size=60,
    )
)
def test_what_is_said_is_what_the_pause_would_have_done(episodes: list[PagedEpisode]) -> None:
    """Against a replay of each page: it would leave `pause` later, if the episode stands then."""
    for found in of(SuggestionKind.PAUSE, *episodes):
        own = [one for one in episodes if found.dedup_key is None or one.key[1] == found.dedup_key]
        if found.dedup_key is None:
            by_key = {one.dedup_key for one in of(SuggestionKind.PAUSE, *episodes)}
            own = [one for one in own if one.key[1] not in by_key]
        assert found.pause is not None
        still_sent = sum(
            one.severity is Severity.CRITICAL
            or one.lasted is None
            or not one.ended_by_itself
            or one.lasted >= page + found.pause
            for one in own
            for page in one.pages
        )
        assert found.total == sum(len(one.pages) for one in own)
        assert found.affected == found.total - still_sent


def test_false_positives_come_with_a_rule_and_its_condition() -> None:
    ids = tuple(new_id() for _ in range(5))
    noisy = ServiceHistory(service='sh"op', figures=NoiseFigures(alerts=50, false_positives=40), false_positives=ids)
    fine = ServiceHistory(service="calm", figures=NoiseFigures(alerts=50, false_positives=3))
    few = ServiceHistory(service="new", figures=NoiseFigures(alerts=4, false_positives=4))

    (found,) = of(SuggestionKind.FALSE_POSITIVES, services=[noisy, fine, few])

    assert found.text == '40 of 50 alerts of the service sh"op were false positives'
    assert (found.affected, found.total, found.samples) == (40, 50, ids[:3])
    assert found.condition == 'alert.service == "sh\\"op"'


def test_what_flaps_again_and_again_is_mended_at_its_source() -> None:
    often = FlappingKey(key=(CHECKS, "k"), title="Up and down", service=None, times=7, alerts=(CHECKS,))
    once = FlappingKey(key=(CHECKS, "l"), title="Once", service=None, times=1, alerts=(CHECKS,))

    (found,) = of(SuggestionKind.FLAPPING, flapping=[often, once])

    assert found.text == "'Up and down' began to flap 7 times"
    assert (found.affected, found.dedup_key, found.samples) == (7, "k", (CHECKS,))


def test_what_nobody_ever_answers_is_told_to_too_many() -> None:
    quiet = [episode(90, is_answered=False) for _ in range(12)]

    (found,) = of(SuggestionKind.UNANSWERED, *quiet)
    assert (found.affected, found.condition) == (12, 'alert.service == "shop"')

    assert of(SuggestionKind.UNANSWERED, *quiet, episode(90, is_answered=True)) == []
    assert of(SuggestionKind.UNANSWERED, *quiet, episode(90, is_answered=False, severity=Severity.CRITICAL)) == []
    assert of(SuggestionKind.UNANSWERED, *quiet[:5]) == []


def test_what_spares_most_comes_first() -> None:
    found = suggest(
        episodes=[episode(1, key="few", service="a") for _ in range(11)]
        + [episode(1, key="many", service="b") for _ in range(40)],
        services=[],
        flapping=[],
    )
    assert [one.dedup_key for one in found] == ["many", "few"]


def test_a_range_is_bounded_and_is_the_last_week_by_default() -> None:
    asked = checked_range(None, None, now=NOW)
    assert (asked.since, asked.until) == (NOW - DEFAULT_RANGE, NOW)
    assert checked_range(NOW - MAX_RANGE, NOW, now=NOW).since == NOW - MAX_RANGE
    first = datetime.min.replace(tzinfo=UTC)
    for since, until in ((NOW, NOW), (NOW, NOW - MINUTE), (NOW - MAX_RANGE - MINUTE, NOW), (None, first)):
        with pytest.raises(InvalidInput):
            checked_range(since, until, now=NOW)
