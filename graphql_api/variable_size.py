"""How large may the variables of an operation be? Counted by the types they are for, before anything is made of them.

An input object is made field by field, those that were left out as well: fifty thousand empty ones, well within the
size of a request, kept a process from answering anybody for seconds, before it was even known who asked.
"""

from collections.abc import Mapping
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    get_nullable_type,
    is_list_type,
    type_from_ast,
)

# Items of lists, and fields of input objects. The longest list that a field takes is of 500.
MAX_VALUES = 20_000
# What is not of its type, as far as that is seen here: each is refused by a message of its own, with guesses at what is
# meant, and a client reads no more than some.
MAX_WRONG = 10


def refused_variables(
    variables: Mapping[str, Any] | None, operation: OperationDefinitionNode, schema: GraphQLSchema
) -> list[GraphQLError]:
    """Why the variables are not even looked at; empty when they are."""
    values = wrong = 0
    for definition in operation.variable_definitions or ():
        name = definition.variable.name.value
        # What lies within a scalar (JSON) costs nothing: it is taken as it is.
        waiting: list[tuple[object, Any]] = [((variables or {}).get(name), type_from_ast(schema, definition.type))]
        while waiting:
            value, kind = waiting.pop()
            kind = get_nullable_type(kind)
            if value is None:
                continue
            if is_list_type(kind):
                items = value if isinstance(value, list) else [value]
                values += len(items)
                waiting += [(item, kind.of_type) for item in items[:MAX_VALUES]]
            elif isinstance(kind, GraphQLEnumType):
                wrong += not isinstance(value, str) or value not in kind.values
            elif isinstance(kind, GraphQLInputObjectType) and isinstance(value, dict):
                values += len(kind.fields)
                wrong += sum(field not in kind.fields for field in value)
                waiting += [(value[field], of.type) for field, of in kind.fields.items() if field in value]
            else:
                wrong += isinstance(kind, GraphQLInputObjectType)
            if values > MAX_VALUES:
                return [_refusal(f"variable `{name}` holds too much: at most {MAX_VALUES} items and fields")]
            if wrong > MAX_WRONG:
                return [_refusal(f"variable `{name}` holds too much that is not of its type")]
    return []


def _refusal(message: str) -> GraphQLError:
    return GraphQLError(message, extensions={"code": "LIMIT_EXCEEDED"})
