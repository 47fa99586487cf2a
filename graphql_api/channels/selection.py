"""What does a webhook post of an alert? Fields of the schema that somebody chose; checked when saved, run when sent.

A selection is written as in a query, `{ id title team { name } }`, and stands for the alert's fields. It is read by the
schema's own parser and put into a query of ours as a tree, so it can be nothing else than fields of one alert. It is
run with the sight of the channel's team and with the scope to read alerts alone, for nobody: what tells of a person is
refused when it is saved.
"""

from functools import lru_cache
from uuid import UUID

from graphql import (
    ArgumentNode,
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLSchema,
    NamedTypeNode,
    NameNode,
    NonNullTypeNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    TypeInfo,
    TypeInfoVisitor,
    VariableDefinitionNode,
    VariableNode,
    parse,
    print_ast,
)
from graphql.language import Visitor, visit

from domain.access.grant import Grant
from domain.access.scopes import Scope
from domain.errors import InvalidInput
from domain.identity.model import NOBODY, Role, Viewer, ViewerKind
from graphql_api.fields_below import FIELDS
from graphql_api.limits import Documents, Known, Limits

FIELD = "selection"
MAX_COST = 2_000
MAX_DEPTH = 8


def check_selection(text: str, schema: GraphQLSchema) -> None:
    """InvalidInput, with line and column, unless the text selects fields of an alert that a channel may post."""
    try:
        document = _wrapped(text)
        errors = documents().refusals(Known(document), schema)
        if not errors:
            visitor = _Forbidden(TypeInfo(schema))
            visit(document, TypeInfoVisitor(visitor.types, visitor))
            errors = visitor.found
    except GraphQLError as error:
        errors = [error]
    if errors:
        raise InvalidInput(_told(errors[0]), ("values", FIELD)) from errors[0]


@lru_cache(maxsize=256)
def query_of(text: str) -> str:
    """The query that a checked selection is run by; GraphQLError for what is none."""
    return print_ast(_wrapped(text))


def _wrapped(text: str) -> DocumentNode:
    try:
        document = parse(text, max_tokens=_limits().tokens)
    except RecursionError:
        raise GraphQLError("the selection is nested too deeply") from None
    (first, *more) = document.definitions
    is_selection = isinstance(first, OperationDefinitionNode) and first.operation is OperationType.QUERY
    if more or not is_selection or first.name or first.variable_definitions or first.directives:  # type: ignore[attr-defined]
        raise GraphQLError("a selection is one pair of braces with fields of the alert in it: { id title }", first)
    assert isinstance(first, OperationDefinitionNode)  # noqa: S101 - for the type checker: looked at above
    variable = VariableNode(name=NameNode(value="id"))
    field = FieldNode(
        alias=None,
        name=NameNode(value="alert"),
        arguments=(ArgumentNode(name=NameNode(value="id"), value=variable),),
        directives=(),
        selection_set=first.selection_set,
    )
    asked = VariableDefinitionNode(
        variable=variable,
        type=NonNullTypeNode(type=NamedTypeNode(name=NameNode(value="ID"))),
        default_value=None,
        directives=(),
    )
    query = OperationDefinitionNode(
        operation=OperationType.QUERY,
        name=None,
        variable_definitions=(asked,),
        directives=(),
        selection_set=SelectionSetNode(selections=(field,)),
    )
    return DocumentNode(definitions=(query,))


class _Forbidden(Visitor):
    """Finds fields that tell of a person, or that a key which reads alerts may not have."""

    def __init__(self, types: TypeInfo) -> None:
        super().__init__()
        self.types = types
        self.found: list[GraphQLError] = []

    def enter_field(self, node: FieldNode, *_: object) -> None:
        parent = self.types.get_parent_type()
        name = f"{parent.name if parent else ''}.{node.name.value}"
        need = FIELDS.get(name)
        if need is not None and (need.personal or need.refusal(viewer_of(None), name) is not None):
            self.found.append(GraphQLError(f"{name} is not for a channel to post", node))


def viewer_of(team_id: UUID | None) -> Viewer:
    """For whom a selection is run: a reader of alerts in the channel's team."""
    return Viewer(
        user_id=NOBODY,
        session_id=NOBODY,
        role=Role.VIEWER,
        team_ids=frozenset() if team_id is None else frozenset({team_id}),
        kind=ViewerKind.SERVICE_ACCOUNT,
        grant=Grant(key_id=NOBODY, scopes=frozenset({Scope.ALERTS_READ})),
    )


def _limits() -> Limits:
    return Limits(depth=MAX_DEPTH, aliases=20, tokens=1_000, cost=MAX_COST, introspection=False)


def documents() -> Documents:
    """A cache of documents that knows how much a selection may ask."""
    return Documents(_limits())


def _told(error: GraphQLError) -> str:
    where = error.locations[0] if error.locations else None
    return error.message if where is None else f"line {where.line}, column {where.column}: {error.message}"
