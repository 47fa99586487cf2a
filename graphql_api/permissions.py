"""Who may do what? One table of root fields and the least role each needs; one extension that enforces it.

A root field that is not in the table stops the schema from building, so none can be added without a decision. Fields
of other types are reached only through a root field; one that needs more than its parent carries `RequireRole` itself.
What a viewer may *see* of a list is another matter: domain/alerts/visibility.py.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from typing import Any

import strawberry
from graphql import GraphQLError
from strawberry.extensions import FieldExtension
from strawberry.types.base import get_object_definition
from strawberry.types.field import StrawberryField

from domain.audit.model import AuditOutcome
from domain.errors import Forbidden
from domain.identity.model import Role
from graphql_api.context import Context


class Access(StrEnum):
    """The least a caller needs. ANYONE includes a caller who is not signed in."""

    ANYONE = "anyone"
    VIEWER = "viewer"
    OPERATOR = "operator"
    MANAGER = "manager"
    ADMIN = "admin"

    def allows(self, role: Role | None) -> bool:
        """Whether a caller with this role (None: nobody is signed in) may pass."""
        if self is Access.ANYONE:
            return True
        return role is not None and role.includes(Role(self.value))


QUERIES: Mapping[str, Access] = {
    "me": Access.ANYONE,
    "serverInfo": Access.ANYONE,
    "users": Access.VIEWER,
    "teams": Access.VIEWER,
    "alert": Access.VIEWER,
    "alerts": Access.VIEWER,
    "alertCounts": Access.VIEWER,
    "searchAlerts": Access.VIEWER,
    "alertGroups": Access.VIEWER,
    "integration": Access.VIEWER,
    "integrations": Access.VIEWER,
    "ingestReceipt": Access.VIEWER,
    "rejectedItems": Access.MANAGER,
    "trustedDocuments": Access.ADMIN,
}
MUTATIONS: Mapping[str, Access] = {
    # People
    "login": Access.ANYONE,
    "refreshSession": Access.ANYONE,
    "logout": Access.VIEWER,
    "createUser": Access.ADMIN,
    "createTeam": Access.MANAGER,
    "addTeamMember": Access.MANAGER,
    # Alerts
    "createAlert": Access.OPERATOR,
    "updateAlert": Access.OPERATOR,
    "acknowledgeAlert": Access.OPERATOR,
    "investigateAlert": Access.OPERATOR,
    "resolveAlert": Access.OPERATOR,
    "reopenAlert": Access.OPERATOR,
    "assignAlert": Access.OPERATOR,
    "commentOnAlert": Access.OPERATOR,
    "snoozeAlert": Access.OPERATOR,
    "wakeAlert": Access.OPERATOR,
    "acknowledgeAlerts": Access.OPERATOR,
    "resolveAlerts": Access.OPERATOR,
    "assignAlerts": Access.OPERATOR,
    "deleteAttachment": Access.OPERATOR,
    # Integrations
    "createIntegration": Access.MANAGER,
    "updateIntegration": Access.MANAGER,
    "rotateIntegrationKey": Access.MANAGER,
    "revokeIntegrationKey": Access.MANAGER,
    "archiveIntegration": Access.MANAGER,
    "previewSignal": Access.MANAGER,
    "replayRejectedItems": Access.MANAGER,
    # Trusted documents
    "registerDocuments": Access.ADMIN,
    "removeDocument": Access.ADMIN,
}
SUBSCRIPTIONS: Mapping[str, Access] = {
    "alertEvents": Access.VIEWER,
    "alertEventBatches": Access.VIEWER,
    "alertCounts": Access.VIEWER,
}
ROOT_FIELDS: Mapping[str, Mapping[str, Access]] = {
    "Query": QUERIES,
    "Mutation": MUTATIONS,
    "Subscription": SUBSCRIPTIONS,
}


class RequireRole(FieldExtension):
    """Lets a field be resolved only for callers with the role.

    Nobody signed in is a top-level UNAUTHENTICATED error. Too little role is the domain's Forbidden, which a mutation
    answers in its payload; a refused mutation is on the audit log before the answer leaves.
    """

    def __init__(self, access: Access, *, audit: bool = False) -> None:
        self.access = access
        self._audit = audit

    def resolve(
        self, next_: Callable[..., Any], source: object, info: strawberry.Info[Any], **kwargs: object
    ) -> object:
        """Check, then resolve (fields without await)."""
        self._check(info.context, info.field_name)
        return next_(source, info, **kwargs)

    async def resolve_async(
        self, next_: Callable[..., Awaitable[Any]], source: object, info: strawberry.Info[Any], **kwargs: object
    ) -> object:
        """Check, then resolve; a subscription's generator is handed on, not awaited."""
        try:
            self._check(info.context, info.field_name)
        except Forbidden:
            if self._audit:
                await _record_refusal(info.context, info.field_name)
            raise
        result: Any = next_(source, info, **kwargs)
        return await result if inspect.isawaitable(result) else result

    def _check(self, context: Context, operation: str) -> None:
        if self.access is Access.ANYONE:
            return
        viewer = context.require_viewer()
        if not self.access.allows(viewer.role):
            message = f"{operation} needs the role {self.access.value} or higher; yours is {viewer.role.value}"
            raise Forbidden(message)


async def _record_refusal(context: Context, operation: str) -> None:
    async with context.uow() as uow:
        await uow.audit.append(context.audit_entry(operation, outcome=AuditOutcome.REFUSED))
        await uow.commit()


def guard(root: type) -> None:
    """Put the table's role on every field of a root type; raise for a field the table does not know."""
    definition = get_object_definition(root, strict=True)
    table = ROOT_FIELDS[definition.name]
    for field in definition.fields:
        name = graphql_name(field)
        if name not in table:
            message = f"{definition.name}.{name} has no line in graphql_api/permissions.py: who may use it?"
            raise GraphQLError(message)
        field.extensions.insert(0, RequireRole(table[name], audit=definition.name == "Mutation"))


def graphql_name(field: StrawberryField) -> str:
    """The field's name in the schema."""
    if field.graphql_name:
        return field.graphql_name
    head, *rest = field.python_name.split("_")
    return head + "".join(part.capitalize() for part in rest)
