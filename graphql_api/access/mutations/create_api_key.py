"""How does a service account get a key?"""

import strawberry

from domain.access import issuing
from domain.audit.model import AuditEntry
from graphql_api.access.new_key import NewKeyInput, NewKeyShown, make_key
from graphql_api.context import Info
from graphql_api.errors import IdempotencyConflict, NotFound, mutation, payload
from graphql_api.scalars import uuid_of
from persistence.unit_of_work import UnitOfWork


@strawberry.input(description="A key of a service account, to be made.")
class CreateApiKeyInput(NewKeyInput):
    """With whom it is to act for."""

    service_account_id: strawberry.ID = strawberry.field(description="The service account it is to act for.")


@strawberry.type(description="The key exists.")
class CreateApiKeySuccess(NewKeyShown):
    """The only place that shows the key."""


@mutation(
    payload("CreateApiKey", CreateApiKeySuccess, NotFound, IdempotencyConflict),
    description="Make a key for a service account. The key is shown once. Administrators only.",
)
async def create_api_key(info: Info, data: CreateApiKeyInput) -> CreateApiKeySuccess:
    """Write the key's digest, and show the key."""
    context = info.context
    account_id = uuid_of(data.service_account_id, "service account", "serviceAccountId")

    async def issue(new: issuing.NewKey, uow: UnitOfWork, entry: AuditEntry) -> issuing.MadeKey:
        desk, by = context.state.key_desk, context.require_viewer()
        return await issuing.issue_for_account(
            account_id, new, desk=desk, by=by, unit=uow, now=context.now(), entry=entry
        )

    key, known = await make_key(context, data, mutation="createApiKey", issue=issue)
    return CreateApiKeySuccess(key=key, api_key=known)  # type: ignore[arg-type] # the domain object
