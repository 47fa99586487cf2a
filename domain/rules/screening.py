"""Which rules can hold for an alert at all? Told by what most conditions begin with, without asking the engine.

Of a condition's tree the parts that must hold together are looked at. By the most telling of them a rule is found
(indexing.py); from simple comparisons a screen is made, a plain function that may say no. Whatever is not known here
says "perhaps": the engine decides, and its word is the same for every alert that a screen turns away. It costs a
fiftieth of asking the engine, and so do rules that never hold. Of a condition that is nothing but such comparisons the
screen is the whole answer (`is_exact`), and the engine is not asked at all.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import reduce

from domain.rules.condition import RANK_NAMES
from domain.rules.patterns import matches
from domain.rules.tree import Call, Constant, Listed, Name, Node, Select, Tree

Facts = Mapping[str, object]
Screen = Callable[[Facts], bool]
AND, OR, _NOT, EQUAL, IN, _INDEX = "_&&_", "_||_", "!_", "_==_", "@in", "_[_]"
_LABELS = "alert.labels"
_TEXTS = frozenset(
    {"alert.title", "alert.source", "alert.service", "alert.integration", "alert.dedup_key", "alert.description"}
    | {"alert.team", "alert.status"}
)
Place = tuple[str, str | None]


def screen_of(tree: Tree) -> Screen | None:
    """A function that is false where the condition cannot hold; None where nothing can be said."""
    screens = [screen for part in conjuncts(tree.root) if (screen := _screen(part)) is not None]
    if not screens:
        return None
    return reduce(_both, screens)


def _both(first: Screen, second: Screen) -> Screen:
    """Both of them; a loop over many takes three times as long."""
    return lambda facts: first(facts) and second(facts)


def is_exact(tree: Tree) -> bool:
    """Whether the screen's "perhaps" is a yes: nothing of the condition is left out of it.

    It may be, since nothing here negates what can be absent: a comparison with a label that is not there fails in the
    engine, which makes a condition not hold, and is false here.
    """
    return _is_exact(tree.root)


def _is_exact(node: Node) -> bool:
    if isinstance(node, Call) and node.function in (AND, OR):
        return all(_is_exact(part) for part in node.arguments)
    return (isinstance(node, Constant) and node.value is True) or _screen(node) is not None


def service_screen(service_filter: str) -> Screen:
    """The screen of a rule's own narrowing to services: a name, in which `*` stands for any text."""
    if "*" not in service_filter:
        return lambda facts: facts["alert.service"] == service_filter
    pattern = re.compile(".*".join(map(re.escape, service_filter.split("*"))), re.DOTALL)
    return lambda facts: pattern.fullmatch(str(facts["alert.service"])) is not None


def conjuncts(node: Node) -> Iterator[Node]:
    """The parts that must all hold."""
    if isinstance(node, Call) and node.function == AND:
        for part in node.arguments:
            yield from conjuncts(part)
    else:
        yield node


def texts_of(node: Node) -> frozenset[str] | None:
    """The text, or the list of texts, that a value is compared with."""
    nodes = node.elements if isinstance(node, Listed) and node.is_plain else (node,)
    values = [part.value for part in nodes if isinstance(part, Constant) and isinstance(part.value, str)]
    return frozenset(values) if values and len(values) == len(nodes) else None


def place_of(node: Node) -> Place | None:
    """A text fact, or a label read by a name that is written out."""
    if isinstance(node, Name) and node.name in _TEXTS:
        return node.name, None
    if isinstance(node, Select) and not node.is_test and _is_labels(node.operand):
        return _LABELS, node.field
    if isinstance(node, Call) and node.function == _INDEX:
        of, name = node.arguments
        if _is_labels(of) and isinstance(name, Constant) and isinstance(name.value, str):
            return _LABELS, name.value
    return None


def _is_labels(node: Node) -> bool:
    return isinstance(node, Name) and node.name == _LABELS


def _reader(place: Place) -> Callable[[Facts], str | None]:
    fact, label = place
    if label is None:
        return lambda facts: facts.get(fact)  # type: ignore[return-value] # the vocabulary says it is a text
    return lambda facts: facts[_LABELS].get(label)  # type: ignore[attr-defined] # it is a mapping


