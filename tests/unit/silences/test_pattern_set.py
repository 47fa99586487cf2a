"""Are many patterns asked at once as each would be by itself, even where the set gives up?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.silences import pattern_set
from domain.silences.matchers import LabelMatcher, MatchOperator
from domain.silences.pattern_set import PatternSet

PATTERNS = ["db-.*", ".*-1", "a|b", "", "(?i)DB-1", "x{3,}", "[^a]*", "ü.", "(?s).+", "^db-1$"]


@given(value=st.text(st.sampled_from("abdx-1ü\nDB"), max_size=6))
def test_all_at_once_is_each_by_itself(value: str) -> None:
    together = PatternSet([(pattern, pattern) for pattern in PATTERNS])
    alone = [pattern for pattern in PATTERNS if LabelMatcher("x", MatchOperator.REGEX, pattern).matches({"x": value})]
    assert sorted(together.fitting(value.encode())) == sorted(alone)


def test_a_set_that_gives_up_leaves_every_pattern_to_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    patterns = [f".*a.{{{n}}}b.*" for n in range(30)]
    value = b"ab" * 200
    monkeypatch.setattr(pattern_set, "_MEMORY", 1 << 16)
    small = PatternSet([(pattern, pattern) for pattern in patterns])
    assert set(small.fitting(value)) == set(patterns)
    monkeypatch.undo()
    fitting = set(PatternSet([(pattern, pattern) for pattern in patterns]).fitting(value))
    assert fitting == {pattern for n, pattern in enumerate(patterns) if n % 2 == 0}
