"""Which pages of alerts are answered without graphql-core? Those of documents that ask for one and show attributes.

A list of alerts is what is asked most, by dashboards, scripts and consoles, and three quarters of what it cost was the
way through resolvers, objects and paths that such a document has no use for. What a document asks for is looked at
once. Whatever is not plain (a directive, a resolver, several root fields, an argument that is refused, a caller who may
not) takes graphql-core's way, which begins anew: its answers and errors are the same.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
)

from graphql_api.alerts.places import places_of
from graphql_api.alerts.raw_rows import Fields, can_be_written
from graphql_api.alerts.selected import COLUMNS, TYPENAME
from graphql_api.shown import Shown, known_shown


class Part(NamedTuple):
    """A field of the page: what it is, under its name in the answer, and what is shown of it."""

    name: str
    kind: str
    # Of `nodes`; of each edge's `node`.
    fields: Fields = ()
    # Of `pageInfo` and of an edge: the names in the answer and the fields.
    members: tuple[tuple[str, str], ...] = ()


class DirectPage(NamedTuple):
    """One page of alerts, as an operation asks for it."""

    name: str
    field: FieldNode
    operation: OperationDefinitionNode
    parts: tuple[Part, ...]
    attributes: frozenset[str]
    # Variables that say from where on: graphql_api/alerts/places.py.
    places: Mapping[str, str]


class NotPlain(Exception):
    """Something needs graphql-core."""


def direct_page(document: DocumentNode, operation: OperationDefinitionNode, schema: GraphQLSchema) -> DirectPage | None:
    """The page that an operation of a valid document asks for; None where it asks for anything else."""
    try:
        return _Reading(document, schema).page(operation)
    except NotPlain:
        return None


class Selections:
    """The selection sets of a valid document."""

    def __init__(self, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
        self._fragments = fragments

    def fields(
        self, kind: str, selected: SelectionSetNode | None, *, of: str = "", others: frozenset[str] = frozenset()
    ) -> dict[str, FieldNode]:
        """The fields of a selection set by their names in the answer. One that is asked for twice must be a leaf.

        `of` names a union that the kind belongs to, `others` are its other kinds: what is asked of them is left out.
        """
        found: dict[str, FieldNode] = {}
        for node in self._expanded(frozenset({kind, of}), selected, others):
            name = (node.alias or node.name).value
            plain(found.setdefault(name, node) is node or node.selection_set is None)
        return found

    def _expanded(
        self, kinds: frozenset[str], selected: SelectionSetNode | None, others: frozenset[str]
    ) -> Iterator[FieldNode]:
        for selection in selected.selections if selected else ():
            plain(not selection.directives)
            if isinstance(selection, FieldNode):
                yield selection
                continue
            within = self._fragments[selection.name.value] if isinstance(selection, FragmentSpreadNode) else selection
            assert isinstance(within, FragmentDefinitionNode | InlineFragmentNode)  # noqa: S101 - for the type checker
            plain(not within.directives)
            condition = None if within.type_condition is None else within.type_condition.name.value
            if condition not in others:
                plain(condition is None or condition in kinds)
                yield from self._expanded(kinds, within.selection_set, others)


class _Reading(Selections):
    def __init__(self, document: DocumentNode, schema: GraphQLSchema) -> None:
        super().__init__(
            {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
        )
        kind = schema.type_map["Alert"]
        assert isinstance(kind, GraphQLObjectType)  # noqa: S101 - for the type checker
        self._alert = kind
        self._attributes: set[str] = set()

    def page(self, operation: OperationDefinitionNode) -> DirectPage:
        plain(operation.operation is OperationType.QUERY and not operation.directives)
        fields = self.fields("Query", operation.selection_set)
        (name, field), *others = fields.items()
        plain(field.name.value == "alerts" and not others)
        parts = tuple(self._part(part, of) for part, of in self.fields("AlertConnection", field.selection_set).items())
        return DirectPage(name, field, operation, parts, frozenset(self._attributes), places_of(field, operation))

    def _part(self, name: str, node: FieldNode) -> Part:
        kind = node.name.value
        if kind == "nodes":
            return Part(name, kind, fields=self._of_alert(node.selection_set))
        if kind == "pageInfo":
            members = [(key, one.name.value) for key, one in self.fields("PageInfo", node.selection_set).items()]
            return Part(name, kind, members=tuple(members))
        if kind == "edges":
            return self._edges(name, node)
        plain(kind == TYPENAME)
        return Part(name, kind)

    def _edges(self, name: str, node: FieldNode) -> Part:
        shown: Fields = ()
        members = []
        for key, one in self.fields("AlertEdge", node.selection_set).items():
            if one.name.value == "node":
                plain(not shown)  # twice under two names
                shown = self._of_alert(one.selection_set)
            members.append((key, one.name.value))
        return Part(name, "edges", fields=shown, members=tuple(members))

    def _of_alert(self, selected: SelectionSetNode | None) -> Fields:
        shown: list[tuple[str, Shown | None]] = []
        for name, node in self.fields("Alert", selected).items():
            if node.name.value == TYPENAME:
                shown.append((name, None))
                continue
            field = known_shown(self._alert.fields[node.name.value])
            if field is None or field.attribute not in COLUMNS or not can_be_written(field):
                raise NotPlain
            self._attributes.add(field.attribute)
            shown.append((name, field))
        return tuple(shown)


def plain(is_so: object) -> None:
    """NotPlain unless it is so."""
    if not is_so:
        raise NotPlain
