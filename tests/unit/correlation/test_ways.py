"""Are the ways that are found by the index, and kept, those that each rule asked in turn would give?"""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain.alerts.ingest import group_ways_of, prepare
from domain.alerts.normalise import NormalSignal, normalise
from domain.correlation.making import Maker, by_key
from domain.correlation.model import GroupField, GroupRule, GroupStrategy, Part
from domain.correlation.topology import topology_of
from domain.correlation.way import Way, WayKind
from domain.correlation.ways import MAX_WAYS, Correlation, RuleInForce
from domain.rules.condition import ConditionFailed
from domain.rules.facts import facts_of_signal
from domain.silences.matchers import LabelMatcher, MatchOperator
from persistence.conditions import bind, compile_condition
from tests.unit.alerts.signals import INTEGRATION, RESOLVED, START, signal, submission
from tests.unit.correlation.placed import a_rule

NAMES = ("env", "host", "job")
values = st.sampled_from(["", "a", "b", "ab", "x\ny", "Über"])
patterns = st.sampled_from(["a.*", "b|ab", ".*", "", "(?i)A", "[^a]+", ".+", "x.y", "x\\ny"])
TOPOLOGY = topology_of([("app", "db"), ("web", "app"), ("job", "db")])
CONDITIONS = (
    'alert.title.contains("Disk")',
    'alert.labels.env == "a"',
    'alert.labels.env == "a" || alert.service == "db"',
    'alert.severity >= HIGH && alert.labels.host.startsWith("a")',
    'alert.metadata.missing.deep == "x"',
    "true",
)


@st.composite
def matchers(draw: st.DrawFn) -> LabelMatcher:
    operator = draw(st.sampled_from(list(MatchOperator)))
    return LabelMatcher(draw(st.sampled_from(NAMES)), operator, draw(patterns if operator.is_regex else values))


@st.composite
def group_rules(draw: st.DrawFn) -> GroupRule:
    strategy = draw(st.sampled_from(list(GroupStrategy)))
    some = st.lists(matchers(), max_size=2).map(tuple)
    names = st.lists(st.sampled_from(NAMES), max_size=2, unique=True).map(tuple)
    more: dict[str, Any] = {}
    if strategy is not GroupStrategy.TOPOLOGY:
        more["labels"] = draw(names)
        more["fields"] = draw(st.lists(st.sampled_from(list(GroupField)), max_size=1).map(tuple))
    if strategy is GroupStrategy.TOGETHER:
        parts = draw(st.lists(st.lists(matchers(), min_size=1, max_size=2).map(tuple), min_size=2, max_size=3))
        more["parts"] = tuple(Part(name=str(number), matchers=part) for number, part in enumerate(parts))
    condition = draw(st.none() | st.sampled_from(CONDITIONS))
    rank = draw(st.integers(1, 3))
    return a_rule(strategy, rank=rank, matchers=draw(some), condition=condition, **more)


@st.composite
def signals(draw: st.DrawFn) -> NormalSignal:
    said = normalise(
        signal(
            labels=draw(st.dictionaries(st.sampled_from(NAMES), values)),
            title=draw(st.sampled_from(["Disk 95% full on a", "Disk 96% full on b", "CPU"])),
            service_name=draw(st.sampled_from([None, "db", "app", "web", "other"])),
        ),
        INTEGRATION,
        START,
    )
    said.group_key = draw(st.none() | st.just("by a rule"))  # type: ignore[misc] # as an alert rule would
    return said


def plain(rules: list[GroupRule], said: NormalSignal) -> list[Way]:
    """Each rule asked in turn, and no way after one that always leads into a group, the service's own aside."""
    found: dict[WayKind, list[Way]] = {kind: [] for kind in WayKind}
    if said.group_key is not None:
        found[WayKind.KEY].append(by_key(said.group_key))
    for rule in sorted(rules, key=lambda one: (one.rank, one.id)):
        if all(matcher.matches(said.labels) for matcher in rule.matchers) and _holds(rule, said):
            for way in Maker(TOPOLOGY).ways(rule, said, INTEGRATION.id):
                found[way.kind].append(way)
    ways: list[Way] = []
    for kind, of_kind in found.items():
        most = of_kind[: MAX_WAYS if kind in (WayKind.TOGETHER, WayKind.UPSTREAM) else 1]
        is_decided = any(way.kind in (WayKind.KEY, WayKind.LABELS, WayKind.SERVICE) for way in ways)
        ways += most if not is_decided or kind is WayKind.SERVICE else []
    return ways


def _holds(rule: GroupRule, said: NormalSignal) -> bool:
    if rule.condition is None:
        return True
    try:
        return compile_condition(rule.condition).holds(bind(facts_of_signal(said, INTEGRATION.id)))
    except ConditionFailed:
        return False


@given(st.lists(group_rules(), max_size=6), st.lists(signals(), min_size=1, max_size=6))
def test_the_index_finds_what_each_rule_asked_in_turn_would_give(
    rules: list[GroupRule], seen: list[NormalSignal]
) -> None:
    in_force = [
        RuleInForce(rule, None if rule.condition is None else compile_condition(rule.condition)) for rule in rules
    ]
    correlation = Correlation(version=1, rules=in_force, topology=TOPOLOGY, bind=bind)

    for said in seen:
        assert list(correlation.ways(said, INTEGRATION.id)) == plain(rules, said)


def test_a_batch_asks_for_the_ways_of_each_signal_once_and_for_none_of_what_is_open() -> None:
    correlation = Correlation(version=1, rules=[RuleInForce(a_rule(GroupStrategy.LABELS, labels=("env",)))])
    items = prepare([submission(START, signal(key=key, labels={"env": key[-1]})) for key in ("t:1:a", "t:1:b")])
    first, second = (item.content for item in items)
    assert isinstance(first, NormalSignal)
    assert isinstance(second, NormalSignal)

    every = group_ways_of(items, correlation)
    some = group_ways_of(items, correlation, is_passing=lambda key: key[1] == "t:1:a")

    assert [len(every.of(one) or ()) for one in (first, second)] == [1, 1]
    assert len(every.keys) == 2
    assert some.of(first) is None
    assert some.keys == every.keys[1:]
    assert some.has_passed_over([first, second])
    assert not some.has_passed_over([second])
    assert not every.has_passed_over([first, second])


def test_what_a_batch_itself_ends_is_not_passed_over() -> None:
    """It opens again in the batch, so it needs a group."""
    correlation = Correlation(version=1, rules=[RuleInForce(a_rule(GroupStrategy.LABELS, labels=("env",)))])
    ends = signal(RESOLVED, key="t:1:a", labels={"env": "a"})
    items = prepare([submission(START, ends), submission(START, signal(key="t:1:a", labels={"env": "a"}))])
    fires = items[1].content
    assert isinstance(fires, NormalSignal)

    ways = group_ways_of(items, correlation, is_passing=lambda _key: True)

    assert not ways.has_passed_over([fires])
    assert len(ways.keys) == 1


def test_without_a_rule_nothing_is_asked() -> None:
    items = prepare([submission(START, signal(labels={"env": "a"}))])
    assert group_ways_of(items, Correlation()).is_empty
