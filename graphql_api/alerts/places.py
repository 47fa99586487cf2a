"""Which variables of a page of alerts say nothing but from where on? Lists that differ in these alone are one list."""

from collections import Counter
from collections.abc import Iterator, Mapping

from graphql import (
    FieldNode,
    ListValueNode,
    NamedTypeNode,
    ObjectValueNode,
    OperationDefinitionNode,
    ValueNode,
    VariableNode,
)

CURSORS = frozenset({"after", "before"})


def places_of(field: FieldNode, operation: OperationDefinitionNode) -> Mapping[str, str]:
    """Of `after` and `before` those that are a plain variable, and its name: nullable, no default, used nowhere else.

    Nothing but the page's own arguments has variables in a document of which `graphql_api/alerts/direct.py` knows.
    """
    plain = {
        node.variable.name.value
        for node in operation.variable_definitions or ()
        if isinstance(node.type, NamedTypeNode) and node.type.name.value == "String" and node.default_value is None
    }
    arguments = field.arguments or ()
    used = Counter(name for argument in arguments for name in _variables(argument.value))
    return {
        argument.name.value: argument.value.name.value
        for argument in arguments
        if argument.name.value in CURSORS
        and isinstance(argument.value, VariableNode)
        and argument.value.name.value in plain
        and used[argument.value.name.value] == 1
    }


def _variables(value: ValueNode) -> Iterator[str]:
    if isinstance(value, VariableNode):
        yield value.name.value
    elif isinstance(value, ListValueNode):
        for one in value.values:
            yield from _variables(one)
    elif isinstance(value, ObjectValueNode):
        for member in value.fields:
            yield from _variables(member.value)
