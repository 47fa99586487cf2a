"""Which subscriptions are one? Those with the same document and variables but for `after`, and the same permissions."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any
from uuid import UUID

import orjson
from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    VariableNode,
    get_named_type,
)
from graphql.language import Visitor, visit

from domain.access.grant import Grant
from domain.access.scopes import Scope
from domain.identity.model import NOBODY, Role, Viewer
from domain.identity.proofs import SECOND_FACTORS
from graphql_api.fields_below import FIELDS
from graphql_api.fitted import fitted
from graphql_api.graphql_request import GraphQLRequest
from graphql_api.limits import Documents


class Follows(Enum):
    """What a subscription that can be shared brings: events of the log, lists of them, or a whole, made anew."""

    EVENTS = "alertEvents"
    BATCHES = "alertEventBatches"
    COUNTS = "alertCounts"


_FOLLOWS = {one.value: one for one in Follows}
# What tells of a person, or differs between two viewers of the same role and teams, as "Type.field". A document that
# selects one is run for each subscriber by itself, and the field refuses to be run for nobody in particular. What
# depends on role and teams alone is no reason: they are part of what must be equal.
PERSONAL_FIELDS = frozenset(place for place, need in FIELDS.items() if need.personal)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a subscription asks, without from where on."""

    follows: Follows
    query: str
    operation_name: str | None
    variables: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Permissions:
    """What a viewer may do and see, without who it is."""

    role: Role
    team_ids: frozenset[UUID]
    team_roles: frozenset[tuple[UUID, Role]] = frozenset()
    # What a key allows; None for who is signed in.
    scopes: frozenset[Scope] | None = None
    # A session that has yet to prove or to add a second factor is answered nothing (graphql_api/standing.py).
    has_factor: bool = False
    has_proved: bool = False

    @classmethod
    def of(cls, viewer: Viewer) -> "Permissions":
        """The viewer's."""
        return cls(
            role=viewer.role,
            team_ids=viewer.team_ids,
            team_roles=viewer.team_roles,
            scopes=None if viewer.grant is None else viewer.grant.scopes,
            has_factor=viewer.has_factor,
            has_proved=not SECOND_FACTORS.isdisjoint(viewer.proved_by),
        )

    def anybody(self) -> Viewer:
        """A viewer who has them and is nobody: a resolver that asked who it is would find no person's id."""
        return Viewer(
            user_id=NOBODY,
            session_id=NOBODY,
            role=self.role,
            team_ids=self.team_ids,
            team_roles=self.team_roles,
            grant=None if self.scopes is None else Grant(key_id=NOBODY, scopes=self.scopes),
            has_factor=self.has_factor,
            proved_by=SECOND_FACTORS if self.has_proved else frozenset(),
        )


def shape_of(asked: GraphQLRequest, documents: Documents, schema: GraphQLSchema) -> Shape | None:
    """The shape of a subscription that can be shared; None for one that is run by itself."""
    try:
        document = documents.parsed(asked.query).document
        operation = documents.operation(asked.query, asked.operation_name)
        root = _root_field(operation)
        if root is None or is_personal(document, schema):
            return None
        variables = _without_after(root, document, asked.variables or {})
        if variables is None:
            return None
        packed = fitted(orjson.dumps(variables, option=orjson.OPT_SORT_KEYS))
    except (GraphQLError, TypeError):
        return None  # it is refused, with the reason, when it runs
    return Shape(
        follows=_FOLLOWS[root.name.value], query=asked.query, operation_name=asked.operation_name, variables=packed
    )


def is_personal(document: DocumentNode, schema: GraphQLSchema) -> bool:
    """Whether a document selects anything that tells of a person: it is made for nobody but its viewer."""
    return any(field in PERSONAL_FIELDS for field in _selected(document, schema))


def _root_field(operation: OperationDefinitionNode) -> FieldNode | None:
    selections = operation.selection_set.selections
    only = selections[0] if len(selections) == 1 else None
    if isinstance(only, FieldNode) and only.name.value in _FOLLOWS and not only.directives:
        return only
    return None


def _without_after(root: FieldNode, document: DocumentNode, variables: dict[str, Any]) -> dict[str, Any] | None:
    """The variables without the one that says where to begin; None when that one says something else as well."""
    value = next((one.value for one in root.arguments or () if one.name.value == "after"), None)
    if not isinstance(value, VariableNode):
        return variables
    name = value.name.value
    uses = _VariableUses(name)
    visit(document, uses)
    # In its definition, and here.
    if uses.found != 2 or not isinstance(variables.get(name), str | None):  # noqa: PLR2004
        return None
    return {key: one for key, one in variables.items() if key != name}


class _VariableUses(Visitor):
    """Counts where a variable is written."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self.found = 0

    def enter_variable(self, node: VariableNode, *_: object) -> None:
        self.found += node.name.value == self._name


class _Fields(Visitor):
    """Collects the fields a document selects, as "Type.field"."""

    def __init__(self, types: TypeInfo) -> None:
        super().__init__()
        self._types = types
        self.found: set[str] = set()

    def enter_field(self, node: FieldNode, *_: object) -> None:
        parent = self._types.get_parent_type()
        if parent is not None:
            self.found.add(f"{get_named_type(parent).name}.{node.name.value}")


def _selected(document: DocumentNode, schema: GraphQLSchema) -> Iterator[str]:
    types = TypeInfo(schema)
    fields = _Fields(types)
    visit(document, TypeInfoVisitor(types, fields))
    yield from fields.found
