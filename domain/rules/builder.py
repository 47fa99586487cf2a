"""How is a condition put together without writing CEL? As a tree of tests, which is its text said otherwise.

`text_of` writes the text; building_back.py reads a condition's tree, where it is made of nothing but what a builder can
say. Of one meaning there is one form (`normal`), so a condition that was built reads back as it was.

A label that is absent counts as empty where a test says what it must *not* be, as in Alertmanager; where it says what
it must be, an absent label is not that.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from domain.errors import InvalidInput
from domain.rules.condition import RANK_NAMES

MAX_TESTS = 100
MAX_LEVELS = 10
MAX_VALUES = 100


class Field(StrEnum):
    """What of an alert a test looks at."""

    TITLE = "alert.title"
    DESCRIPTION = "alert.description"
    SEVERITY = "alert.severity"
    SOURCE = "alert.source"
    SERVICE = "alert.service"
    LABEL = "alert.labels"
    INTEGRATION = "alert.integration"
    DEDUP_KEY = "alert.dedup_key"
    TEAM = "alert.team"
    STATUS = "alert.status"
    OCCURRENCES = "alert.occurrences"


class Operator(StrEnum):
    """How it is compared."""

    EQUALS = "equals"
    NOT_EQUALS = "not_equals"
    IN = "in"
    NOT_IN = "not_in"
    CONTAINS = "contains"
    NOT_CONTAINS = "not_contains"
    STARTS_WITH = "starts_with"
    NOT_STARTS_WITH = "not_starts_with"
    ENDS_WITH = "ends_with"
    NOT_ENDS_WITH = "not_ends_with"
    MATCHES = "matches"
    NOT_MATCHES = "not_matches"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    EXISTS = "exists"
    NOT_EXISTS = "not_exists"


_METHODS = {
    Operator.CONTAINS: "contains",
    Operator.STARTS_WITH: "startsWith",
    Operator.ENDS_WITH: "endsWith",
    Operator.MATCHES: "matches",
}
NEGATED = {
    Operator.IN: Operator.NOT_IN,
    Operator.CONTAINS: Operator.NOT_CONTAINS,
    Operator.STARTS_WITH: Operator.NOT_STARTS_WITH,
    Operator.ENDS_WITH: Operator.NOT_ENDS_WITH,
    Operator.MATCHES: Operator.NOT_MATCHES,
    Operator.EXISTS: Operator.NOT_EXISTS,
}
_POSITIVE = {negated: positive for positive, negated in NEGATED.items()}
_COMPARED = {
    Operator.EQUALS: "==",
    Operator.NOT_EQUALS: "!=",
    Operator.AT_LEAST: ">=",
    Operator.AT_MOST: "<=",
}
BY_FUNCTION = {f"_{sign}_": operator for operator, sign in _COMPARED.items()}
BY_METHOD = {method: operator for operator, method in _METHODS.items()}
_NUMBERS = frozenset({Field.SEVERITY, Field.OCCURRENCES})
_ORDERED = frozenset({Operator.AT_LEAST, Operator.AT_MOST})
_MANY = frozenset({Operator.IN, Operator.NOT_IN})
_NONE = frozenset({Operator.EXISTS, Operator.NOT_EXISTS})
NEGATIVE = frozenset({Operator.NOT_EQUALS, *_POSITIVE})
# What may follow a dot, less the words CEL keeps for itself.
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_RESERVED = frozenset(
    (
        *("as", "break", "const", "continue", "else", "false", "for", "function", "if", "import", "in", "let", "loop"),
        *("namespace", "null", "package", "return", "true", "var", "void", "while"),
    )
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison. `label` is there for the field LABEL; a severity's values are its words."""

    field: Field
    operator: Operator
    values: tuple[str, ...] = ()
    label: str | None = None


@dataclass(frozen=True, slots=True)
class All:
    """Each must hold."""

    parts: "tuple[Built, ...]"


@dataclass(frozen=True, slots=True)
class AnyOf:
    """One must hold."""

    parts: "tuple[Built, ...]"


@dataclass(frozen=True, slots=True)
class Not:
    """It must not hold."""

    part: "Built"


Built = Comparison | All | AnyOf | Not


# -- checking ------------------------------------------------------------------------------------------------------


def checked(built: Built, path: tuple[str, ...] = ()) -> Built:
    """The tree, if it can be written; InvalidInput names the first part that cannot."""
    tests = 0
    for part, at in _parts(built, path):
        if len(at) - len(path) > MAX_LEVELS * 2:
            message = f"is too deep: at most {MAX_LEVELS} levels"
            raise InvalidInput(message, at)
        if isinstance(part, Comparison):
            tests += 1
            check_comparison(part, (*at, "compare"))
        elif not isinstance(part, Not) and not part.parts:
            message = "name at least one condition"
            raise InvalidInput(message, at)
    if tests > MAX_TESTS:
        message = f"has {tests} tests, and may have {MAX_TESTS}"
        raise InvalidInput(message, path)
    return normal(built)


def _parts(built: Built, path: tuple[str, ...]) -> Iterator[tuple[Built, tuple[str, ...]]]:
    yield built, path
    if isinstance(built, Not):
        yield from _parts(built.part, (*path, "not"))
    elif not isinstance(built, Comparison):
        name = "all" if isinstance(built, All) else "any"
        for number, part in enumerate(built.parts):
            yield from _parts(part, (*path, name, str(number)))


