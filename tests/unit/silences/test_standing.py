"""Does the index of standing silences find exactly those that hold an alert, in their order?"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.alerts.model import Severity
from domain.ids import new_id
from domain.silences.breadth import FEWEST, Hits, Preview, asks_nothing, takes_nearly_all, too_broad
from domain.silences.expression import expression
from domain.silences.matchers import LabelMatcher, MatchOperator
from domain.silences.model import Silence, SilenceState
from domain.silences.standing import KnownSilences, SilencesInForce
from persistence.conditions import CONDITIONS

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
PLACES = [UUID(int=number) for number in range(1, 4)]


@dataclass(frozen=True)
class OneAlert:
    """What a silence looks at."""

    labels: dict[str, str] = field(default_factory=dict)
    integration_id: UUID = PLACES[0]
    team_id: UUID | None = None
    severity: Severity = Severity.HIGH


def a_silence(*matchers: LabelMatcher, **fields: object) -> Silence:
    values = {"starts_at": NOON, "ends_at": NOON + HOUR, "created_by": "", "comment": "c", "updated_at": NOON, **fields}
    return Silence(id=new_id(), matchers=matchers, **values)  # type: ignore[arg-type] # a test's own names


_WORDS = st.sampled_from(["", "a", "b", "ab", "b1"])
_PATTERNS = st.sampled_from(["a.*", "b", "a|b1", ".*", "x+", "", "(?i)AB"])
_MATCHERS = st.one_of(
    st.builds(
        LabelMatcher, st.sampled_from("xyz"), st.sampled_from([MatchOperator.EQUAL, MatchOperator.NOT_EQUAL]), _WORDS
    ),
    st.builds(
        LabelMatcher, st.sampled_from("xyz"), st.sampled_from([MatchOperator.REGEX, MatchOperator.NOT_REGEX]), _PATTERNS
    ),
)
_SILENCES = st.builds(
    lambda matchers, integration, team, private: a_silence(
        *matchers, integration_id=integration, team_id=team, holds_private=private
    ),
    st.lists(_MATCHERS, min_size=1, max_size=3),
    st.sampled_from([None, *PLACES[:2]]),
    st.sampled_from([None, None, *PLACES[:2]]),
    st.booleans(),
)


@given(
    silences=st.lists(_SILENCES, max_size=12),
    labels=st.dictionaries(st.sampled_from("xyzw"), _WORDS.filter(bool), max_size=4),
    integration=st.sampled_from(PLACES[:2]),
    team=st.sampled_from([None, *PLACES]),
)
def test_the_index_finds_what_asking_each_one_finds(
    silences: list[Silence], labels: dict[str, str], integration: UUID, team: UUID | None
) -> None:
    alert = OneAlert(labels, integration, team)
    private = {PLACES[1], PLACES[2]}
    asked = tuple(silence for silence in silences if silence.holds(alert, private))
    assert SilencesInForce(tuple(silences)).holding(alert, private) == asked


@pytest.mark.parametrize(
    ("fields", "team", "held"),
    [
        ({"holds_private": False}, None, True),
        ({"holds_private": False}, PLACES[0], True),
        ({"holds_private": False}, PLACES[1], False),
        ({"holds_private": True}, PLACES[1], True),
        ({"holds_private": False, "team_id": PLACES[1]}, PLACES[1], True),
        ({"holds_private": True, "team_id": PLACES[1]}, PLACES[0], False),
        ({"holds_private": True, "team_id": PLACES[1]}, None, False),
        ({"integration_id": PLACES[0]}, None, True),
        ({"integration_id": PLACES[1]}, None, False),
    ],
)
def test_a_silence_reaches_whom_its_maker_may_quiet(fields: dict[str, object], team: UUID | None, held: bool) -> None:
    silence = a_silence(LabelMatcher("x", MatchOperator.EQUAL, "a"), **fields)
    alert = OneAlert({"x": "a"}, team_id=team)
    assert silence.holds(alert, {PLACES[1]}) is held


def test_what_stands_changes_with_the_clock_and_when_it_goes_back() -> None:
    first = a_silence(LabelMatcher("x", MatchOperator.EQUAL, "a"))
    second = a_silence(LabelMatcher("x", MatchOperator.EQUAL, "a"), starts_at=NOON + HOUR, ends_at=NOON + 2 * HOUR)
    ended = a_silence(LabelMatcher("x", MatchOperator.EQUAL, "a"), applied=SilenceState.EXPIRED)
    known = KnownSilences((first, second, ended))
    alert = OneAlert({"x": "a"})
    for at, holding in (
        (NOON - HOUR, ()),
        (NOON, (first,)),
        (NOON + HOUR - timedelta(microseconds=1), (first,)),
        (NOON + HOUR, (second,)),
        (NOON + 2 * HOUR, ()),
        (NOON + HOUR / 2, (first,)),
        (NOON - HOUR, ()),
    ):
        assert known.at(at).holding(alert) == holding, at
    assert known.at(NOON) is known.at(NOON + HOUR / 2), "it is worked out anew only when something changes"


@pytest.mark.parametrize(
    ("operator", "value", "nothing"),
    [
        (MatchOperator.REGEX, ".+", True),
        (MatchOperator.REGEX, ".*", True),
        (MatchOperator.REGEX, "(?s).{1,}", True),
        (MatchOperator.NOT_EQUAL, "", True),
        (MatchOperator.NOT_EQUAL, "prod", True),
        (MatchOperator.NOT_REGEX, "prod|test", True),
        (MatchOperator.EQUAL, "prod", False),
        (MatchOperator.REGEX, "db-.*", False),
        (MatchOperator.REGEX, "[a-z]+", False),
    ],
)
def test_which_matcher_asks_nothing(operator: MatchOperator, value: str, nothing: bool) -> None:
    assert asks_nothing(LabelMatcher("x", operator, value)) is nothing


@pytest.mark.parametrize(
    ("text", "nearly_all"),
    [
        ("alert.severity >= LOW", True),
        ('alert.title != "x"', True),
        ("size(alert.labels) >= 0", True),
        ('!(alert.service == "shop" && alert.severity == LOW)', True),
        ("alert.severity < CRITICAL", False),
        ("alert.severity != LOW", False),
        ('alert.service == "shop"', False),
        ('alert.labels.env != "prod"', False),
        ('alert.started_at < timestamp("2026-11-24T00:00:00Z")', False),
        ('alert.team != ""', False),
    ],
)
def test_which_condition_takes_nearly_all(text: str, nearly_all: bool) -> None:
    condition = expression(text, CONDITIONS)
    assert takes_nearly_all(condition) is nearly_all
    nothing = Preview(open_alerts=Hits(), last_day=Hits())
    for matchers in ([], [LabelMatcher("x", MatchOperator.REGEX, ".+")]):
        assert (too_broad(matchers, condition, nothing, share=0.5) is not None) is nearly_all
    narrow = [LabelMatcher("x", MatchOperator.EQUAL, "a")]
    assert too_broad(narrow, condition, nothing, share=0.5) is None


def test_a_share_counts_once_there_are_enough() -> None:
    narrow = [LabelMatcher("x", MatchOperator.EQUAL, "a")]
    few = Preview(open_alerts=Hits(FEWEST - 1, FEWEST - 1), last_day=Hits(0, 0))
    many = Preview(open_alerts=Hits(FEWEST, FEWEST + 1), last_day=Hits(0, 100))
    lately = Preview(open_alerts=Hits(0, 0), last_day=Hits(51, 100))
    assert too_broad(narrow, None, few, share=0.5) is None
    assert too_broad(narrow, None, many, share=0.99) is None
    assert "20 of the 21 open alerts (95%)" in str(too_broad(narrow, None, many, share=0.5))
    assert "last 24 hours" in str(too_broad(narrow, None, lately, share=0.5))
