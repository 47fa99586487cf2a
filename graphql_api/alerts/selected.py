"""Which columns of alerts does a list need? Those that its fields show, where it asks for nothing else.

A console's list shows a dozen of thirty-five attributes, and reading the others is a third of what the list costs. As
soon as anything of an alert is resolved (a team, a group, a decision), all is read.
"""

from collections.abc import Iterator
from typing import Any

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLResolveInfo,
    InlineFragmentNode,
    SelectionSetNode,
)

from graphql_api.context import Info
from graphql_api.shown import known_shown
from persistence.alerts import ALERT_COLUMNS

COLUMNS = frozenset(column.name for column in ALERT_COLUMNS)
TYPENAME = "__typename"
# Of a connection, what does not look at its alerts beyond their places.
_OF_THE_PAGE = frozenset({"pageInfo", "totalCount", TYPENAME})


def columns_shown(info: Info) -> frozenset[str] | None:
    """The attributes that a connection of alerts shows; None where it needs more than attributes.

    What `@skip` leaves out counts as asked for.
    """
    raw = info._raw_info  # noqa: SLF001 - no public way
    kind = raw.schema.type_map["Alert"]
    assert isinstance(kind, GraphQLObjectType)  # noqa: S101 - for the type checker
    columns: set[str] = set()
    for alert in _alerts(raw):
        name = alert.name.value
        if name == TYPENAME:
            continue
        definition = kind.fields.get(name)
        field = None if definition is None else known_shown(definition)
        if field is None or field.attribute not in COLUMNS:
            return None
        columns.add(field.attribute)
    return frozenset(columns)


def _alerts(raw: GraphQLResolveInfo[Any]) -> Iterator[FieldNode]:
    """What is asked of each alert."""
    for node in raw.field_nodes:
        for of_page in fields_of(raw, node.selection_set):
            if of_page.name.value == "nodes":
                yield from fields_of(raw, of_page.selection_set)
            elif of_page.name.value == "edges":
                for of_edge in fields_of(raw, of_page.selection_set):
                    if of_edge.name.value == "node":
                        yield from fields_of(raw, of_edge.selection_set)
            elif of_page.name.value not in _OF_THE_PAGE:
                yield of_page  # no field of an alert: everything is read


def names_asked(raw: GraphQLResolveInfo[Any], *path: str) -> frozenset[str]:
    """The names of the fields that are asked of what this field gives, or of what lies below it.

    What `@skip` leaves out counts as asked for.
    """
    nodes = list(raw.field_nodes)
    for name in path:
        nodes = [one for node in nodes for one in fields_of(raw, node.selection_set) if one.name.value == name]
    return frozenset(one.name.value for node in nodes for one in fields_of(raw, node.selection_set))


def fields_of(raw: GraphQLResolveInfo[Any], selected: SelectionSetNode | None) -> Iterator[FieldNode]:
    """The fields of a selection set, fragments expanded. None is within itself: that is no valid document."""
    for selection in selected.selections if selected else ():
        if isinstance(selection, FieldNode):
            yield selection
        elif isinstance(selection, InlineFragmentNode):
            yield from fields_of(raw, selection.selection_set)
        elif isinstance(selection, FragmentSpreadNode):
            yield from fields_of(raw, raw.fragments[selection.name.value].selection_set)