def _screen(node: Node) -> Screen | None:
    if isinstance(node, Select):
        return _there(node)
    make = _SCREENS.get(node.function) if isinstance(node, Call) else None
    return None if make is None or not isinstance(node, Call) else make(node)


def _there(node: Node) -> Screen | None:
    """`has(alert.labels.x)`."""
    if isinstance(node, Select) and node.is_test and _is_labels(node.operand):
        label = node.field
        return lambda facts: label in facts[_LABELS]  # type: ignore[operator] # it is a mapping
    return None


def _either(node: Call) -> Screen | None:
    parts = [_screen_of_all(part) for part in node.arguments]
    alternatives = [part for part in parts if part is not None]
    if len(alternatives) < len(parts):
        return None
    return lambda facts: any(part(facts) for part in alternatives)


def _screen_of_all(node: Node) -> Screen | None:
    return screen_of(Tree(node, {}))


def _not_there(node: Call) -> Screen | None:
    """`!has(alert.labels.x)`: the one negation that is simple, for what is absent is nothing but absent."""
    there = _there(node.arguments[0])
    return None if there is None else lambda facts: not there(facts)


def _compared(node: Call) -> Screen | None:
    left, right = node.arguments
    if node.function == EQUAL and isinstance(left, Constant):
        left, right = right, left
    values, place = texts_of(right), place_of(left)
    if values is None or place is None:
        return None
    read = _reader(place)
    return lambda facts: read(facts) in values


_COMPARING: Mapping[str, Callable[[int, int], bool]] = {
    EQUAL: int.__eq__,
    "_!=_": int.__ne__,
    "_<_": int.__lt__,
    "_<=_": int.__le__,
    "_>_": int.__gt__,
    "_>=_": int.__ge__,
}


def _equal(node: Call) -> Screen | None:
    return _ranked(node) or _compared(node)


def _counted(left: Node, right: Node, compare: Callable[[int, int], bool]) -> Screen | None:
    """How often it occurred, compared with a number."""
    if not (isinstance(left, Name) and left.name == "alert.occurrences" and isinstance(right, Constant)):
        return None
    number = right.value
    if not isinstance(number, int) or isinstance(number, bool):
        return None
    return lambda facts: compare(facts["alert.occurrences"], number)  # type: ignore[arg-type] # it is a number


def _ranked(node: Call) -> Screen | None:
    """A severity compared with one of its words, or occurrences with a number."""
    left, right = node.arguments
    if not (isinstance(left, Name) and left.name == "alert.severity" and isinstance(right, Name)):
        return _counted(left, right, _COMPARING[node.function])
    rank = RANK_NAMES.get(right.name)
    if rank is None:
        return None
    compare = _COMPARING[node.function]
    passing = frozenset(number for number in RANK_NAMES.values() if compare(number, rank))
    return lambda facts: facts["alert.severity"] in passing


_METHODS: Mapping[str, Callable[[str], Callable[[str], bool]]] = {
    "contains": lambda part: lambda text: part in text,
    "startsWith": lambda part: lambda text: text.startswith(part),
    "endsWith": lambda part: lambda text: text.endswith(part),
    "matches": lambda expression: lambda text: matches(text, expression),
}


def _called(node: Call) -> Screen | None:
    """`alert.title.contains("…")` and its kin."""
    place = None if node.target is None else place_of(node.target)
    argument = node.arguments[0]
    if place is None or not isinstance(argument, Constant) or not isinstance(argument.value, str):
        return None
    read, test = _reader(place), _METHODS[node.function](argument.value)

    def screen(facts: Facts) -> bool:
        text = read(facts)
        return text is not None and test(text)

    return screen


_SCREENS: Mapping[str, Callable[[Call], Screen | None]] = {
    **dict.fromkeys(_COMPARING, _ranked),
    EQUAL: _equal,
    IN: _compared,
    OR: _either,
    _NOT: _not_there,
    **dict.fromkeys(_METHODS, _called),
}
