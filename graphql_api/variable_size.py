"""How large may the variables of an operation be? Counted by the types they are for, before anything is made of them.

An input object is made field by field, those that were left out as well: fifty thousand empty ones, well within the
size of a request, kept a process from answering anybody for seconds, before it was even known who asked.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from graphql import (
    SKIP,
    DocumentNode,
    GraphQLEnumType,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    VariableNode,
    get_nullable_type,
    is_list_type,
    type_from_ast,
    value_from_ast_untyped,
)
from graphql.language import Visitor, VisitorAction, visit

# Items of lists, and fields of input objects, each time a variable stands somewhere: its value is made anew for each.
# The longest list that a field takes is of 500.
MAX_VALUES = 20_000
# What is not of its type, as far as that is seen here: each is refused by a message of its own, with guesses at what is
# meant, and a client reads no more than some.
MAX_WRONG = 10


def refused_variables(
    variables: Mapping[str, Any] | None,
    operation: OperationDefinitionNode,
    schema: GraphQLSchema,
    uses: Mapping[str, int],
) -> list[GraphQLError]:
    """Why the variables are not even looked at; empty when they are. `uses` says how often each stands somewhere."""
    values = wrong = 0
    for definition in operation.variable_definitions or ():
        name = definition.variable.name.value
        times = max(1, uses.get(name, 0))
        value = (variables or {}).get(name)
        if definition.default_value is not None and name not in (variables or {}):
            value = value_from_ast_untyped(definition.default_value)
        # What lies within a scalar (JSON) costs nothing: it is taken as it is.
        waiting: list[tuple[object, Any]] = [(value, type_from_ast(schema, definition.type))]
        while waiting:
            value, kind = waiting.pop()
            kind = get_nullable_type(kind)
            if value is None:
                continue
            if is_list_type(kind):
                items = value if isinstance(value, list) else [value]
                values += times * len(items)
                waiting += [(item, kind.of_type) for item in items[:MAX_VALUES]]
            elif isinstance(kind, GraphQLEnumType):
                wrong += not isinstance(value, str) or value not in kind.values
            elif isinstance(kind, GraphQLInputObjectType) and isinstance(value, dict):
                values += times * len(kind.fields)
                wrong += sum(field not in kind.fields for field in value)
                waiting += [(value[field], of.type) for field, of in kind.fields.items() if field in value]
            else:
                wrong += isinstance(kind, GraphQLInputObjectType)
            if values > MAX_VALUES:
                bound = f"at most {MAX_VALUES} items and fields, each time it is used"
                return [_refusal(f"variable `{name}` holds too much: {bound}")]
            if wrong > MAX_WRONG:
                return [_refusal(f"variable `{name}` holds too much that is not of its type")]
    return []


class _Uses(Visitor):
    """Counts where variables stand."""

    def __init__(self) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()

    def enter_variable_definition(self, *_: object) -> VisitorAction:
        """It is no use of it."""
        return SKIP

    def enter_variable(self, node: VariableNode, *_: object) -> None:
        """One more."""
        self.found[node.name.value] += 1


def uses_of(document: DocumentNode) -> Mapping[str, int]:
    """How often each variable stands somewhere in the document."""
    uses = _Uses()
    visit(document, uses)
    return uses.found


def _refusal(message: str) -> GraphQLError:
    return GraphQLError(message, extensions={"code": "LIMIT_EXCEEDED"})
