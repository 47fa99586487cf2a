"""Who may do what? One table of fields and what each asks of its caller; one place that enforces it.

A root field that is not in the table stops the schema from building, so none can be added without a decision. Fields of
other types are reached only through a root field; those that ask more than their parent are in `FIELDS`. The test that
walks every field as every role and with every scope is tests/integration/access/test_every_field.py.
What a viewer may *see* of a list is another matter: domain/alerts/visibility.py.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import strawberry
from graphql import GraphQLError, GraphQLField, GraphQLObjectType, GraphQLResolveInfo, GraphQLSchema
from strawberry.extensions import FieldExtension
from strawberry.types.base import get_object_definition
from strawberry.types.field import StrawberryField

from domain.access.scopes import Scope
from domain.audit.model import AuditOutcome
from domain.errors import Forbidden
from graphql_api.context import Context
from graphql_api.needs import Access, Line, Need, need_of, table

# An `Access` alone: no API key may. `Need(role, scope)`: a key with the scope, acting for an owner with the role.
QUERIES: Mapping[str, Line] = {
    "me": Access.ANYONE,
    "serverInfo": Access.ANYONE,
    "users": Need(Access.VIEWER, Scope.PEOPLE_READ),
    "teams": Need(Access.VIEWER, Scope.PEOPLE_READ),
    "alert": Need(Access.VIEWER, Scope.ALERTS_READ),
    "alerts": Need(Access.VIEWER, Scope.ALERTS_READ),
    "alertCounts": Need(Access.VIEWER, Scope.ALERTS_READ),
    "searchAlerts": Need(Access.VIEWER, Scope.ALERTS_READ),
    "alertGroups": Need(Access.VIEWER, Scope.ALERTS_READ),
    "integration": Need(Access.VIEWER, Scope.INTEGRATIONS_READ),
    "integrations": Need(Access.VIEWER, Scope.INTEGRATIONS_READ),
    "ingestReceipt": Need(Access.VIEWER, Scope.INTEGRATIONS_READ),
    "rejectedItems": Need(Access.MANAGER, Scope.INTEGRATIONS_READ),
    "trustedDocuments": Need(Access.ADMIN, Scope.DOCUMENTS_WRITE),
}
MUTATIONS: Mapping[str, Line] = {
    # People
    "login": Need(Access.ANYONE, credential=True),
    "refreshSession": Access.ANYONE,
    "logout": Access.VIEWER,
    "createUser": Access.ADMIN,
    "createTeam": Need(Access.MANAGER, Scope.TEAMS_WRITE),
    "addTeamMember": Need(Access.MANAGER, Scope.TEAMS_WRITE),
    # Alerts
    "createAlert": Need(Access.OPERATOR, Scope.ALERTS_WRITE),
    "updateAlert": Need(Access.OPERATOR, Scope.ALERTS_WRITE),
    "acknowledgeAlert": Need(Access.OPERATOR, Scope.ALERTS_WRITE),
    "investigateAlert": Need(Access.OPERATOR, Scope.ALERTS_WRITE),
    "resolveAlert": Need(Access.OPERATOR, Scope.ALERTS_WRITE),
    "reopenAlert": Need(Access.OPERATOR, Scope.ALERTS_WRITE),
    "assignAlert": Need(Access.OPERATOR, Scope.ALERTS_WRITE),
    "commentOnAlert": Need(Access.OPERATOR, Scope.ALERTS_WRITE),
    "snoozeAlert": Need(Access.OPERATOR, Scope.ALERTS_WRITE),
    "wakeAlert": Need(Access.OPERATOR, Scope.ALERTS_WRITE),
    "acknowledgeAlerts": Need(Access.OPERATOR, Scope.ALERTS_WRITE),
    "resolveAlerts": Need(Access.OPERATOR, Scope.ALERTS_WRITE),
    "assignAlerts": Need(Access.OPERATOR, Scope.ALERTS_WRITE),
    "deleteAttachment": Need(Access.OPERATOR, Scope.ALERTS_WRITE),
    # Integrations
    "createIntegration": Need(Access.MANAGER, Scope.INTEGRATIONS_WRITE),
    "updateIntegration": Need(Access.MANAGER, Scope.INTEGRATIONS_WRITE),
    "rotateIntegrationKey": Need(Access.MANAGER, Scope.INTEGRATIONS_WRITE),
    "revokeIntegrationKey": Need(Access.MANAGER, Scope.INTEGRATIONS_WRITE),
    "archiveIntegration": Need(Access.MANAGER, Scope.INTEGRATIONS_WRITE),
    "previewSignal": Need(Access.MANAGER, Scope.INTEGRATIONS_READ),
    "replayRejectedItems": Need(Access.MANAGER, Scope.INTEGRATIONS_WRITE),
    # Trusted documents
    "registerDocuments": Need(Access.ADMIN, Scope.DOCUMENTS_WRITE),
    "removeDocument": Need(Access.ADMIN, Scope.DOCUMENTS_WRITE),
}
SUBSCRIPTIONS: Mapping[str, Line] = {
    "alertEvents": Need(Access.VIEWER, Scope.ALERTS_READ),
    "alertEventBatches": Need(Access.VIEWER, Scope.ALERTS_READ),
    "alertCounts": Need(Access.VIEWER, Scope.ALERTS_READ),
}
ROOT_FIELDS: Mapping[str, Mapping[str, Need]] = {
    "Query": table(QUERIES),
    "Mutation": table(MUTATIONS),
    "Subscription": table(SUBSCRIPTIONS),
}

# Fields of other types that ask more than the field that led to them, as "Type.field". An id and a name in passing (who
# acknowledged this?) go with what they are part of; the rest of a person, a team or an integration does not.
_PERSON = Need(Access.VIEWER, Scope.PEOPLE_READ, personal=True)
_TEAM = Need(Access.VIEWER, Scope.PEOPLE_READ)
_INTEGRATION = Need(Access.VIEWER, Scope.INTEGRATIONS_READ)
FIELDS: Mapping[str, Need] = table(
    {
        "User.email": _PERSON,
        "User.lastLogin": _PERSON,
        "User.isActive": _TEAM,
        "User.createdAt": _TEAM,
        "User.role": _TEAM,
        "User.team": _TEAM,
        "Team.members": _TEAM,
        "Integration.keys": Need(Access.MANAGER, Scope.INTEGRATIONS_READ),
        "Integration.webhookUrl": _INTEGRATION,
        "Integration.severityMap": _INTEGRATION,
        "Integration.mapping": _INTEGRATION,
        "Integration.isSigned": _INTEGRATION,
        "Integration.defaultTeam": _INTEGRATION,
        "Integration.lastSeenAt": _INTEGRATION,
        "ReceiptItem.alert": Need(Access.VIEWER, Scope.ALERTS_READ),
        "RejectedItem.rawText": Need(Access.MANAGER, Scope.INTEGRATIONS_READ),
        "RejectedItem.rawBase64": Need(Access.MANAGER, Scope.INTEGRATIONS_READ),
    }
)


def check(need: Need, context: Context, name: str) -> None:
    """Unauthenticated or Forbidden, unless the caller of this request may use the field."""
    if need.access is Access.ANYONE:
        return
    viewer = context.require_viewer()
    refusal = need.refusal(viewer, name)
    if refusal is not None:
        raise Forbidden(refusal)
    if need.personal and viewer.is_anybody:
        message = f"{name} would be made once for several viewers"
        raise RuntimeError(message)


class RequireRole(FieldExtension):
    """Lets a field be resolved only for callers who have what it needs.

    Nobody signed in is a top-level UNAUTHENTICATED error. Too little role is the domain's Forbidden, which a mutation
    answers in its payload; a refused mutation is on the audit log before the answer leaves.
    """

    def __init__(self, line: Line, *, audit: bool = False) -> None:
        self.need = need_of(line)
        self._audit = audit

    def resolve(
        self, next_: Callable[..., Any], source: object, info: strawberry.Info[Any], **kwargs: object
    ) -> object:
        """Check, then resolve (fields without await)."""
        check(self.need, info.context, info.field_name)
        return next_(source, info, **kwargs)

    async def resolve_async(
        self, next_: Callable[..., Awaitable[Any]], source: object, info: strawberry.Info[Any], **kwargs: object
    ) -> object:
        """Check, then resolve; a subscription's generator is handed on, not awaited."""
        try:
            check(self.need, info.context, info.field_name)
        except Forbidden:
            if self._audit:
                await _record_refusal(info.context, info.field_name)
            raise
        result: Any = next_(source, info, **kwargs)
        return await result if inspect.isawaitable(result) else result


