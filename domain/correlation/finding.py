"""Which group rules may be for an alert at all? Found by what they ask for, so most are not even looked at.

A rule is found by a label's value, by a pattern that a label must fit, by what its condition asks for, or by one of the
labels that its alerts must have. A rule that asks for none of these is looked at for every alert.
"""

from collections.abc import Callable, Mapping, Sequence

from domain.correlation.model import GroupRule, GroupStrategy
from domain.rules.condition import Condition
from domain.rules.indexing import Index, Keys, choices_of, chosen_of
from domain.silences.matchers import LabelMatcher, MatchOperator
from domain.silences.pattern_set import PatternSet

Facts = Mapping[str, object]


class RuleIndex:
    """Finds rules by their places in an order."""

    def __init__(self, rules: Sequence[tuple[GroupRule, Condition | None]]) -> None:
        self._always: list[int] = []
        self._values: dict[str, dict[str, list[int]]] = {}
        self._present: dict[str, list[int]] = {}
        patterns: dict[str, list[tuple[str, int]]] = {}
        conditions: list[tuple[int, list[Keys]]] = []
        for place, (rule, condition) in enumerate(rules):
            ways = [rule.matchers]
            if rule.strategy is GroupStrategy.TOGETHER and _telling(rule.matchers) is None:
                ways = [part.matchers for part in rule.parts]
            telling = [_telling(matchers) for matchers in ways]
            choices = [] if condition is None else choices_of(condition.tree)
            if telling and all(one is not None for one in telling):
                for matcher in telling:
                    assert matcher is not None  # noqa: S101 - for the type checker
                    if matcher.operator is MatchOperator.EQUAL:
                        self._values.setdefault(matcher.name, {}).setdefault(matcher.value, []).append(place)
                    else:
                        patterns.setdefault(matcher.name, []).append((matcher.value, place))
            elif choices:
                conditions.append((place, choices))
            elif rule.strategy is GroupStrategy.LABELS and rule.labels and not rule.fields:
                for name in rule.labels:
                    self._present.setdefault(name, []).append(place)
            else:
                self._always.append(place)
        self._patterns = {name: PatternSet(kept) for name, kept in patterns.items()}
        self._conditions = _index_of(conditions)

    def places(self, labels: Mapping[str, str], facts: Callable[[], Facts]) -> list[int]:
        """The places of the rules that may be for an alert with these labels, in order, each once."""
        found = list(self._always)
        for name, by_value in self._values.items():
            places = by_value.get(labels.get(name, ""))
            if places is not None:
                found += places
        for name, patterns in self._patterns.items():
            value = labels.get(name)
            if value:
                found += patterns.fitting(value.encode("utf-8", "replace"))
        for name, places in self._present.items():
            if labels.get(name):
                found += places
        if self._conditions is not None:
            found += self._conditions.numbers(facts())
        return found if len(found) < 2 else sorted(set(found))  # noqa: PLR2004 - one is sorted


def _telling(matchers: Sequence[LabelMatcher]) -> LabelMatcher | None:
    """The matcher by which the rule is found: a value before a pattern, the longest of several."""
    equal = [one for one in matchers if one.operator is MatchOperator.EQUAL and one.value]
    if equal:
        return max(equal, key=lambda matcher: len(matcher.value))
    return next((one for one in matchers if one.operator is MatchOperator.REGEX and not one.accepts_anything), None)


def _index_of(conditions: Sequence[tuple[int, list[Keys]]]) -> Index | None:
    if not conditions:
        return None
    index = Index()
    for (place, _), keys in zip(conditions, chosen_of([choices for _, choices in conditions]), strict=True):
        index.add(place, keys)
    index.close()
    return index
