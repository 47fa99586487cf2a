"""Does a label fulfil a condition? Alertmanager's four operators, with its rules: anchored RE2, absent means empty.

The text forms (`severity="critical",instance=~"db-.*"`) are read in matcher_syntax.py; here is the matcher itself and
its JSON form, which is the one of Alertmanager's API and of the `silences` table.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

import re2

from domain.errors import InvalidInput
from domain.remembered import MAX_LENGTH, Remembered

MAX_MATCHERS = 100
MAX_NAME = 200
MAX_VALUE = 4_000

# A pattern comes from outside: RE2 runs in linear time, and a program beyond this size is refused instead of built.
_PATTERN_MEMORY = 1 << 20
_REMEMBERED = 128
_RANGE_LENGTH = 16
# No UTF-8 has this byte.
_BEYOND_ALL = b"\xff"
_CLASSIC_NAME_START = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_:")
_CLASSIC_NAME = _CLASSIC_NAME_START | frozenset("0123456789")


class InvalidMatcher(InvalidInput):
    """A matcher that cannot be read or can never be evaluated; the message says where and why."""


class MatchOperator(StrEnum):
    """How a label is compared with the matcher's value."""

    EQUAL = "="
    NOT_EQUAL = "!="
    REGEX = "=~"
    NOT_REGEX = "!~"

    @property
    def is_regex(self) -> bool:
        """Whether the value is a regular expression."""
        return self in (MatchOperator.REGEX, MatchOperator.NOT_REGEX)

    @property
    def is_equal(self) -> bool:
        """Whether a label that compares equal (or matches) fulfils the matcher."""
        return self in (MatchOperator.EQUAL, MatchOperator.REGEX)

    @staticmethod
    def of(*, is_regex: bool, is_equal: bool) -> "MatchOperator":
        """The operator of the two flags of the JSON form."""
        if is_regex:
            return MatchOperator.REGEX if is_equal else MatchOperator.NOT_REGEX
        return MatchOperator.EQUAL if is_equal else MatchOperator.NOT_EQUAL


class _Pattern(Protocol):
    """What we use of a compiled RE2 program."""

    def fullmatch(self, text: bytes) -> object | None: ...

    def possiblematchrange(self, maxlen: int) -> tuple[bytes, bytes]: ...


def _compile(value: str) -> _Pattern:
    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    options.max_mem = _PATTERN_MEMORY
    try:
        # Bytes, not str: the wrapper then keeps no table of character offsets, which nobody here reads.
        compiled: _Pattern = re2.compile(value.encode("utf-8"), options)
    except re2.error as error:
        reason = error.args[0]
        text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise InvalidMatcher(f"not a valid regular expression (RE2): {text}", ("value",)) from None
    return compiled


def _bounds_of(pattern: _Pattern) -> tuple[bytes, bytes]:
    """Between which two values all lie that match it: most others are told by that, at a twentieth of the cost."""
    try:
        return pattern.possiblematchrange(_RANGE_LENGTH)
    except re2.error:
        return b"", _BEYOND_ALL


def bounds_of(pattern: str) -> tuple[bytes, bytes]:
    """The same of a pattern's text, which compiles."""
    return _bounds_of(_compile(pattern))


def _check_text(text: str, field_name: str, limit: int) -> None:
    if len(text) > limit:
        message = f"a matcher's {field_name} may have {limit} characters, this has {len(text)}"
        raise InvalidMatcher(message, (field_name,))
    # Neither fits a PostgreSQL text or jsonb, so no stored label could ever hold them.
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise InvalidMatcher(f"a matcher's {field_name} must be valid UTF-8 without NUL", (field_name,))


def _remembered() -> Remembered[bytes, bool]:
    """Of each matcher few: there are thousands of them."""
    return Remembered(_REMEMBERED)