async def _record_refusal(context: Context, operation: str) -> None:
    async with context.uow() as uow:
        await uow.audit.append(context.audit_entry(operation, outcome=AuditOutcome.REFUSED))
        await uow.commit()


def guard(root: type) -> None:
    """Put the table's need on every field of a root type; raise for a field the table does not know."""
    definition = get_object_definition(root, strict=True)
    known = ROOT_FIELDS[definition.name]
    for field in definition.fields:
        name = graphql_name(field)
        if name not in known:
            message = f"{definition.name}.{name} has no line in graphql_api/permissions.py: who may use it?"
            raise GraphQLError(message)
        field.extensions.insert(0, RequireRole(known[name], audit=definition.name == "Mutation"))


def guard_fields(schema: GraphQLSchema) -> None:
    """Put the table's needs on the fields of other types; raise for a line that names no field."""
    for place, need in FIELDS.items():
        kind, _, name = place.partition(".")
        found = schema.type_map.get(kind)
        if not isinstance(found, GraphQLObjectType) or name not in found.fields:
            message = f"graphql_api/permissions.py speaks of {place}, which is not there"
            raise GraphQLError(message)
        _guard_field(found.fields[name], need, place)


def _guard_field(field: GraphQLField, need: Need, place: str) -> None:
    resolve: Any = field.resolve

    def checked(source: object, info: GraphQLResolveInfo, **arguments: object) -> object:
        check(need, info.context, place)
        return resolve(source, info, **arguments)

    field.resolve = checked


def graphql_name(field: StrawberryField) -> str:
    """The field's name in the schema."""
    if field.graphql_name:
        return field.graphql_name
    head, *rest = field.python_name.split("_")
    return head + "".join(part.capitalize() for part in rest)
