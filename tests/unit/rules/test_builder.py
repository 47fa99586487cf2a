"""Is a condition that was put together the text it should be, and does the text read back as what was put together?"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInput
from domain.rules.builder import All, AnyOf, Built, Comparison, Field, Not, Operator, checked, normal, text_of
from domain.rules.building_back import builder_of
from persistence.conditions import bind, compile_condition

WORDS = ("CRITICAL", "HIGH", "MEDIUM", "LOW")
_NONE = {Operator.EXISTS, Operator.NOT_EXISTS}
_MANY = {Operator.IN, Operator.NOT_IN}
_ORDERED = {Operator.AT_LEAST, Operator.AT_MOST}
_NUMBER_OPERATORS = (
    *(Operator.EQUALS, Operator.NOT_EQUALS, Operator.AT_LEAST, Operator.AT_MOST),
    *(Operator.IN, Operator.NOT_IN),
)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
names = st.one_of(st.sampled_from(["env", "in", "app.kubernetes.io/name", "a-b", 'q"uote']), texts.filter(bool))


def read(text: str) -> Built | None:
    return builder_of(compile_condition(text).tree.root)


@st.composite
def comparisons(draw: st.DrawFn) -> Comparison:
    field = draw(st.sampled_from(list(Field)))
    if field in (Field.SEVERITY, Field.OCCURRENCES):
        operator = draw(st.sampled_from(_NUMBER_OPERATORS))
        value = st.sampled_from(WORDS) if field is Field.SEVERITY else st.integers(0, 999_999).map(str)
    else:
        fitting = [o for o in Operator if o not in _ORDERED and (field is Field.LABEL or o not in _NONE)]
        operator = draw(st.sampled_from(fitting))
        is_pattern = operator in (Operator.MATCHES, Operator.NOT_MATCHES)
        value = st.sampled_from(["^a", "b+$", "[0-9]"]) if is_pattern else texts
    least, most = (0, 0) if operator in _NONE else (1, 3) if operator in _MANY else (1, 1)
    values = draw(st.lists(value, min_size=least, max_size=most, unique=True))
    return Comparison(field, operator, tuple(values), draw(names) if field is Field.LABEL else None)


built = st.recursive(
    comparisons(),
    lambda parts: st.one_of(
        st.lists(parts, min_size=1, max_size=3).map(lambda found: All(tuple(found))),
        st.lists(parts, min_size=1, max_size=3).map(lambda found: AnyOf(tuple(found))),
        parts.map(Not),
    ),
    max_leaves=6,
)


@given(built)
def test_what_is_built_reads_back_as_it_was(tree: Built) -> None:
    tidy = checked(tree)
    text = text_of(tidy)
    assert read(text) == tidy, text
    assert text_of(normal(tidy)) == text


@given(comparisons())
def test_a_test_and_its_opposite_never_both_hold(one: Comparison) -> None:
    facts: dict[str, Any] = {
        **{field.value: "abc" for field in Field},
        "alert.severity": 3,
        "alert.occurrences": 7,
        "alert.labels": {"env": "abc", "in": "", "a-b": "9"},
    }
    bound = bind(facts)
    holds = compile_condition(text_of(normal(one))).holds(bound)
    opposite = compile_condition(text_of(normal(Not(one)))).holds(bound)
    assert not (holds and opposite)
    if one.field is not Field.LABEL or one.label in facts["alert.labels"]:
        assert holds or opposite


@pytest.mark.parametrize(
    ("tree", "text"),
    [
        (Comparison(Field.SERVICE, Operator.EQUALS, ("api",)), 'alert.service == "api"'),
        (Comparison(Field.SEVERITY, Operator.AT_LEAST, ("HIGH",)), "alert.severity >= HIGH"),
        (Comparison(Field.SEVERITY, Operator.IN, ("LOW", "MEDIUM")), "alert.severity in [LOW, MEDIUM]"),
        (Comparison(Field.OCCURRENCES, Operator.AT_LEAST, ("5",)), "alert.occurrences >= 5"),
        (Comparison(Field.LABEL, Operator.EQUALS, ("prod",), "env"), 'alert.labels.env == "prod"'),
        (Comparison(Field.LABEL, Operator.EQUALS, ("x",), "a-b"), 'alert.labels["a-b"] == "x"'),
        (Comparison(Field.LABEL, Operator.NOT_EQUALS, ("prod",), "env"), 'alert.labels[?"env"].orValue("") != "prod"'),
        (
            Comparison(Field.LABEL, Operator.NOT_IN, ("a", "b"), "env"),
            '!(alert.labels[?"env"].orValue("") in ["a", "b"])',
        ),
        (Comparison(Field.LABEL, Operator.NOT_EXISTS, (), "env"), '!("env" in alert.labels)'),
        (Comparison(Field.TITLE, Operator.NOT_CONTAINS, ("disk",)), '!alert.title.contains("disk")'),
        (
            All(
                (
                    Comparison(Field.TITLE, Operator.MATCHES, ("^db",)),
                    AnyOf(
                        (
                            Comparison(Field.SOURCE, Operator.EQUALS, ("a",)),
                            Not(Comparison(Field.SOURCE, Operator.EQUALS, ("b",))),
                        )
                    ),
                )
            ),
            'alert.title.matches("^db") && (alert.source == "a" || !(alert.source == "b"))',
        ),
    ],
)
def test_the_text_of_a_tree(tree: Built, text: str) -> None:
    assert text_of(tree) == text
    assert read(text) == tree


@pytest.mark.parametrize(
    "text",
    [
        "true",
        "alert.metadata.used > 90",
        'alert.title.lowerAscii().contains("disk")',
        'alert.labels.exists(name, name == "a")',
        'alert.title.size() > 3 && alert.service == "api"',
        'alert.labels[?"env"].orValue("") == "prod"',
        'alert.labels[?"env"].orValue("none") != "prod"',
        'alert.labels[?"env"].orValue("") in ["", "a"]',
        'alert.labels.env != "prod"',
        "alert.severity > LOW",
        "alert.severity >= 3",
        'alert.service == "a" ? true : false',
        "now > alert.started_at",
    ],
)
def test_what_no_builder_says_has_no_tree(text: str) -> None:
    assert read(text) is None


@pytest.mark.parametrize(
    ("tree", "said", "path"),
    [
        (All(()), "at least one condition", ()),
        (All((AnyOf(()),)), "at least one condition", ("all", "0")),
        (Comparison(Field.LABEL, Operator.EQUALS, ("x",)), "needs the label's name", ("compare", "label")),
        (Comparison(Field.TITLE, Operator.EQUALS, ("x",), "env"), "no other field has one", ("compare", "label")),
        (Comparison(Field.TITLE, Operator.EXISTS), "only a label may be absent", ("compare", "operator")),
        (Comparison(Field.TITLE, Operator.AT_LEAST, ("x",)), "TITLE is compared by EQUALS", ("compare", "operator")),
        (Comparison(Field.SEVERITY, Operator.CONTAINS, ("HIGH",)), "SEVERITY is compared by", ("compare", "operator")),
        (Comparison(Field.SEVERITY, Operator.EQUALS, ("high",)), "a severity is LOW", ("compare", "values", "0")),
        (Comparison(Field.OCCURRENCES, Operator.EQUALS, ("-1",)), "whole number", ("compare", "values", "0")),
        (Comparison(Field.TITLE, Operator.EQUALS, ("a", "b")), "takes 1 value, not 2", ("compare", "values")),
        (Comparison(Field.TITLE, Operator.IN, ()), "takes 1 to 100 values, not 0", ("compare", "values")),
        (Comparison(Field.LABEL, Operator.EXISTS, ("a",), "env"), "takes no value", ("compare", "values")),
        (Not(All((Comparison(Field.TITLE, Operator.IN, ()),))), "takes 1 to", ("not", "all", "0", "compare", "values")),
        (AnyOf(tuple(Comparison(Field.TITLE, Operator.EQUALS, (str(n),)) for n in range(101))), "may have 100", ()),
    ],
)
def test_what_cannot_be_built_is_refused_with_its_place(tree: Built, said: str, path: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput, match=said) as refused:
        checked(tree)
    assert tuple(refused.value.path) == path


def test_a_tree_of_many_levels_is_refused() -> None:
    tree: Built = Comparison(Field.TITLE, Operator.EQUALS, ("x",))
    for _ in range(12):
        tree = Not(AnyOf((tree, tree)))
        if len(repr(tree)) > 5_000:
            break
    for _ in range(40):
        tree = Not(tree)
    with pytest.raises(InvalidInput, match="too deep"):
        checked(tree)