@dataclass(frozen=True, slots=True)
class LabelMatcher:
    """One condition on a label. Built only when valid: a bad name, value or pattern raises InvalidMatcher."""

    name: str
    operator: MatchOperator
    value: str
    _pattern: _Pattern | None = field(init=False, repr=False, compare=False, default=None)
    # Every value that matches lies between these two, as UTF-8; all values where there is no pattern.
    bounds: tuple[bytes, bytes] = field(init=False, repr=False, compare=False, default=(b"", _BEYOND_ALL))
    # What the pattern said of values that lie between them.
    _known: Remembered[bytes, bool] = field(init=False, repr=False, compare=False, default_factory=_remembered)

    def __post_init__(self) -> None:
        if not self.name:
            raise InvalidMatcher("a matcher needs a label name", ("name",))
        _check_text(self.name, "name", MAX_NAME)
        _check_text(self.value, "value", MAX_VALUE)
        if self.operator.is_regex:
            pattern = _compile(self.value)
            object.__setattr__(self, "_pattern", pattern)
            object.__setattr__(self, "bounds", _bounds_of(pattern))

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether the labels fulfil it. A label that is absent counts as empty, as in Alertmanager."""
        actual = labels.get(self.name, "")
        operator = self.operator
        if operator is MatchOperator.EQUAL:
            return actual == self.value
        if operator is MatchOperator.NOT_EQUAL:
            return actual != self.value
        # Fully anchored: `d.*` is not found inside `id`. A lone surrogate becomes "?" instead of an error.
        encoded = actual.encode("utf-8", "replace")
        found = self.bounds[0] <= encoded <= self.bounds[1] and self._fits(encoded)
        return found if operator is MatchOperator.REGEX else not found

    def _fits(self, value: bytes) -> bool:
        known = self._known.get(value)
        if known is not None:
            return known
        fits = self._pattern is not None and self._pattern.fullmatch(value) is not None
        return self._known.keep(value, fits) if len(value) <= MAX_LENGTH else fits

    @property
    def accepts_anything(self) -> bool:
        """Whether it holds for the empty string, as Alertmanager counts it: a negative matcher never does."""
        return self.operator.is_equal and self.matches({})

    def as_json(self) -> dict[str, Any]:
        """The form of Alertmanager's API, and of the `silences` table."""
        return {
            "name": self.name,
            "value": self.value,
            "isRegex": self.operator.is_regex,
            "isEqual": self.operator.is_equal,
        }

    def __str__(self) -> str:
        """The text form; a name beyond the classic alphabet is quoted, so that reading it gives the same matcher."""
        name = self.name
        if name[0] not in _CLASSIC_NAME_START or not _CLASSIC_NAME.issuperset(name):
            name = _quote(name)
        return f"{name}{self.operator.value}{_quote(self.value)}"


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
    return f'"{escaped}"'


def matcher_from_json(value: object, path: Sequence[str] = ()) -> LabelMatcher:
    """Read `{name, value, isRegex, isEqual}`; `isEqual` left out is true, as older clients leave it out."""
    if not isinstance(value, Mapping):
        raise InvalidMatcher("a matcher must be an object", path)
    for key in ("name", "value"):
        if not isinstance(value.get(key), str):
            raise InvalidMatcher(f"{key} must be a string", (*path, key))
    flags = {"isRegex": value.get("isRegex"), "isEqual": value.get("isEqual", True)}
    for key, flag in flags.items():
        if not isinstance(flag, bool):
            raise InvalidMatcher(f"{key} must be true or false", (*path, key))
    operator = MatchOperator.of(is_regex=bool(flags["isRegex"]), is_equal=bool(flags["isEqual"]))
    try:
        return LabelMatcher(value["name"], operator, value["value"])
    except InvalidMatcher as error:
        raise InvalidMatcher(error.message, (*path, *error.path)) from None


def matchers_from_json(values: object, path: Sequence[str] = ("matchers",)) -> tuple[LabelMatcher, ...]:
    """Read a list of matchers."""
    if not isinstance(values, Sequence) or isinstance(values, str | bytes):
        raise InvalidMatcher("matchers must be a list", path)
    if len(values) > MAX_MATCHERS:
        raise InvalidMatcher(f"at most {MAX_MATCHERS} matchers, these are {len(values)}", path)
    return tuple(matcher_from_json(value, (*path, str(index))) for index, value in enumerate(values))


def check_not_everything(matchers: Sequence[LabelMatcher], path: Sequence[str] = ("matchers",)) -> None:
    """Refuse a silence that would hold every alert: a slip of one empty value must not silence a whole company."""
    if not matchers:
        raise InvalidMatcher("at least one matcher required", path)
    if all(matcher.accepts_anything for matcher in matchers):
        raise InvalidMatcher("at least one matcher must not match the empty string", path)
