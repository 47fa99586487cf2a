"""Which fields only show an attribute, and how is it read and formatted? Looked at once, for graphql_api/execution.py.

For a list of objects that show nothing else the reading is written as code, once for a selection, as `dataclass` writes
`__init__`: a loop over the fields of each object takes three times as long.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

from graphql import (
    GraphQLField,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    Undefined,
    get_nullable_type,
)
from strawberry.schema.schema_converter import CustomGraphQLEnumType, GraphQLCoreConverter
from strawberry.types.field import StrawberryField

from graphql_api.scalars import format_time

Format: TypeAlias = Callable[[Any], Any]
MAX_INT = 2**31
_NAME = re.compile(r"[_A-Za-z][_0-9A-Za-z]*")


def show_as_it_is(_value: object) -> object:
    """Refuse: a value of the expected type never comes here."""
    return Undefined


def show_integer(value: object) -> object:
    """A number that GraphQL has as Int."""
    return value if type(value) is int and -MAX_INT <= value < MAX_INT else Undefined


def show_id(value: object) -> object:
    """The text of a UUID."""
    return str(value) if isinstance(value, UUID) else Undefined


def show_time(value: object) -> object:
    """A time as the API writes it."""
    return format_time(value) if type(value) is datetime else Undefined


def show_json(value: object) -> object:
    """A list; an object is shown as it is."""
    return value if type(value) is list else Undefined


class _EnumNames:
    """Gives the API's name of a member of one enum."""

    def __init__(self, kind: CustomGraphQLEnumType) -> None:
        self.names = {value.value: name for name, value in kind.values.items()}
        self.expected: Any = kind.wrapped_cls

    def __call__(self, value: Any) -> object:  # noqa: ANN401 - any value
        # `value.value` is a call of Python's.
        return self.names.get(value._value_, Undefined) if type(value) is self.expected else Undefined


# The type of a value that is shown as it is, and what is done with others.
# Types that are not named here take graphql-core's way.
_SCALARS: dict[str, tuple[type | None, Format]] = {
    "String": (str, show_as_it_is),
    "Int": (None, show_integer),
    "Boolean": (bool, show_as_it_is),
    "ID": (str, show_id),
    "DateTime": (None, show_time),
    "JSON": (dict, show_json),
}


def _format(kind: object) -> tuple[type | None, Format] | None:
    if isinstance(kind, GraphQLScalarType):
        return _SCALARS.get(kind.name)
    return (None, _EnumNames(kind)) if isinstance(kind, CustomGraphQLEnumType) else None


class Shown(NamedTuple):
    """A field that shows an attribute."""

    attribute: str
    as_it_is: type | None
    format: Format
    is_nullable: bool


def shown(field: GraphQLField) -> Shown | None:
    """How to show the field without a resolver; None when it needs graphql-core's way."""
    definition = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    is_plain = getattr(field.resolve, "_is_default", False) and not field.args
    if not is_plain or not isinstance(definition, StrawberryField) or definition.default_resolver is not getattr:
        return None
    if definition.extensions:
        return None  # they must be asked first: who may see it, for one
    formatting = _format(get_nullable_type(field.type))
    if formatting is None:
        return None
    return Shown(definition.python_name, *formatting, is_nullable=not isinstance(field.type, GraphQLNonNull))


def enum_names(field: Shown) -> Mapping[Any, str] | None:
    """The API's names of an enum by its values; None for a field of another kind."""
    return field.format.names if isinstance(field.format, _EnumNames) else None


def is_name(text: str) -> bool:
    """Whether a text is a name as GraphQL has them."""
    return _NAME.fullmatch(text) is not None


_KNOWN: dict[int, tuple[GraphQLField, Shown | None]] = {}


def known_shown(field: GraphQLField) -> Shown | None:
    """As `shown`, once a field of the schema; the field is kept, so that its identity is not given to another."""
    known = _KNOWN.get(id(field))
    if known is None:
        known = _KNOWN[id(field)] = (field, shown(field))
    return known[1]


@lru_cache(maxsize=1024)
def typename(kind: GraphQLObjectType) -> Shown:
    """The name of the type, whatever the object."""
    return Shown("__class__", None, lambda _: kind.name, is_nullable=False)


# The fields of a selection set: the name in the answer, graphql-core's details, and how it is shown, if it is.
Plan: TypeAlias = list[tuple[str, Any, Shown | None]]


def read(plan: Plan, source_value: Any, left: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401 - any object
    """What is shown of an object; Undefined, and on what is `left`, where graphql-core has to be asked."""
    results: dict[str, Any] = {}
    for name, details, field in plan:
        value: Any = Undefined
        if field is not None:
            attribute, as_it_is, formatting, is_nullable = field
            # Written out: a call for each field would be a third of the time.
            try:
                value = getattr(source_value, attribute)
                if value is None:
                    value = None if is_nullable else Undefined
                elif type(value) is not as_it_is:
                    value = formatting(value)
            except Exception:  # noqa: BLE001 - graphql-core asks again, and answers for the error
                value = Undefined
        if value is Undefined:
            left[name] = details
        results[name] = value
    return results


class NotShown(Exception):
    """Something about an object needs graphql-core."""


Reader: TypeAlias = Callable[[Sequence[Any]], list[dict[str, Any]]]
# How the value of `v` is checked and formatted in place; any other kind by a call of its `format`.
_IN_PLACE: dict[object, str] = {
    show_id: "str(v) if isinstance(v, UUID) else Undefined",
    show_time: "v.isoformat()[:-6] + 'Z' if type(v) is datetime and v.tzinfo is UTC else format_{0}(v)",
}
_ENUM = "names_{0}.get(v._value_, Undefined) if type(v) is enum_{0} else Undefined"
_CALL = "format_{0}(v)"


@lru_cache(maxsize=512)
def reader(fields: tuple[tuple[str, Shown], ...]) -> Reader:
    """A function that reads objects of which nothing but these fields is shown; any exception says that it cannot."""
    known: dict[str, Any] = {
        "NotShown": NotShown,
        "Undefined": Undefined,
        "UUID": UUID,
        "UTC": UTC,
        "datetime": datetime,
    }
    lines = ["def read(items):", " found = []", " for item in items:", "  made = {}"]
    for number, (name, field) in enumerate(fields):
        if not (is_name(name) and field.attribute.isidentifier()):
            raise NotShown  # never: GraphQL has no other names
        known |= {f"format_{number}": field.format, f"kind_{number}": field.as_it_is}
        if isinstance(field.format, _EnumNames):
            known |= {f"names_{number}": field.format.names, f"enum_{number}": field.format.expected}
        lines += [f"  v = item.{field.attribute}", *(f"  {line}" for line in _formatting(field, number))]
        lines.append(f"  made['{name}'] = v")
    lines += ["  found.append(made)", " return found", ""]
    exec("\n".join(lines), known)  # noqa: S102 - of names of fields alone
    made: Reader = known["read"]
    return made


def _formatting(field: Shown, number: int) -> list[str]:
    """The lines that make of `v` what is shown."""
    in_place = _ENUM if isinstance(field.format, _EnumNames) else _IN_PLACE.get(field.format, _CALL)
    formatted = [f"v = {in_place.format(number)}", "if v is Undefined: raise NotShown"]
    if field.as_it_is is not None:
        formatted = [f"if type(v) is not kind_{number}:", *(f" {line}" for line in formatted)]
    if field.is_nullable:
        return ["if v is not None:", *(f" {line}" for line in formatted)]
    # A format refuses None itself, as one of another type.
    return formatted
