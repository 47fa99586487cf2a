"""Are matchers read, compared and refused as Alertmanager does it?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.silences.matcher_syntax import MAX_TEXT, parse_matchers
from domain.silences.matchers import (
    MAX_MATCHERS,
    MAX_VALUE,
    InvalidMatcher,
    LabelMatcher,
    MatchOperator,
    check_not_everything,
    matcher_from_json,
    matchers_from_json,
)
from tests.unit.silences.matcher_cases import CLASSIC, REFUSED, REFUSED_UTF8, UTF8_ONLY, Accepted

TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20)
MATCHERS = st.builds(
    LabelMatcher, TEXT.filter(bool), st.sampled_from([MatchOperator.EQUAL, MatchOperator.NOT_EQUAL]), TEXT
)


@pytest.mark.parametrize("case", [*CLASSIC, *UTF8_ONLY], ids=lambda case: case.text)
def test_a_text_means_what_alertmanager_reads_in_it(case: Accepted) -> None:
    found = tuple((matcher.name, matcher.operator.value, matcher.value) for matcher in parse_matchers(case.text))
    assert found == case.matchers


@pytest.mark.parametrize("text", [*REFUSED, *REFUSED_UTF8])
def test_what_no_version_reads_is_refused(text: str) -> None:
    with pytest.raises(InvalidMatcher) as caught:
        parse_matchers(text)
    assert caught.value.message


@pytest.mark.parametrize(
    ("text", "labels", "expected"),
    [
        ('a="b"', {"a": "b"}, True),
        ('a="b"', {"a": "bb"}, False),
        ('a="b"', {}, False),
        ('a=""', {}, True),
        ('a=""', {"a": "x"}, False),
        ('a!=""', {}, False),
        ('a!="b"', {}, True),
        ('a!="b"', {"a": "b"}, False),
        ('a=~"d.*"', {"a": "db-1"}, True),
        ('a=~"d.*"', {"a": "id"}, False),
        ('a=~"d|e"', {"a": "dx"}, False),
        ('a=~"d|e"', {"a": "e"}, True),
        ('a=~".*"', {}, True),
        ('a=~".+"', {}, False),
        ('a=~"x."', {"a": "x\n"}, False),
        ('a=~"x"', {"a": "x\n"}, False),
        ('a=~"(?s)x."', {"a": "x\n"}, True),
        ('a=~"(?i)DB"', {"a": "db"}, True),
        ('a=~"ä."', {"a": "ä🔔"}, True),
        ('a!~"d.*"', {"a": "db"}, False),
        ('a!~"d.*"', {}, True),
        ('a!~".*"', {}, False),
        ('a=~"."', {"a": "\ud800"}, True),
    ],
)
def test_a_matcher_is_anchored_and_takes_an_absent_label_for_empty(
    text: str, labels: dict[str, str], expected: bool
) -> None:
    (matcher,) = parse_matchers(text)
    assert matcher.matches(labels) is expected


@given(st.lists(MATCHERS, min_size=1, max_size=4))
def test_what_is_written_is_read_back(matchers: list[LabelMatcher]) -> None:
    assert [parse_matchers(str(matcher)) for matcher in matchers] == [(matcher,) for matcher in matchers]
    assert list(matchers_from_json([matcher.as_json() for matcher in matchers])) == matchers


@given(st.text(st.sampled_from('ab{}",=~!\\ nx0u\n'), max_size=12))
def test_no_text_raises_anything_else(text: str) -> None:
    try:
        assert len(parse_matchers(text)) <= MAX_MATCHERS
    except InvalidMatcher as error:
        assert error.message  # noqa: PT017 - either outcome is right; any other exception fails the test


@pytest.mark.parametrize("operator", list(MatchOperator))
def test_the_json_form_keeps_the_operator(operator: MatchOperator) -> None:
    matcher = LabelMatcher("a", operator, "b+")
    assert matcher_from_json(matcher.as_json()) == matcher


def test_the_json_form_of_older_clients_has_no_is_equal() -> None:
    matcher = matcher_from_json({"name": "a", "value": "b", "isRegex": False})
    assert matcher == LabelMatcher("a", MatchOperator.EQUAL, "b")


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("a=b", ("matchers", "0")),
        ({"value": "b", "isRegex": False}, ("matchers", "0", "name")),
        ({"name": 1, "value": "b", "isRegex": False}, ("matchers", "0", "name")),
        ({"name": "", "value": "b", "isRegex": False}, ("matchers", "0", "name")),
        ({"name": "a", "isRegex": False}, ("matchers", "0", "value")),
        ({"name": "a", "value": "(", "isRegex": True}, ("matchers", "0", "value")),
        ({"name": "a", "value": "\x00", "isRegex": False}, ("matchers", "0", "value")),
        ({"name": "a\ud800", "value": "", "isRegex": False}, ("matchers", "0", "name")),
        ({"name": "a", "value": "b" * (MAX_VALUE + 1), "isRegex": False}, ("matchers", "0", "value")),
        ({"name": "a", "value": "b"}, ("matchers", "0", "isRegex")),
        ({"name": "a", "value": "b", "isRegex": "no"}, ("matchers", "0", "isRegex")),
        ({"name": "a", "value": "b", "isRegex": False, "isEqual": 1}, ("matchers", "0", "isEqual")),
    ],
)
def test_a_bad_json_matcher_is_refused_with_its_place(value: object, path: tuple[str, ...]) -> None:
    with pytest.raises(InvalidMatcher) as caught:
        matchers_from_json([value])
    assert tuple(caught.value.path) == path


@pytest.mark.parametrize("values", [None, "a=b", {"name": "a"}])
def test_matchers_that_are_no_list_are_refused(values: object) -> None:
    with pytest.raises(InvalidMatcher, match="list"):
        matchers_from_json(values)


def test_too_many_and_too_long_are_refused() -> None:
    one = LabelMatcher("a", MatchOperator.EQUAL, "b")
    with pytest.raises(InvalidMatcher, match="at most 100"):
        matchers_from_json([one.as_json()] * (MAX_MATCHERS + 1))
    with pytest.raises(InvalidMatcher, match="at most 100"):
        parse_matchers(",".join(["a=b"] * (MAX_MATCHERS + 1)))
    with pytest.raises(InvalidMatcher, match="characters"):
        parse_matchers("a" * (MAX_TEXT + 1))


@pytest.mark.parametrize("text", ['a=""', 'a=~".*"', 'a="",b=~"x?"', "{}"])
def test_a_silence_of_everything_is_refused(text: str) -> None:
    with pytest.raises(InvalidMatcher, match="at least one matcher"):
        check_not_everything(parse_matchers(text))


@pytest.mark.parametrize("text", ['a="b"', 'a="",b="c"', 'a=~".+"', 'a!="b"', 'a!~"b"'])
def test_a_silence_with_one_real_matcher_is_taken(text: str) -> None:
    check_not_everything(parse_matchers(text))


def test_a_pattern_that_would_hang_a_backtracking_engine_is_quick() -> None:
    (matcher,) = parse_matchers('a=~"(a+)+b"')
    assert matcher.matches({"a": "a" * 50_000}) is False
