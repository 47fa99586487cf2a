"""Which builder says what a condition says? The tree of one that was built, or that could have been; None of others."""

from collections.abc import Mapping

from domain.errors import InvalidInput
from domain.rules.builder import (
    BY_FUNCTION,
    BY_METHOD,
    NEGATED,
    NEGATIVE,
    All,
    AnyOf,
    Built,
    Comparison,
    Field,
    Not,
    Operator,
    check_comparison,
    normal,
)
from domain.rules.condition import RANK_NAMES
from domain.rules.tree import Call, Constant, Listed, Name, Node, Select

_FIELDS: Mapping[str, Field] = {field.value: field for field in Field if field is not Field.LABEL}


def builder_of(node: Node) -> Built | None:
    """The tree of a condition; None where it says what no builder can say."""
    read = _read(node)
    return None if read is None else normal(read)


def _read(node: Node) -> Built | None:
    if not isinstance(node, Call):
        return _existing(node)
    if node.function in ("_&&_", "_||_"):
        parts = [_read(part) for part in node.arguments]
        told = tuple(part for part in parts if part is not None)
        if len(told) < len(parts):
            return None
        return All(told) if node.function == "_&&_" else AnyOf(told)
    if node.function == "!_":
        return _read_not(node.arguments[0])
    return _read_comparison(node)


def _read_not(node: Node) -> Built | None:
    test = _read_comparison(node, is_negated=True) if isinstance(node, Call) else None
    if test is not None:
        return Comparison(test.field, NEGATED[test.operator], test.values, test.label)
    part = _read(node)
    return None if part is None else Not(part)


def _existing(node: Node) -> Built | None:
    if isinstance(node, Select) and node.is_test and _is_labels(node.operand):
        return Comparison(Field.LABEL, Operator.EXISTS, (), node.field)
    return None


def _read_comparison(node: Call, *, is_negated: bool = False) -> Comparison | None:
    """The comparison a call is. Of a negated one only those that say what a label, or nothing, must not be."""
    if node.function == "@in" and not is_negated and _names_label(node):
        return _existing_in(node)
    told = _sides(node)
    if told is None:
        return None
    left, operator, right = told
    place, values = _place(left), _values(right)
    if place is None or values is None or (is_negated and operator not in NEGATED):
        return None
    field, label, is_total = place
    if is_total is not (is_negated or operator in NEGATIVE) and (field is Field.LABEL or is_negated):
        return None
    comparison = Comparison(field, operator, values, label)
    try:
        check_comparison(comparison, ())
    except InvalidInput:
        return None
    return comparison


def _names_label(node: Call) -> bool:
    """`"env" in alert.labels`."""
    left, right = node.arguments
    return isinstance(left, Constant) and isinstance(left.value, str) and _is_labels(right)


def _existing_in(node: Call) -> Comparison | None:
    left = node.arguments[0]
    is_name = isinstance(left, Constant) and isinstance(left.value, str)
    return Comparison(Field.LABEL, Operator.EXISTS, (), str(left.value)) if is_name else None  # type: ignore[union-attr]


def _sides(node: Call) -> tuple[Node, Operator, Node] | None:
    """What is compared, how, and with what."""
    if node.function in BY_METHOD and node.target is not None:
        return node.target, BY_METHOD[node.function], node.arguments[0]
    if node.function == "@in" and isinstance(node.arguments[1], Listed):
        return node.arguments[0], Operator.IN, node.arguments[1]
    if node.function in BY_FUNCTION:
        return node.arguments[0], BY_FUNCTION[node.function], node.arguments[1]
    return None


Place = tuple[Field, str | None, bool]


def _place(node: Node) -> Place | None:
    if isinstance(node, Name):
        known = _FIELDS.get(node.name)
        return None if known is None else (known, None, False)
    if isinstance(node, Select):
        return (Field.LABEL, node.field, False) if _is_labels(node.operand) and not node.is_test else None
    if isinstance(node, Call) and node.function == "_[_]":
        return _indexed(node, is_total=False)
    if isinstance(node, Call) and node.function == "orValue" and isinstance(node.target, Call):
        (other,) = node.arguments
        if isinstance(other, Constant) and other.value == "" and node.target.function == "_[?_]":
            return _indexed(node.target, is_total=True)
    return None


def _indexed(node: Call, *, is_total: bool) -> Place | None:
    of, name = node.arguments
    if _is_labels(of) and isinstance(name, Constant) and isinstance(name.value, str):
        return Field.LABEL, name.value, is_total
    return None


def _is_labels(node: Node) -> bool:
    return isinstance(node, Name) and node.name == Field.LABEL.value


def _values(node: Node) -> tuple[str, ...] | None:
    nodes = node.elements if isinstance(node, Listed) and node.is_plain else (node,)
    told = [_value(part) for part in nodes]
    known = tuple(value for value in told if value is not None)
    return known if len(known) == len(told) else None


def _value(node: Node) -> str | None:
    if isinstance(node, Name):
        return node.name if node.name in RANK_NAMES else None
    if isinstance(node, Constant) and isinstance(node.value, str | int) and not isinstance(node.value, bool):
        return str(node.value)
    return None
