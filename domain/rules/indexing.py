"""By which of its texts is a rule found? By a value that a fact must have, or a pattern that it must fit.

Values are looked up, one look for all rules; the patterns of a fact are one program of RE2, one pass for all rules. A
condition of alternatives is found by each of them. What has neither is asked every time, behind its screen.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import re2

from domain.remembered import MAX_LENGTH, Remembered
from domain.rules.patterns import is_cheap_in_a_set, new_set
from domain.rules.screening import AND, EQUAL, IN, OR, Place, conjuncts, place_of, texts_of
from domain.rules.tree import Call, Constant, Node, Tree

# Their values are so few, or so long, that a look by them would spare little; a severity is no text at all.
_TELLING = frozenset({"alert.service", "alert.source", "alert.integration", "alert.title", "alert.dedup_key"})
_MAX_ALTERNATIVES = 32
_LABELS = "alert.labels"
# As CEL finds a part of a text: over lines, from the very beginning, to the very end.
_PATTERNS: Mapping[str, str] = {
    "contains": "{}",
    "startsWith": "\\A{}",
    "endsWith": "{}\\z",
}
Facts = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Key:
    """One way by which a rule is found: the fact or label is one of these values, or fits this pattern."""

    place: Place
    values: frozenset[str] = frozenset()
    pattern: str | None = None

    @property
    def rank(self) -> tuple[bool, bool, int]:
        """How telling it is, the most first: values before patterns, names before labels, few before many."""
        return self.pattern is not None, self.place[1] is not None, len(self.values)


Keys = tuple[Key, ...]


def choices_of(tree: Tree) -> list[Keys]:
    """The ways to find the rule. Of one way each key is an alternative; none where it can be found by nothing."""
    return _choices(tree.root)


def _choices(node: Node) -> list[Keys]:
    if isinstance(node, Call) and node.function == AND:
        return [keys for part in conjuncts(node) for keys in _choices(part)]
    if isinstance(node, Call) and node.function == OR:
        sides = [_choices(part) for part in node.arguments]
        if not all(sides):
            return []
        told = tuple(key for side in sides for key in min(side, key=lambda keys: [key.rank for key in keys]))
        return [told] if len(told) <= _MAX_ALTERNATIVES else []
    key = _key(node)
    return [] if key is None else [(key,)]


def chosen_keys(trees: Sequence[Tree]) -> list[Keys | None]:
    """For each rule the way that is shared with the fewest others: what half of them ask for tells little."""
    return chosen_of([choices_of(tree) for tree in trees])


def chosen_of(choices: Sequence[list[Keys]]) -> list[Keys | None]:
    """As `chosen_keys`, of ways that are known."""
    used = Counter(
        (key.place, value) for ways in choices for way in ways for key in way for value in (*key.values, key.pattern)
    )

    def commonness(keys: Keys) -> tuple[int, list[tuple[bool, bool, int]]]:
        most = max(used[key.place, value] for key in keys for value in (*key.values, key.pattern) if value is not None)
        return most, [key.rank for key in keys]

    return [min(ways, key=commonness, default=None) for ways in choices]


def _key(node: Node) -> Key | None:
    if not isinstance(node, Call):
        return None
    if node.function in (EQUAL, IN):
        left, right = node.arguments
        if node.function == EQUAL and isinstance(left, Constant):
            left, right = right, left
        place, values = place_of(left), texts_of(right)
        return Key(place, values) if place is not None and values is not None and _tells(place) else None
    if node.target is None:
        return None
    place, pattern = place_of(node.target), _pattern(node)
    return Key(place, pattern=pattern) if place is not None and pattern is not None else None


def _tells(place: Place) -> bool:
    return place[1] is not None or place[0] in _TELLING


def _pattern(node: Call) -> str | None:
    argument = node.arguments[0] if node.arguments else None
    if not isinstance(argument, Constant) or not isinstance(argument.value, str) or not argument.value:
        return None
    if node.function == "matches":
        return argument.value if is_cheap_in_a_set(argument.value) else None
    form = _PATTERNS.get(node.function)
    return None if form is None else form.format(re2.escape(argument.value))


class Index:
    """Which rules, by their numbers, an alert's texts lead to."""

    def __init__(self) -> None:
        self.always: list[int] = []
        self._values: dict[Place, dict[str, list[int]]] = {}
        self._patterns: dict[Place, list[tuple[str, int]]] = {}
        self._programs: list[tuple[Place, _Programs]] = []

    def add(self, number: int, keys: Keys | None) -> None:
        """One more rule."""
        if keys is None:
            self.always.append(number)
            return
        for key in keys:
            if key.pattern is not None:
                self._patterns.setdefault(key.place, []).append((key.pattern, number))
            for value in key.values:
                self._values.setdefault(key.place, {}).setdefault(value, []).append(number)

    def close(self) -> None:
        """All rules are there: the patterns become programs."""
        self._programs = [(place, _Programs(patterns)) for place, patterns in self._patterns.items()]
        self.always.extend(number for _, programs in self._programs for number in programs.left_out)
        self.always = sorted(set(self.always))

    def numbers(self, facts: Facts) -> list[int]:
        """The rules that may hold, in order, each once."""
        labels: Any = facts[_LABELS]
        found: list[int] = []
        text: Any
        for (fact, label), values in self._values.items():
            text = facts[fact] if label is None else labels.get(label)
            numbers = values.get(text)
            if numbers is not None:
                found += numbers
        for (fact, label), programs in self._programs:
            text = facts[fact] if label is None else labels.get(label)
            if text is not None:
                found += programs.fitting(text)
        if not found:
            return self.always
        return sorted({*self.always, *found}) if len(found) > 1 or self.always else found


class _Programs:
    """The patterns of one fact as one program, and the rules each is of."""

    def __init__(self, patterns: list[tuple[str, int]]) -> None:
        self._set = new_set()
        self._numbers: list[int] = []
        self._known: Remembered[str, Sequence[int]] = Remembered()
        self.left_out: list[int] = []
        for pattern, number in patterns:
            self._set.Add(pattern.encode())
            self._numbers.append(number)
        # Fits everything: where even that is not found, the program has run out of memory, and says nothing.
        self._last = self._set.Add(b"")
        try:
            self._set.Compile()
        except re2.error:  # too large together: each is asked by itself
            self.left_out, self._numbers = self._numbers, []

    def fitting(self, text: str) -> Sequence[int]:
        """The rules whose pattern the text fits; all of them where that cannot be told."""
        if not self._numbers:
            return ()
        known = self._known.get(text)
        if known is not None:
            return known
        fitting = self._asked(text)
        return self._known.keep(text, fitting) if len(text) <= MAX_LENGTH else fitting

    def _asked(self, text: str) -> Sequence[int]:
        found = self._set.Match(text.encode("utf-8", "replace"))
        if self._last not in found:
            return self._numbers
        return [self._numbers[number] for number in found if number != self._last]