def check_comparison(test: Comparison, path: tuple[str, ...]) -> None:
    """InvalidInput unless the field can be compared so, with these values."""
    if (test.label is not None) is not (test.field is Field.LABEL):
        message = "the field LABEL needs the label's name, and no other field has one"
        raise InvalidInput(message, (*path, "label"))
    if test.operator in _NONE and test.field is not Field.LABEL:
        message = "only a label may be absent: every alert has the other fields"
        raise InvalidInput(message, (*path, "operator"))
    fitting = _fitting(test.field)
    if test.operator not in fitting:
        message = f"the field {test.field.name} is compared by {', '.join(operator.name for operator in fitting)}"
        raise InvalidInput(message, (*path, "operator"))
    least, most = (0, 0) if test.operator in _NONE else (1, MAX_VALUES if test.operator in _MANY else 1)
    if not least <= len(test.values) <= most:
        wanted = f"{least} to {most} values" if most > 1 else f"{most} value" if most else "no value"
        message = f"{test.operator.name} takes {wanted}, not {len(test.values)}"
        raise InvalidInput(message, (*path, "values"))
    for number, value in enumerate(test.values):
        _check_value(test.field, value, (*path, "values", str(number)))


def _fitting(of: Field) -> list[Operator]:
    if of in _NUMBERS:
        return [*_COMPARED, Operator.IN, Operator.NOT_IN]
    return [
        operator for operator in Operator if operator not in _ORDERED and (of is Field.LABEL) >= (operator in _NONE)
    ]


def _check_value(of: Field, value: str, path: tuple[str, ...]) -> None:
    if of is Field.SEVERITY and value not in RANK_NAMES:
        message = f"a severity is {', '.join(RANK_NAMES)}"
        raise InvalidInput(message, path)
    if of is Field.OCCURRENCES and not (value.isascii() and value.isdecimal() and len(value) < 10):  # noqa: PLR2004
        message = "occurrences are a whole number from 0"
        raise InvalidInput(message, path)


def normal(built: Built) -> Built:
    """The one form of a tree: no list within a list of its kind, none of one, no double negation."""
    if isinstance(built, Comparison):
        if built.operator in _MANY:
            return Comparison(
                built.field, built.operator, tuple(dict.fromkeys(map(_tidy(built.field), built.values))), built.label
            )
        return Comparison(built.field, built.operator, tuple(map(_tidy(built.field), built.values)), built.label)
    if isinstance(built, Not):
        part = normal(built.part)
        if isinstance(part, Not):
            return part.part
        if isinstance(part, Comparison):
            return _negated(part) or Not(part)
        return Not(part)
    kind = type(built)
    parts: list[Built] = []
    for part in map(normal, built.parts):
        parts.extend(part.parts if isinstance(part, kind) else (part,))
    return parts[0] if len(parts) == 1 else kind(tuple(parts))


def _tidy(of: Field) -> Callable[[str], str]:
    return (lambda value: str(int(value))) if of is Field.OCCURRENCES else str


def _negated(test: Comparison) -> Comparison | None:
    """The test that holds where this one does not; None where an absent label fulfils neither."""
    if test.field is Field.LABEL and test.operator not in _NONE:
        return None
    other = NEGATED.get(test.operator) or _POSITIVE.get(test.operator)
    return None if other is None else _as(test, other)


def _as(test: Comparison, operator: Operator) -> Comparison:
    return Comparison(test.field, operator, test.values, test.label)


# -- writing -------------------------------------------------------------------------------------------------------


def text_of(built: Built) -> str:
    """The condition's text."""
    if isinstance(built, Comparison):
        return _comparison_text(built)
    if isinstance(built, Not):
        return f"!({text_of(built.part)})"
    sign = " && " if isinstance(built, All) else " || "
    return sign.join(
        text_of(part) if isinstance(part, Comparison | Not) else f"({text_of(part)})" for part in built.parts
    )


def _comparison_text(test: Comparison) -> str:
    if test.operator in _NONE:
        there = f"{_quoted(test.label or '')} in alert.labels"
        return there if test.operator is Operator.EXISTS else f"!({there})"
    field = _field_text(test)
    values = [value if test.field in _NUMBERS else _quoted(value) for value in test.values]
    if test.operator in _COMPARED:
        return f"{field} {_COMPARED[test.operator]} {values[0]}"
    positive = _POSITIVE.get(test.operator, test.operator)
    said = (
        f"{field} in [{', '.join(values)}]" if positive is Operator.IN else f"{field}.{_METHODS[positive]}({values[0]})"
    )
    if positive is test.operator:
        return said
    return f"!({said})" if positive is Operator.IN else f"!{said}"


def _field_text(test: Comparison) -> str:
    if test.field is not Field.LABEL:
        return test.field.value
    name = test.label or ""
    if test.operator in NEGATIVE:
        return f'alert.labels[?{_quoted(name)}].orValue("")'
    return (
        f"alert.labels.{name}" if _PLAIN.fullmatch(name) and name not in _RESERVED else f"alert.labels[{_quoted(name)}]"
    )


def _quoted(text: str) -> str:
    """A literal: JSON's escapes are among CEL's."""
    return json.dumps(text, ensure_ascii=False)
