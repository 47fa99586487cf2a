"""How costly may a condition be? Bounded by its shape, before it sees an alert.

CEL ends always, and its regular expressions take linear time; what is left to bound is how deep and how large a
condition is, and what it does once for each label or entry of the metadata (`exists`, `all`, `exists_one`).
"""

from collections.abc import Iterator

from domain.rules.condition import ConditionInvalid, place_of
from domain.rules.patterns import PatternInvalid, pattern_of
from domain.rules.tree import Call, Constant, Macro, Name, Node, Tree, depth_of, walk

MAX_DEPTH = 64
MAX_NODES = 1_000
MAX_MACROS = 8
MAX_MATCHES = 64
_MAX_MATCHES_IN_MACROS = 4
_LARGE = ("alert.description", "alert.metadata")


def check_cost(tree: Tree, text: str) -> None:
    """ConditionInvalid, with the place, for a condition that could take long or cannot work."""
    nodes = list(walk(tree.root))
    if len(nodes) > MAX_NODES:
        raise ConditionInvalid(f"is too large: at most {MAX_NODES} operators, names and values, not {len(nodes)}")
    depth = depth_of(tree.root)
    if depth > MAX_DEPTH:
        raise ConditionInvalid(f"is too deep: at most {MAX_DEPTH} levels, not {depth}")
    patterns = [node for node in nodes if isinstance(node, Call) and node.function == "matches"]
    if len(patterns) > MAX_MATCHES:
        raise ConditionInvalid(f"may use matches at most {MAX_MATCHES} times, not {len(patterns)}")
    for call in patterns:
        _check_pattern(call, tree, text)
    _check_macros([node for node in nodes if isinstance(node, Macro)], tree, text)


def _check_macros(macros: list[Macro], tree: Tree, text: str) -> None:
    if len(macros) > MAX_MACROS:
        raise ConditionInvalid(f"may use exists, all and exists_one at most {MAX_MACROS} times, not {len(macros)}")
    matches = 0
    for macro in macros:
        for node in _inside(macro):
            if isinstance(node, Macro):
                raise _at(node, tree, text, "must not run over a list within exists, all or exists_one")
            if isinstance(node, Name) and node.name in _LARGE:
                raise _at(node, tree, text, f"must not read {node.name} anew for each element of a list")
            matches += isinstance(node, Call) and node.function == "matches"
    if matches > _MAX_MATCHES_IN_MACROS:
        message = f"may use matches at most {_MAX_MATCHES_IN_MACROS} times within exists, all and exists_one"
        raise ConditionInvalid(message)


def _inside(macro: Macro) -> Iterator[Node]:
    for part in macro.body:
        yield from walk(part)


def _check_pattern(call: Call, tree: Tree, text: str) -> None:
    """A regular expression is a literal, so that a wrong one is found now and a compiled one is kept."""
    (pattern,) = call.arguments[-1:]
    if not isinstance(pattern, Constant) or not isinstance(pattern.value, str):
        raise _at(pattern, tree, text, 'matches takes a regular expression in quotes: matches("^db-[0-9]+$")')
    try:
        pattern_of(pattern.value)
    except PatternInvalid as error:
        raise _at(pattern, tree, text, f"not a valid regular expression (RE2): {error}") from None


def _at(node: Node, tree: Tree, text: str, message: str) -> ConditionInvalid:
    position = tree.positions.get(node.id)
    if position is None:
        return ConditionInvalid(message)
    if isinstance(node, Name):  # a dotted name is kept under its last dot
        position -= max(0, node.name.rfind("."))
    return ConditionInvalid(message, *place_of(text, position))
