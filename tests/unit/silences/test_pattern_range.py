"""Is a value that a pattern matches never left out for lying beyond the range of what it may match?"""

import re2
from hypothesis import example, given
from hypothesis import strategies as st

from domain.silences.matchers import LabelMatcher, MatchOperator

PLAIN = ("a", "b", "é", "日", "k", "K", ".", ".*", "a+", "b*", "[a-c]", "[^a]", "(a|日本)", "a?", r"\d", "^", "$", "")
PIECES = st.sampled_from((*PLAIN, "(?i:ask)", "(?i:k)"))
PATTERNS = st.lists(PIECES, max_size=4).map("".join)
VALUES = st.text(alphabet="abckK\u212as\u017fé日本0\x00", max_size=6)


@given(st.lists(PATTERNS, min_size=1, max_size=2).map("|".join), VALUES)
# The sign for Kelvin folds to k, and the long s to s.
@example("(?i:k)", "\u212a")
@example("(?i:ask)", "a\u017f\u212a")
def test_the_range_leaves_out_nothing_that_matches(pattern: str, value: str) -> None:
    plainly = re2.compile(pattern.encode()).fullmatch(value.encode()) is not None
    assert LabelMatcher("a", MatchOperator.REGEX, pattern).matches({"a": value}) is plainly
    assert LabelMatcher("a", MatchOperator.NOT_REGEX, pattern).matches({"a": value}) is not plainly
