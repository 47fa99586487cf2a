"""What do the rules make of a signal and of an alert, in order, with the reason? Pure: no store."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.alerts.decisions import DecisionKind
from domain.alerts.model import Severity
from domain.alerts.normalise import NormalSignal, normalise
from domain.errors import InvalidInput
from domain.ids import new_id
from domain.rules.applying import apply_rules, merged_labels
from domain.rules.keys import checked_parts, key_of
from domain.rules.model import AlertRule, Effects, Priority, RuleMode
from domain.rules.on_alert import merged_changes
from domain.rules.rule_set import NO_RULES, RuleSet
from persistence.conditions import CONDITIONS
from tests.unit.alerts.signals import INTEGRATION, START, signal

TEAM = UUID("01890000-0000-7000-8000-000000000009")


def normal(**more: object) -> NormalSignal:
    values: dict[str, Any] = {"severity": Severity.LOW, "labels": {"env": "prod"}, "service_name": "api", **more}
    return normalise(signal(**values), INTEGRATION, START)


def rule(number: int, condition: str = "true", mode: RuleMode = RuleMode.ENABLED, **more: Any) -> AlertRule:  # noqa: ANN401
    known = {name: more.pop(name) for name in ("stops", "service_filter") if name in more}
    return AlertRule(
        id=new_id(),
        name=f"r{number}",
        condition=condition,
        mode=mode,
        position=number,
        created_at=START,
        updated_at=START,
        effects=Effects(**more),
        **known,
    )


def applied(one: NormalSignal, *rules: AlertRule) -> NormalSignal:
    return apply_rules(one, INTEGRATION.id, RuleSet(version=1, rules=rules, engine=CONDITIONS))


def told(one: NormalSignal) -> list[str]:
    return [decision.reason for decision in one.decisions if decision.kind is DecisionKind.RULE]


def test_without_rules_or_without_one_that_holds_the_signal_is_the_same_object() -> None:
    one = normal()
    assert apply_rules(one, INTEGRATION.id, NO_RULES) is one
    assert applied(one, rule(1, 'alert.service == "other"', severity=Severity.HIGH)) is one


def test_the_later_rule_counts_and_both_are_told() -> None:
    found = applied(
        normal(),
        rule(2, severity=Severity.CRITICAL, labels={"a": "2"}),
        rule(1, severity=Severity.HIGH, labels={"a": "1", "b": "1"}),
    )
    assert (found.severity, found.labels) == (Severity.CRITICAL, {"env": "prod", "a": "2", "b": "1"})
    assert told(found) == ["r1: changed the severity, labels", "r2: changed the severity, labels"]


def test_every_rule_sees_what_the_source_sent() -> None:
    found = applied(
        normal(),
        rule(1, severity=Severity.CRITICAL, labels={"env": "dev"}),
        rule(2, 'alert.severity == LOW && alert.labels.env == "prod"', suppress="as it was"),
    )
    assert found.verdict is not None
    assert len(found.verdict.suppressed_by) == 1
    assert found.verdict.origin.severity is Severity.LOW


def test_a_monitored_rule_changes_nothing_and_stops_nothing() -> None:
    one = normal()
    found = applied(
        one,
        rule(1, mode=RuleMode.MONITOR, severity=Severity.CRITICAL, suppress="quiet", dedup_by=("service",), stops=True),
        rule(2, severity=Severity.HIGH),
    )
    assert (found.severity, found.signal.dedup_key) == (Severity.HIGH, one.signal.dedup_key)
    assert found.verdict is not None
    assert found.verdict.suppressed_by == ()
    assert told(found)[0] == "r1: would suppress it (quiet)"


def test_a_rule_that_changes_nothing_is_told_all_the_same_and_the_content_is_the_same() -> None:
    one = normal()
    found = applied(one, rule(1, severity=Severity.LOW, labels={"env": "prod"}))
    assert told(found) == ["r1: changed nothing that is not so already"]
    assert found.content_hash == one.content_hash


def test_what_people_see_otherwise_is_other_content() -> None:
    one = normal()
    changed = [
        applied(one, rule(1, severity=Severity.HIGH)),
        applied(one, rule(1, priority=Priority.P1)),
        applied(one, rule(1, suppress="quiet")),
    ]
    assert len({found.content_hash for found in (one, *changed)}) == 4
    assert changed[1].labels["priority"] == "P1"


def test_lengths_and_keys_are_taken() -> None:
    effects: dict[str, Any] = {
        "auto_resolve_after": timedelta(minutes=5),
        "reopen_window": timedelta(hours=2),
        "group_by": ("labels.env",),
        "team_id": TEAM,
    }
    found = applied(normal(), rule(1, **effects))
    assert found.signal.expires_at == START + timedelta(minutes=5)
    assert found.verdict is not None
    assert (found.verdict.reopen_window, found.verdict.team_id) == (timedelta(hours=2), TEAM)
    assert found.group_key is not None
    assert found.group_key.endswith(":prod")
    said = START + timedelta(hours=9)
    assert applied(normal(expires_at=said), rule(1, **effects)).signal.expires_at == said, "the source is believed"


def test_a_failure_is_told_and_stops_nothing() -> None:
    found = applied(
        normal(metadata={"n": "x"}), rule(1, "alert.metadata.n < 3", stops=True), rule(2, severity=Severity.HIGH)
    )
    assert found.severity is Severity.HIGH
    assert found.verdict is not None
    assert len(found.verdict.failed) == 1
    assert "passed over" in told(found)[-1]


@given(st.permutations(range(5)))
def test_the_order_of_making_and_reading_does_not_count_only_the_place_does(order: list[int]) -> None:
    rules = [rule(number, severity=list(Severity)[number % 4], labels={"last": str(number)}) for number in range(5)]
    found = applied(normal(), *(rules[number] for number in order))
    assert found.labels["last"] == "4"
    assert [reason[:2] for reason in told(found)] == ["r0", "r1", "r2", "r3", "r4"]


labels = st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=5)


@given(labels, labels)
def test_labels_are_merged(known: dict[str, str], wanted: dict[str, str]) -> None:
    assert merged_labels(known, wanted) == {**known, **wanted}
    full = {str(number): "x" for number in range(100)}
    assert len(merged_labels(full, {"more": "y"})) == 100


texts = st.text(alphabet="ab/\\:", max_size=4)


@given(texts, texts, texts, texts)
def test_keys_of_different_parts_differ(a: str, b: str, c: str, d: str) -> None:
    def key(service: str, env: str) -> str:
        return key_of(("service", "labels.env"), {"alert.service": service, "alert.labels": {"env": env}})

    assert (key(a, b) == key(c, d)) == ((a, b) == (c, d))


def test_a_key_tells_its_recipe_and_an_absent_part_is_empty() -> None:
    facts = {"alert.service": "api", "alert.title": "Disk", "alert.labels": {}}
    assert key_of(("service", "labels.env"), facts).endswith(":api/")
    assert key_of(("service",), facts) != key_of(("title",), {**facts, "alert.title": "api"})
    assert key_of(("service",), {**facts, "alert.service": "x" * 300}).startswith("rule:1:#")


@pytest.mark.parametrize(
    "parts", [("host",), ("labels.",), ("service", "service"), tuple(f"labels.{n}" for n in range(11))]
)
def test_what_makes_no_key(parts: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput):
        checked_parts(parts, path=("dedupBy",))


def test_effects_keep_their_form() -> None:
    effects = Effects(
        severity=Severity.HIGH,
        team_id=TEAM,
        priority=Priority.P2,
        labels={"a": "b"},
        suppress="why",
        dedup_by=("service",),
        group_by=("labels.x",),
        reopen_window=timedelta(minutes=3),
        auto_resolve_after=timedelta(days=1),
    )
    assert Effects.of_json(effects.as_json()) == effects
    assert Effects.of_json({}) == Effects()


def test_what_is_taken_back_is_no_change() -> None:
    assert merged_changes({"severity": ["high", "low"]}, {"severity": ["low", "high"]}) == {}
    assert merged_changes({"title": ["a", "b"]}, {"severity": ["low", "high"]}) == {
        "title": ["a", "b"],
        "severity": ["low", "high"],
    }
