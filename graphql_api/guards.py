"""How is the table of permissions enforced? By one check before each field it speaks of, and each plain route."""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

import strawberry
from graphql import GraphQLError, GraphQLField, GraphQLObjectType, GraphQLResolveInfo, GraphQLSchema
from strawberry.extensions import FieldExtension
from strawberry.types.base import get_object_definition
from strawberry.types.field import StrawberryField

from domain.errors import Forbidden, StepUpRequired
from graphql_api.context import Context
from graphql_api.fields_below import FIELDS
from graphql_api.limits import CREDENTIALS
from graphql_api.needs import Access, Line, Need, need_of
from graphql_api.permissions import ROOT_FIELDS, ROUTES
from graphql_api.step_up import require_fresh_proof


def check_route(context: Context, name: str) -> None:
    """The same for a route. A key that is bound to a document has no other use."""
    check(ROUTES[name], context, name)
    grant = context.require_viewer().grant
    if grant is not None and grant.document_hash is not None:
        message = f"{name} is not in the document this API key is bound to"
        raise Forbidden(message)


def check(need: Need, context: Context, name: str) -> None:
    """Unauthenticated or Forbidden, unless the caller of this request may use the field."""
    if need.access is Access.ANYONE:
        return
    viewer = context.require_viewer(name)
    refusal = need.refusal(viewer, name)
    if refusal is not None:
        raise Forbidden(refusal)
    if need.personal and viewer.is_anybody:
        message = f"{name} would be made once for several viewers"
        raise RuntimeError(message)


def checked(need: Need, context: Context, name: str) -> None:
    """As `check`, and a refusal is noted for the audit log."""
    try:
        check(need, context, name)
    except Forbidden:
        context.noted.refuse(name)
        raise


class RequireRole(FieldExtension):
    """Lets a field be resolved only for callers who have what it needs.

    Nobody signed in is a top-level UNAUTHENTICATED error. Too little role is the domain's Forbidden, which a mutation
    answers in its payload; what is refused is on the audit log before the answer leaves (audit/recording.py).
    """

    def __init__(self, line: Line) -> None:
        self.need = need_of(line)

    def resolve(
        self, next_: Callable[..., Any], source: object, info: strawberry.Info[Any], **kwargs: object
    ) -> object:
        """Check, then resolve (fields without await)."""
        checked(self.need, info.context, info.field_name)
        return next_(source, info, **kwargs)

    async def resolve_async(
        self, next_: Callable[..., Awaitable[Any]], source: object, info: strawberry.Info[Any], **kwargs: object
    ) -> object:
        """Check, then resolve; a subscription's generator is handed on, not awaited."""
        checked(self.need, info.context, info.field_name)
        try:
            await require_fresh_proof(info.context, info.field_name)
        except StepUpRequired:
            info.context.noted.refuse(info.field_name)
            raise
        result: Any = next_(source, info, **kwargs)
        return await result if inspect.isawaitable(result) else result


def guard(root: type) -> None:
    """Put the table's need on every field of a root type; raise for a field the table does not know."""
    definition = get_object_definition(root, strict=True)
    known = ROOT_FIELDS[definition.name]
    for field in definition.fields:
        name = graphql_name(field)
        if name not in known:
            message = f"{definition.name}.{name} has no line in graphql_api/permissions.py: who may use it?"
            raise GraphQLError(message)
        field.extensions.insert(0, RequireRole(known[name]))


def guard_fields(schema: GraphQLSchema) -> None:
    """Put the table's needs on the fields of other types; raise for a line that names no field."""
    guesses = (name for table_ in ROOT_FIELDS.values() for name, need in table_.items() if need.credential)
    schema.extensions[CREDENTIALS] = frozenset(guesses)
    for place, need in FIELDS.items():
        kind, _, name = place.partition(".")
        found = schema.type_map.get(kind)
        if not isinstance(found, GraphQLObjectType) or name not in found.fields:
            message = f"graphql_api/fields_below.py speaks of {place}, which is not there"
            raise GraphQLError(message)
        _guard_field(found.fields[name], need, place)


def _guard_field(field: GraphQLField, need: Need, place: str) -> None:
    resolve: Any = field.resolve

    def guarded(source: object, info: GraphQLResolveInfo[Any], **arguments: object) -> object:
        checked(need, info.context, place)
        if need.personal:
            kind = info.parent_type.name.lower()
            info.context.noted.read_of(source, kind, viewer_id=info.context.require_viewer(place).user_id)
        return resolve(source, info, **arguments)

    field.resolve = guarded


def graphql_name(field: StrawberryField) -> str:
    """The field's name in the schema."""
    if field.graphql_name:
        return field.graphql_name
    head, *rest = field.python_name.split("_")
    return head + "".join(part.capitalize() for part in rest)
