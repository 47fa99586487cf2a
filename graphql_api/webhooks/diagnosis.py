"""Which field of an item is wrong? The strict decoder names a byte; people and programs need the field's path."""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec

from domain.alerts.signal import RejectedItem

Path: TypeAlias = tuple[str, ...]

# The escape a NUL arrives in: a raw one is not JSON. Its absence proves that no decoded string holds a NUL.
_NUL_ESCAPE = b"\\u0000"
# NUL fits no text column, a lone surrogate no UTF-8 at all.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
# msgspec's own bound on the digits of a number (and Python's).
_LONGEST_INT = 4_300
_LONGEST_NAME = 200
_MAX_LOOSE_DEPTH = 100
# A noncharacter, which no text holds: it stands where something was that cannot be stored.
UNSTORABLE_MARK = "\ufdd0"
_LONGEST_PATH = 20


@dataclass(eq=False)
class ItemError(Exception):
    """One item cannot become a signal. `path` names the field within the item, outermost first."""

    message: str
    path: Path = ()

    def __str__(self) -> str:
        return self.message

    def rejected(self, raw: bytes, prefix: Path = ()) -> RejectedItem:
        """The rejection as it goes onto the receipt."""
        return RejectedItem(message=self.message, path=prefix + self.path, raw=raw)


def may_hold_nul(body: bytes) -> bool:
    """Whether some string of the body may hold a NUL: then each item has to be looked at."""
    return _NUL_ESCAPE in body


def check_storable(raw: bytes, value: object) -> None:
    """ItemError naming the first string of a decoded value that holds a NUL; free when no such escape is in `raw`."""
    if _NUL_ESCAPE in raw:
        path = unstorable_path(value)
        if path is not None:
            raise ItemError("contains the character NUL, which cannot be stored", path)


def has_unstorable(text: str) -> bool:
    """Whether a text holds a NUL or a lone surrogate."""
    return _UNSTORABLE.search(text) is not None


def diagnose(raw: bytes) -> ItemError | None:
    """Which field made the strict decoder refuse these bytes? None when they are not JSON at all."""
    try:
        value = _loads(raw)
    except RecursionError:
        return ItemError("is nested too deeply")
    except ValueError:
        return None
    for place, entry in _walk(value):
        if isinstance(entry, _Flaw):
            return ItemError(entry.message, _path(place))
        if isinstance(entry, str) and (found := _UNSTORABLE.search(entry)):
            what = "the character NUL" if found[0] == "\x00" else "bytes that are not UTF-8, or a lone surrogate"
            return ItemError(f"contains {what}, which cannot be stored", _path(place))
    return ItemError("contains a control character or an escape that JSON does not allow")


def _loads(raw: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """JSON as Python's own decoder takes it: lone surrogates, control characters and all, with a _Flaw for a number."""
    return json.loads(
        raw.decode("utf-8", "surrogateescape"),
        strict=False,
        parse_int=_int_or_flaw,
        parse_float=_float_or_flaw,
        parse_constant=lambda name: _Flaw(f"{name} is not a JSON number"),
    )


def loose_value(raw: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """A JSON value in which UNSTORABLE_MARK stands for whatever cannot be stored, so that the rest can still be read.

    Raises ItemError when it is nested too deeply, ValueError when it is not JSON.
    """
    try:
        value = _loads(raw)
    except RecursionError as error:
        raise ItemError("is nested too deeply") from error
    return _marked(value, _MAX_LOOSE_DEPTH)


def _marked(value: object, depth: int) -> object:
    if isinstance(value, str):
        return _UNSTORABLE.sub(UNSTORABLE_MARK, value)
    if isinstance(value, _Flaw) or depth == 0:
        return UNSTORABLE_MARK
    if isinstance(value, list):
        return [_marked(entry, depth - 1) for entry in value]
    if isinstance(value, dict):
        return {_UNSTORABLE.sub(UNSTORABLE_MARK, name): _marked(entry, depth - 1) for name, entry in value.items()}
    return value


def marked_path(value: object) -> Path | None:
    """The path of the first UNSTORABLE_MARK in a value, if there is one."""
    for place, text in _walk(value):
        if isinstance(text, str) and UNSTORABLE_MARK in text:
            return _path(place)
    return None


@dataclass(frozen=True, slots=True)
class _Flaw:
    """Stands in a loosely decoded value for what strict JSON does not allow there."""

    message: str


def _int_or_flaw(digits: str) -> int | _Flaw:
    return int(digits) if len(digits) <= _LONGEST_INT else _Flaw(f"a number of {len(digits)} digits is out of range")


def _float_or_flaw(text: str) -> float | _Flaw:
    value = float(text)
    return value if math.isfinite(value) else _Flaw(f"the number {text[:40]} is out of range")


# A place in a JSON value: the place it is in, and its name there. Paths are spelt out only when one is reported:
# spelling out every leaf's would cost depth times leaves.
_Place: TypeAlias = "tuple[_Place, str] | None"


# What holds no text.
_PLAIN = frozenset({int, float, bool, type(None)})


def _walk(value: object) -> Iterator[tuple[_Place, object]]:
    """Every text of a JSON value, names and flaws included, with its place. Not recursive: nesting may be deep."""
    pending: list[tuple[_Place, object]] = [(None, value)]
    while pending:
        place, entry = pending.pop()
        if isinstance(entry, dict):
            for name, inner in entry.items():
                yield (place, name), name
                if type(inner) not in _PLAIN:
                    pending.append(((place, name), inner))
        elif isinstance(entry, list):
            for index, inner in enumerate(entry):
                if type(inner) not in _PLAIN:
                    pending.append(((place, str(index)), inner))
        else:
            yield place, entry


def _path(place: _Place) -> Path:
    """The place as a path that may stand in an answer and in the store."""
    names: list[str] = []
    while place is not None:
        place, name = place
        names.append(_UNSTORABLE.sub("\ufffd", name)[:_LONGEST_NAME])
    return tuple(reversed(names[:_LONGEST_PATH]))


def unstorable_path(value: object) -> Path | None:
    """The path of a string that cannot be stored, if there is one."""
    for place, text in _walk(value):
        if isinstance(text, str) and _UNSTORABLE.search(text):
            return _path(place)
    return None


_AT = re.compile(r" - at `(?:key in )?\$([^`]*)`$")
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+)\]")


def item_error_of(error: msgspec.ValidationError) -> ItemError:
    """The sentence and path of msgspec as ours: "Expected `str`, got `int` - at `$.labels[...]`"."""
    message = str(error)
    found = _AT.search(message)
    if found is None:
        return ItemError(message)
    return ItemError(
        message[: found.start()], tuple(name or index for name, index in _STEP.findall(found[1].replace("[...]", "")))
    )


def kind_of(value: object) -> str:
    """What a JSON value is, in the words of a refusal."""
    kinds = {dict: "an object", list: "a list", str: "text", bool: "a boolean", type(None): "null"}
    return kinds.get(type(value), "a number")
