"""Which functions on texts may an expression use, beyond CEL's own? Those of CEL's strings extension, with bounds.

The extension itself is not loaded: its `replace`, `join` and `format` make a text of any size out of a small one.
"""

from collections.abc import Sequence

from cel_expr_python import cel

from domain.integrations.mapping import MAX_TEXT
from domain.text import lower_ascii

MAX_PARTS = 100

_UPPER = str.maketrans({chr(code): chr(code - 32) for code in range(ord("a"), ord("z") + 1)})


def upper_ascii(text: str) -> str:
    """`'p1'.upperAscii()` is `'P1'`."""
    return text.translate(_UPPER)


def trim(text: str) -> str:
    """Without white space at both ends."""
    return text.strip()


def substring(text: str, start: int, end: int | None = None) -> str:
    """`'web-07'.substring(4)` is `'07'`; `'web-07'.substring(0, 3)` is `'web'`."""
    stop = len(text) if end is None else end
    if not 0 <= start <= stop <= len(text):
        raise ValueError(f"substring({start}, {stop}) is outside of a text of {len(text)} characters")
    return text[start:stop]


def split(text: str, separator: str) -> list[str]:
    """`'a,b'.split(',')` is `['a', 'b']`; at most 100 parts."""
    if not separator:
        raise ValueError("split needs a separator")
    if text.count(separator) >= MAX_PARTS:
        raise ValueError(f"split would make more than {MAX_PARTS} parts")
    return text.split(separator)


def replace(text: str, old: str, new: str) -> str:
    """`'a_b'.replace('_', '-')` is `'a-b'`."""
    if not old:
        raise ValueError("replace needs a text to look for")
    if len(text) + text.count(old) * (len(new) - len(old)) > MAX_TEXT:
        raise ValueError(f"replace would make a text of more than {MAX_TEXT} characters")
    return text.replace(old, new)


def join(parts: Sequence[object], separator: str) -> str:
    """`['a', 'b'].join('/')` is `'a/b'`; the parts must be texts."""
    texts = [part for part in parts if isinstance(part, str)]
    if len(texts) != len(parts):
        raise ValueError("join needs a list of texts; wrap other values in string(…)")
    if sum(map(len, texts)) + len(separator) * len(texts) > MAX_TEXT:
        raise ValueError(f"join would make a text of more than {MAX_TEXT} characters")
    return separator.join(texts)


_STRING, _INT = cel.Type.STRING, cel.Type.INT


def _on_text(name: str, impl: object, *arguments: object, returns: object = _STRING) -> cel.FunctionDecl:
    overload = cel.Overload(f"bounded_{name}", returns, [_STRING, *arguments], True, impl)  # noqa: FBT003 - positional
    return cel.FunctionDecl(name, [overload])


FUNCTIONS = [
    _on_text("lowerAscii", lower_ascii),
    _on_text("upperAscii", upper_ascii),
    _on_text("trim", trim),
    _on_text("split", split, _STRING, returns=cel.Type.List(_STRING)),
    _on_text("replace", replace, _STRING, _STRING),
    cel.FunctionDecl(
        "substring",
        [
            cel.Overload("bounded_substring_from", _STRING, [_STRING, _INT], True, substring),  # noqa: FBT003
            cel.Overload("bounded_substring", _STRING, [_STRING, _INT, _INT], True, substring),  # noqa: FBT003
        ],
    ),
    cel.FunctionDecl(
        "join",
        [cel.Overload("bounded_join", _STRING, [cel.Type.List(cel.Type.DYN), _STRING], True, join)],  # noqa: FBT003
    ),
]
