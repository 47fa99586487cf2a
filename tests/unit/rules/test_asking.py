"""Are the rules that are asked exactly those that could hold, whichever way they are found?"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ids import new_id
from domain.rules.applying import holding
from domain.rules.builder import All, AnyOf, Built, Comparison, Field, Not, Operator, checked, text_of
from domain.rules.condition import ConditionFailed
from domain.rules.indexing import choices_of
from domain.rules.model import AlertRule, RuleMode
from domain.rules.rule_set import RuleSet
from domain.rules.screening import is_exact
from persistence.conditions import CONDITIONS, bind, compile_condition
from tests.unit.alerts.signals import START

words = st.sampled_from(["", "a", "ab", "abc", "b", "web-1", "Über", "x\ny"])
patterns = st.sampled_from(["^a", "b$", "a|b", "[0-9]", "^$", "(?i)A", "é|Ü", "^x$"])
FIELDS = (Field.TITLE, Field.SOURCE, Field.SERVICE, Field.LABEL, Field.INTEGRATION, Field.DESCRIPTION)
OPERATORS = tuple(o for o in Operator if o not in (Operator.AT_LEAST, Operator.AT_MOST))


@st.composite
def comparisons(draw: st.DrawFn) -> Comparison:
    if draw(st.integers(0, 4)) == 0:
        ranks = st.sampled_from(["LOW", "MEDIUM", "HIGH", "CRITICAL"])
        operator = draw(st.sampled_from([Operator.EQUALS, Operator.NOT_EQUALS, Operator.AT_LEAST, Operator.AT_MOST]))
        return Comparison(Field.SEVERITY, operator, (draw(ranks),))
    field = draw(st.sampled_from(FIELDS))
    existing = (Operator.EXISTS, Operator.NOT_EXISTS)
    operator = draw(st.sampled_from([o for o in OPERATORS if field is Field.LABEL or o not in existing]))
    value = patterns if operator in (Operator.MATCHES, Operator.NOT_MATCHES) else words
    many = operator in (Operator.IN, Operator.NOT_IN)
    size = 0 if operator in existing else 1
    values = draw(st.lists(value, min_size=size, max_size=3 if many else size, unique=True))
    label = draw(st.sampled_from(["env", "host"])) if field is Field.LABEL else None
    return Comparison(field, operator, tuple(values), label)


conditions = st.recursive(
    comparisons(),
    lambda parts: st.one_of(
        st.lists(parts, min_size=1, max_size=3).map(lambda found: All(tuple(found))),
        st.lists(parts, min_size=1, max_size=3).map(lambda found: AnyOf(tuple(found))),
        parts.map(Not),
    ),
    max_leaves=5,
)


@st.composite
def alerts(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "alert.title": draw(words),
        "alert.description": draw(words),
        "alert.severity": draw(st.integers(1, 4)),
        "alert.source": draw(words),
        "alert.service": draw(words),
        "alert.labels": draw(st.dictionaries(st.sampled_from(["env", "host"]), words)),
        "alert.metadata": {},
        "alert.integration": draw(words),
        "alert.dedup_key": "k",
        "alert.started_at": START,
        "now": START,
    }


def rule(condition: str, number: int = 0, **more: Any) -> AlertRule:  # noqa: ANN401
    values = {"id": new_id(), "name": f"r{number}", "created_at": START, "updated_at": START, "position": number}
    return AlertRule(condition=condition, **{**values, **more})


def truth(condition: str, facts: dict[str, Any]) -> bool:
    return compile_condition(condition).holds(bind(facts))


@given(st.lists(conditions, min_size=1, max_size=6), st.lists(alerts(), min_size=1, max_size=4))
def test_no_rule_that_holds_is_left_out_and_all_come_in_order(trees: list[Built], seen: list[dict[str, Any]]) -> None:
    texts = [text_of(checked(tree)) for tree in trees]
    rules = RuleSet(version=1, rules=[rule(text, number) for number, text in enumerate(texts)], engine=CONDITIONS)
    for facts in seen:
        asked = [compiled.rule.position for compiled in rules.on_signal.candidates(facts)]
        assert asked == sorted(set(asked))
        assert {number for number, text in enumerate(texts) if truth(text, facts)} <= set(asked)


@given(st.lists(conditions, min_size=1, max_size=6), st.lists(alerts(), min_size=1, max_size=4))
def test_what_holds_is_what_the_engine_says_of_each(trees: list[Built], seen: list[dict[str, Any]]) -> None:
    """Also where the engine was not asked, because the screen is the whole condition."""
    texts = [text_of(checked(tree)) for tree in trees]
    rules = RuleSet(version=1, rules=[rule(text, number) for number, text in enumerate(texts)], engine=CONDITIONS)
    for facts in seen:
        held = [compiled.rule.position for compiled in holding(rules.on_signal, rules, facts).rules]
        assert held == [number for number, text in enumerate(texts) if truth(text, facts)]


@pytest.mark.parametrize(
    ("condition", "exact"),
    [
        ('alert.service == "a" && alert.severity >= HIGH', True),
        ('alert.labels.env in ["a", "b"] || (has(alert.labels.x) && !has(alert.labels.y))', True),
        ('alert.title.matches("^db-") || alert.title.contains("disk")', True),
        ("true", True),
        ("false", False),
        ('alert.labels.env != "a"', False),
        ('!(alert.service == "a")', False),
        ('alert.service == "a" && alert.metadata.value > 1', False),
        ('alert.service == "a" || alert.title.size() > 3', False),
        ('alert.labels.exists(name, name == "env")', False),
        ("alert.service == alert.source", False),
    ],
)
def test_whether_the_screen_is_the_whole_condition(condition: str, exact: bool) -> None:
    assert is_exact(compile_condition(condition).tree) is exact


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ('alert.service == "a" && alert.severity >= HIGH', True),
        ('"a" == alert.service', True),
        ('alert.labels.env in ["a", "b"]', True),
        ('alert.title.contains("disk") || alert.service == "a"', True),
        ('alert.title.contains("disk") || alert.severity == HIGH', False),
        ('alert.title.matches("^db-")', True),
        ('alert.title.matches("[a-z]{0,900}x")', False),
        ("alert.severity >= HIGH", False),
        ('!(alert.service == "a")', False),
        ('alert.title.contains("")', False),
        ("true", False),
    ],
)
def test_what_a_rule_is_found_by(condition: str, found: bool) -> None:
    assert bool(choices_of(compile_condition(condition).tree)) is found


def test_of_300_rules_about_services_only_those_of_the_service_are_asked() -> None:
    every = [rule(f'alert.service == "s{n}" && alert.labels.env == "prod"', n) for n in range(300)]
    rules = RuleSet(version=1, rules=every, engine=CONDITIONS)
    facts = {"alert.service": "s7", "alert.labels": {"env": "prod"}}
    assert [one.rule.position for one in rules.on_signal.candidates(facts)] == [7]
    assert list(rules.on_signal.candidates({"alert.service": "x", "alert.labels": {"env": "prod"}})) == []


@pytest.mark.parametrize(
    ("service_filter", "service", "asked"),
    [("web", "web", True), ("web", "web-1", False), ("web-*", "web-1", True), ("*", "", True), ("a*b*c", "aXbc", True),
     ("a*b", "a\nb", True), ("web.", "webs", False)],
)  # fmt: skip
def test_a_service_filter_narrows_a_rule(service_filter: str, service: str, asked: bool) -> None:
    rules = RuleSet(version=1, rules=[rule("true", service_filter=service_filter)], engine=CONDITIONS)
    facts = {"alert.service": service, "alert.labels": {}}
    assert bool(list(rules.on_signal.candidates(facts))) is asked


def test_what_is_off_or_no_longer_compiles_is_not_asked() -> None:
    every = [
        rule("true", 1, mode=RuleMode.DISABLED),
        rule("true", 2, archived_at=START),
        rule("alert.gone == 1", 3),
        rule("true", 4, mode=RuleMode.MONITOR),
        rule("alert.occurrences > 1", 5),
    ]
    rules = RuleSet(version=1, rules=every, engine=CONDITIONS)
    assert [one.rule.position for one in rules.on_signal.rules] == [4]
    assert [one.rule.position for one in rules.on_alert.rules] == [5]


def test_a_failure_is_no_answer() -> None:
    with pytest.raises(ConditionFailed):
        truth("1 / alert.labels.size() == 0", {"alert.labels": {}})
