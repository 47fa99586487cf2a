"""How does a test call every field of the schema? By the smallest operation that passes the types, made from it.

What its values name does not exist, so a field that is added later is called without a line of test being written.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    build_schema,
    get_named_type,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
)

from graphql_api.permissions import ROOT_FIELDS
from graphql_api.schema import printed

SCHEMA: GraphQLSchema = build_schema(printed())
NO_SUCH = str(UUID(int=7))
SCALARS: dict[str, Any] = {
    "ID": NO_SUCH,
    "String": "nothing",
    "Int": 1,
    "Float": 1.0,
    "Boolean": True,
    "DateTime": "2026-01-01T00:00:00Z",
    "LocalDate": "2026-01-01",
    "LocalTime": "09:00:00",
    "LocalDateTime": "2026-01-01T09:00:00",
    "Duration": "PT1H",
    "JSON": {},
    "Upload": None,
}


def value_for(kind: GraphQLInputType) -> Any:  # noqa: ANN401 - any JSON
    """A value that passes the type."""
    if isinstance(kind, GraphQLNonNull):
        return value_for(kind.of_type)
    if isinstance(kind, GraphQLList):
        return [value_for(kind.of_type)]
    if isinstance(kind, GraphQLEnumType):
        return next(iter(kind.values))
    if isinstance(kind, GraphQLInputObjectType):
        if kind.is_one_of:
            name, field = next(iter(kind.fields.items()))
            return {name: value_for(field.type)}
        return {name: value_for(field.type) for name, field in kind.fields.items() if is_required_input_field(field)}
    return SCALARS[kind.name]


def root_field(root: str, name: str) -> GraphQLField:
    """The field of a root type."""
    kind = SCHEMA.type_map[root]
    assert isinstance(kind, GraphQLObjectType)
    field: GraphQLField = kind.fields[name]
    return field


def operation(
    root: str,
    name: str,
    more: Mapping[str, Any] | None = None,
    *,
    depth: int = 0,
    without: frozenset[str] = frozenset(),
) -> tuple[str, dict[str, Any]]:
    """A smallest operation for a root field, and its variables; `more` are arguments it shall have besides.

    With a `depth` it shows what the answer holds, so many objects deep, but for the fields `without`, by their names.
    """
    field = root_field(root, name)
    wanted = {
        argument: definition
        for argument, definition in field.args.items()
        if isinstance(definition.type, GraphQLNonNull) or argument in (more or {})
    }
    declared = ", ".join(f"${argument}: {definition.type}" for argument, definition in wanted.items())
    given = ", ".join(f"{argument}: ${argument}" for argument in wanted)
    text = (
        f"{root.lower()}{f'({declared})' if declared else ''} "
        f"{{ {name}{f'({given})' if given else ''}{_shown(field, depth, without) if depth else _selection(field)} }}"
    )
    variables = {argument: value_for(definition.type) for argument, definition in wanted.items()}
    return text, {**variables, **(more or {})}


def _selection(field: GraphQLField) -> str:
    kind = get_named_type(field.type)
    if is_leaf_type(kind):
        return ""
    errors = isinstance(kind, GraphQLUnionType) and any(one.name == "Forbidden" for one in kind.types)
    return " { __typename ... on UserError { message code path } }" if errors else " { __typename }"


# They differ from one answer to the next.
_UNSTABLE = frozenset({"edges", "cursor", "pageInfo", "startCursor", "endCursor"})


def _shown(field: GraphQLField, depth: int, without: frozenset[str]) -> str:
    kind = get_named_type(field.type)
    if is_leaf_type(kind):
        return ""
    return " { " + " ".join(["__typename", *_fields_of(kind, depth, without)]) + " }"


def _fields_of(kind: Any, depth: int, without: frozenset[str]) -> Iterator[str]:  # noqa: ANN401 - a composite type
    if isinstance(kind, GraphQLUnionType):
        for member in kind.types:
            # Members may have fields of one name and several types: each goes by a name of its own.
            fields = [f"{member.name}_{text.partition(' ')[0]}: {text}" for text in _fields_of(member, depth, without)]
            if fields:
                yield f"... on {member.name} {{ {' '.join(fields)} }}"
        return
    for name, field in kind.fields.items():
        needs_more = any(is_required_argument(argument) for argument in field.args.values())
        inner = get_named_type(field.type)
        if name in _UNSTABLE or needs_more or name in without:
            continue
        if is_leaf_type(inner):
            yield name
        elif depth > 1:
            yield f"{name}{_shown(field, depth - 1, without)}"


def every_field() -> Iterator[tuple[str, str]]:
    """Each root field of the schema, with its root."""
    for root in ROOT_FIELDS:
        kind = SCHEMA.type_map[root]
        assert isinstance(kind, GraphQLObjectType)
        for name in kind.fields:
            yield root, name
