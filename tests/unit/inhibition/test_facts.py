"""Does a parent hold whom Alertmanager's would? Its documented cases, as facts (inhibit/inhibit_test.go)."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from domain.ids import new_id
from domain.inhibition.model import Inhibition, InhibitionRule, Parent, parents_of
from domain.silences.matcher_syntax import parse_matchers

if TYPE_CHECKING:
    from uuid import UUID

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
Labels = dict[str, str]


def a_rule(source: str, target: str, *equal: str) -> InhibitionRule:
    return InhibitionRule(
        id=new_id(),
        name="a rule",
        source=parse_matchers(source),
        target=parse_matchers(target),
        equal=equal,
        created_at=NOON,
        updated_at=NOON,
    )


def held_by(rules: list[InhibitionRule], standing: list[Labels], labels: Labels) -> list[int]:
    """The places of the open alerts that hold one with these labels."""
    inhibition = Inhibition(tuple(rules))
    ids = [new_id() for _ in standing]
    parents: dict[str, list[Parent]] = {}
    for alert_id, one in zip(ids, standing, strict=True):
        for role in inhibition.roles(one):
            if role.is_source:
                parents.setdefault(role.key, []).append(Parent(key=role.key, alert_id=alert_id, is_both=role.is_both))
    mine: UUID = next((one for one, said in zip(ids, standing, strict=True) if said is labels), new_id())
    return [ids.index(parent.alert_id) for _, parent in parents_of(mine, inhibition.roles(labels), parents)]


@pytest.mark.parametrize(
    ("equal", "standing", "labels", "is_held"),
    [
        # TestInhibitRuleHasEqual
        pytest.param((), [], {"a": "b", "t": "1"}, False, id="no source alerts at all"),
        pytest.param((), [{"s": "1"}], {"a": "b", "t": "1"}, True, id="no equal labels: any source alert"),
        pytest.param(
            ("a", "b"), [{"s": "1", "a": "1", "b": "1"}], {"t": "1", "a": "1", "b": "1"}, True, id="all equal"
        ),
        pytest.param(
            ("a", "b"), [{"s": "1", "a": "1", "b": "2"}], {"t": "1", "a": "1", "b": "1"}, False, id="one differs"
        ),
        pytest.param(
            ("a", "b"),
            [{"s": "1", "a": "1", "b": "2"}, {"s": "1", "a": "1", "b": "1"}],
            {"t": "1", "a": "1", "b": "1"},
            True,
            id="another source alert is equal",
        ),
        pytest.param(("a",), [{"s": "1"}], {"t": "1"}, True, id="absent on both sides is equal"),
        pytest.param(("a",), [{"s": "1", "a": ""}], {"t": "1"}, True, id="absent and empty are equal"),
        pytest.param(("a",), [{"s": "1", "a": "1"}], {"t": "1"}, False, id="absent on one side differs"),
        pytest.param((), [{"s": "1"}], {"x": "1"}, False, id="no target"),
        pytest.param((), [{"x": "1"}], {"t": "1"}, False, id="no source"),
    ],
)
def test_equal_labels(equal: tuple[str, ...], standing: list[Labels], labels: Labels, is_held: bool) -> None:
    assert bool(held_by([a_rule('s="1"', 't="1"', *equal)], standing, labels)) is is_held


# TestInhibitRuleMatches: two rules, s1 → t1 where `e` is equal, and s2 → t2.
RULES = ('s1="1"', 't1="1"', "e"), ('s2="1"', 't2="1"', "e")


@pytest.mark.parametrize(
    ("labels", "is_held"),
    [
        pytest.param({"t1": "1", "e": "1"}, True, id="target of the first, source there, equal"),
        pytest.param({"t2": "1", "e": "1"}, True, id="target of the second"),
        pytest.param({"t1": "1", "t2": "1", "e": "1"}, True, id="target of both"),
        pytest.param({"t3": "1", "e": "1"}, False, id="target of none"),
        pytest.param({"t1": "1", "e": "0"}, False, id="not equal"),
        pytest.param({"s1": "1", "t1": "1", "e": "1"}, True, id="both kinds, held by one that is a source alone"),
        pytest.param({"t1": "0", "e": "1"}, False, id="another value"),
    ],
)
def test_rules(labels: Labels, is_held: bool) -> None:
    standing = [{"s1": "1", "t1": "2", "e": "1"}, {"s2": "1", "e": "1"}]
    assert bool(held_by([a_rule(*rule) for rule in RULES], standing, labels)) is is_held


def test_an_alert_never_holds_itself_nor_two_of_both_kinds_each_other() -> None:
    both = {"s": "1", "t": "1"}
    assert held_by([a_rule('s="1"', 't="1"')], [both], both) == []
    assert held_by([a_rule('s="1"', 't="1"')], [{"s": "1", "t": "1", "n": "2"}], both) == []
    assert held_by([a_rule('s="1"', 't="1"')], [{"s": "1", "t": "1"}, {"s": "1"}], both) == [1]
    assert held_by([a_rule('s="1"', 't="1"')], [{"s": "1", "t": "1"}], {"t": "1"}) == [0]
