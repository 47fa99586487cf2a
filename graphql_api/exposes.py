"""How does a domain object become a GraphQL object? It is handed over as it is; the type names only what is public.

There is no third copy of a model: a resolver returns the domain object, and the fields of the GraphQL type read its
attributes of the same name. A field that names no such attribute fails at import, not at three in the morning.
"""

import dataclasses
from collections.abc import Callable, Mapping
from enum import Enum
from typing import TYPE_CHECKING, TypeVar

import strawberry
from strawberry.types.base import get_object_definition

if TYPE_CHECKING:
    from strawberry.types.enum import StrawberryEnumDefinition

T = TypeVar("T")
E = TypeVar("E", bound=Enum)


def exposes(model: type, *, description: str, name: str | None = None) -> Callable[[type[T]], type[T]]:
    """Make the class the GraphQL type of `model`. Resolvers return instances of `model`, also inside unions."""

    def decorate(cls: type[T]) -> type[T]:
        def is_type_of(value: object, _info: object) -> bool:
            return isinstance(value, model | cls)

        cls.is_type_of = staticmethod(is_type_of)  # type: ignore[attr-defined] # strawberry reads it from the class
        made: type[T] = strawberry.type(cls, name=name, description=description)
        _check_attributes(made, model)
        return made

    return decorate


def _check_attributes(cls: type, model: type) -> None:
    definition = get_object_definition(cls, strict=True)
    known = {f.name for f in dataclasses.fields(model)} if dataclasses.is_dataclass(model) else set()
    for field in definition.fields:
        if field.base_resolver is None and field.python_name not in known and not hasattr(model, field.python_name):
            message = f"{cls.__name__}.{field.python_name} names no attribute of {model.__name__}"
            raise TypeError(message)


def expose_enum(enum: type[E], *, description: str, values: Mapping[E, str], name: str | None = None) -> type[E]:
    """Make a domain enum a GraphQL enum. Its member names are the public values; each needs a description."""
    strawberry.enum(enum, name=name, description=description)
    definition: StrawberryEnumDefinition = enum.__strawberry_definition__  # type: ignore[attr-defined]
    missing = [member.name for member in enum if member not in values]
    if missing:
        message = f"{enum.__name__} has values without a description: {', '.join(missing)}"
        raise TypeError(message)
    for value in definition.values:
        value.description = values[enum[value.name]]
    return enum
