"""What does a checked condition consist of? Its syntax tree, read from the bytes in which CEL hands it over.

The engine evaluates; this tree is looked at: which facts a condition names, how large it is, which values it compares
with. The bytes are a `cel.expr.CheckedExpr` in protobuf's wire format; what is read of it is small enough to be read
by hand.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from struct import unpack

Scalar = str | int | float | bool | bytes | None
Parts = list[tuple[int, int | bytes]]

# Of the wire: how a field's value is written, and what marks that a number goes on in the next byte.
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_MORE = 0x80
_SIGN = 1 << 63
# Of the messages: the numbers of their fields.
_ANY_VALUE, _CHECKED_EXPRESSION, _CHECKED_SOURCE, _SOURCE_POSITIONS = 2, 4, 5, 4
_EXPRESSION_ID, _SELECT_TEST = 2, 3


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal."""

    value: Scalar
    id: int = 0


@dataclass(frozen=True, slots=True)
class Name:
    """A fact, a constant of the language, or a macro's own variable."""

    name: str
    id: int = 0


@dataclass(frozen=True, slots=True)
class Select:
    """`operand.field`, or `has(operand.field)` where `is_test`."""

    operand: "Node"
    field: str
    is_test: bool
    id: int = 0


@dataclass(frozen=True, slots=True)
class Call:
    """An operator or a function; a method has its `target`."""

    function: str
    target: "Node | None"
    arguments: "tuple[Node, ...]"
    id: int = 0


@dataclass(frozen=True, slots=True)
class Listed:
    """`[a, b]`, or the values of a map or message literal."""

    elements: "tuple[Node, ...]"
    id: int = 0
    is_plain: bool = True


@dataclass(frozen=True, slots=True)
class Macro:
    """`exists`, `all` or `exists_one` over a list or the names of a map."""

    variables: tuple[str, ...]
    over: "Node"
    body: "tuple[Node, ...]"
    id: int = 0


Node = Constant | Name | Select | Call | Listed | Macro


@dataclass(frozen=True, slots=True)
class Tree:
    """A whole condition. `positions` tells where in the text (from 0) each node stands."""

    root: Node
    positions: dict[int, int]


def children(node: Node) -> "tuple[Node, ...]":
    """The nodes right below one."""
    if isinstance(node, Select):
        return (node.operand,)
    if isinstance(node, Call):
        return node.arguments if node.target is None else (node.target, *node.arguments)
    if isinstance(node, Listed):
        return node.elements
    if isinstance(node, Macro):
        return (node.over, *node.body)
    return ()


def walk(node: Node) -> Iterator[Node]:
    """Every node from this one down."""
    pending = [node]
    while pending:
        found = pending.pop()
        yield found
        pending.extend(reversed(children(found)))


def depth_of(node: Node) -> int:
    """How many levels there are from this one down."""
    depth, level = 0, [node]
    while level:
        depth += 1
        level = [below for found in level for below in children(found)]
    return depth


def read_tree(serialized: bytes) -> Tree:
    """The tree of a serialized expression."""
    packed = dict(_fields(serialized))
    checked = list(_fields(_bytes(packed[_ANY_VALUE])))
    (root,) = _below(checked, _CHECKED_EXPRESSION)
    positions: dict[int, int] = {}
    for source in _messages(checked, _CHECKED_SOURCE):
        for entry in _messages(list(_fields(source)), _SOURCE_POSITIONS):
            at = dict(_fields(entry))
            positions[_int(at.get(1, 0))] = _int(at.get(2, 0))
    return Tree(root, positions)


def _node(data: bytes) -> Node:
    identifier, kind, content = 0, 0, b""
    for number, value in _fields(data):
        if number == _EXPRESSION_ID:
            identifier = _int(value)
        else:
            kind, content = number, _bytes(value)
    read = _READERS.get(kind)
    if read is None:
        message = f"an expression of kind {kind} is not known"
        raise ValueError(message)
    return read(list(_fields(content)), identifier)


def _read_constant(parts: Parts, identifier: int) -> Node:
    for number, value in parts:
        return Constant(_SCALARS[number](value), identifier)
    return Constant(None, identifier)


def _read_name(parts: Parts, identifier: int) -> Node:
    return Name(_text(parts, 1), identifier)


def _read_select(parts: Parts, identifier: int) -> Node:
    (operand,) = _below(parts, 1)
    return Select(
        operand, _text(parts, 2), any(number == _SELECT_TEST and bool(on) for number, on in parts), identifier
    )


def _read_call(parts: Parts, identifier: int) -> Node:
    target = _below(parts, 1)
    return Call(_text(parts, 2), target[0] if target else None, _below(parts, 3), identifier)


def _read_list(parts: Parts, identifier: int) -> Node:
    return Listed(_below(parts, 1), identifier)


def _read_struct(parts: Parts, identifier: int) -> Node:
    entries = [list(_fields(entry)) for entry in _messages(parts, 2)]
    return Listed(tuple(node for entry in entries for node in _below(entry, 3, 4)), identifier, is_plain=False)


def _read_macro(parts: Parts, identifier: int) -> Node:
    variables = tuple(name for name in (_text(parts, 1), _text(parts, 3), _text(parts, 8)) if name)
    (over,) = _below(parts, 2)
    return Macro(variables, over, _below(parts, 4, 5, 6, 7), identifier)


def _below(parts: Parts, *numbers: int) -> tuple[Node, ...]:
    return tuple(map(_node, _messages(parts, *numbers)))


def _messages(parts: Parts, *numbers: int) -> list[bytes]:
    return [_bytes(value) for number, value in parts if number in numbers]


def _text(parts: Parts, number: int) -> str:
    return next((_bytes(value).decode() for found, value in parts if found == number), "")


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        message = "a number stands where a message should"
        raise TypeError(message)
    return value


def _int(value: int | bytes) -> int:
    if isinstance(value, bytes):
        message = "a message stands where a number should"
        raise TypeError(message)
    return value - (1 << 64) if value & _SIGN else value


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a message: number and value, in their order."""
    at, end = 0, len(data)
    while at < end:
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield number, value
            continue
        if kind == _LENGTH:
            size, at = _varint(data, at)
        else:
            size = {_FIXED64: 8, _FIXED32: 4}[kind]
        yield number, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & ~_MORE) << shift
        if not byte & _MORE:
            return value, at
        shift += 7


def _double(value: int | bytes) -> float:
    found: float = unpack("<d", _bytes(value))[0]
    return found


_SCALARS: dict[int, Callable[[int | bytes], Scalar]] = {
    1: lambda _: None,
    2: bool,
    3: _int,
    4: _int,
    5: _double,
    6: lambda value: _bytes(value).decode(),
    7: _bytes,
}
_READERS: dict[int, Callable[[Parts, int], Node]] = {
    3: _read_constant,
    4: _read_name,
    5: _read_select,
    6: _read_call,
    7: _read_list,
    8: _read_struct,
    9: _read_macro,
}
