"""Does a rule set that has seen many alerts say of each what one says that has seen none?"""

import random
from dataclasses import replace

from bench.rules import INTEGRATION, NOW, alerts, rule
from domain.alerts.model import MAX_LABELS, Severity
from domain.alerts.normalise import NormalSignal, normalise
from domain.alerts.signal import Signal
from domain.ids import new_id
from domain.remembered import Remembered
from domain.rules.applying import apply_rules, holding
from domain.rules.facts import facts_of_signal
from domain.rules.model import AlertRule, Effects, Priority, RuleMode
from domain.rules.rule_set import RuleSet
from domain.silences.matcher_syntax import parse_matchers
from domain.silences.pattern_set import PatternSet
from persistence.conditions import CONDITIONS


def _rules() -> list[AlertRule]:
    """One for each way in which an alert can be otherwise."""
    made = [
        rule(1, 'alert.labels.env == "prod"', Effects(severity=Severity.CRITICAL, labels={"tier": "1", "env": "live"})),
        rule(2, 'alert.title.contains("host-1")', Effects(labels={"tier": "2"}, priority=Priority.P2)),
        rule(3, 'alert.service.startsWith("service-1")', Effects(suppress="known")),
        rule(4, 'alert.severity >= HIGH && alert.labels.alertname == "Disk"', Effects(suppress="planned")),
        rule(5, "alert.metadata.value > 3990", Effects(severity=Severity.LOW)),
        rule(6, 'alert.title.contains("of service-19")', Effects(group_by=("service", "title"))),
    ]
    return [replace(made[0], mode=RuleMode.MONITOR), *made, replace(made[4], id=new_id(), stops=True)]


def _rule_set() -> RuleSet:
    return RuleSet(version=1, rules=_rules(), engine=CONDITIONS)


def test_what_was_seen_before_changes_nothing() -> None:
    rules = _rules()
    seasoned = RuleSet(version=1, rules=rules, engine=CONDITIONS)
    arriving = alerts()
    for _ in range(2):
        for signal in random.Random(3).sample(arriving, 400):
            fresh = RuleSet(version=1, rules=rules, engine=CONDITIONS)
            assert apply_rules(signal, INTEGRATION.id, seasoned) == apply_rules(signal, INTEGRATION.id, fresh)


def test_an_alert_with_as_many_labels_as_it_may_have_is_looked_at_by_itself() -> None:
    """What a rule adds to it falls out again, which the same rule's memory of smaller alerts must not hide."""
    seasoned = _rule_set()
    few, many = _with_labels(3), _with_labels(MAX_LABELS)
    assert apply_rules(few, INTEGRATION.id, seasoned).labels["tier"] == "1"
    assert len(apply_rules(many, INTEGRATION.id, seasoned).labels) == MAX_LABELS
    assert apply_rules(few, INTEGRATION.id, seasoned).labels["tier"] == "1"


def test_of_long_labels_nothing_is_remembered() -> None:
    """What is kept stays small, whatever a source sends in a label that a rule writes over."""
    seasoned = _rule_set()
    short, long = _with_labels(3), _with_labels(3)
    long = replace(long, labels={**long.labels, "tier": "x" * 2_000})
    facts = facts_of_signal(long, INTEGRATION.id)
    held = holding(seasoned.on_signal, seasoned, facts)
    assert held.likeness(short) is not None
    assert held.likeness(long) is None
    assert apply_rules(long, INTEGRATION.id, seasoned) == apply_rules(long, INTEGRATION.id, seasoned)
    assert apply_rules(long, INTEGRATION.id, seasoned).labels["tier"] == "1"


def test_a_rule_that_changes_what_is_shown_makes_other_content() -> None:
    signal = _with_labels(3)
    changed = apply_rules(signal, INTEGRATION.id, _rule_set())
    assert changed.content_hash not in {signal.content_hash, 0}
    assert changed.content_hash == apply_rules(signal, INTEGRATION.id, _rule_set()).content_hash


def test_a_pattern_is_asked_once_for_a_value_and_says_the_same() -> None:
    (matcher,) = parse_matchers('instance=~"db-[0-9]+"')
    patterns = PatternSet([("db-.*", "db"), (".*-1", "one")])
    for _ in range(2):
        for value, fits, found in (("db-1", True, ["db", "one"]), ("db-x", False, ["db"]), ("web", False, [])):
            assert matcher.matches({"instance": value}) is fits
            assert list(patterns.fitting(value.encode())) == found


def test_what_is_remembered_is_bounded() -> None:
    remembered: Remembered[int, int] = Remembered(10)
    for number in range(35):
        remembered.keep(number, -number)
    assert remembered.get(34) == -34
    assert sum(remembered.get(number) is not None for number in range(35)) <= 10


def _with_labels(number: int) -> NormalSignal:
    labels = {"env": "prod"} | {f"label-{n:03}": "x" for n in range(number - 1)}
    said = Signal(title="t", source="s", dedup_key="k", dedup_recipe="r", severity=Severity.HIGH, labels=labels)
    return normalise(said, INTEGRATION, NOW)
