"""How does a person get a key for a script of their own?"""

import strawberry

from domain.access import issuing
from domain.audit.model import AuditEntry
from graphql_api.access.new_key import NewKeyInput, NewKeyShown, make_key
from graphql_api.context import Info
from graphql_api.errors import IdempotencyConflict, NotFound, mutation, payload
from persistence.unit_of_work import UnitOfWork


@strawberry.input(description="A key of your own, to be made.")
class CreateMyApiKeyInput(NewKeyInput):
    """Whom it acts for is who asks."""


@strawberry.type(description="The key exists.")
class CreateMyApiKeySuccess(NewKeyShown):
    """The only place that shows the key."""


@mutation(
    payload("CreateMyApiKey", CreateMyApiKeySuccess, NotFound, IdempotencyConflict),
    description="Make a key of your own. It acts as you, with your role and teams as they are at the time, within its "
    "scopes; it cannot sign in, and makes no other key. The key is shown once.",
)
async def create_my_api_key(info: Info, data: CreateMyApiKeyInput) -> CreateMyApiKeySuccess:
    """Write the key's digest, and show the key."""
    context = info.context

    async def issue(new: issuing.NewKey, uow: UnitOfWork, entry: AuditEntry) -> issuing.MadeKey:
        desk, by = context.state.key_desk, context.require_viewer()
        return await issuing.issue_for_self(new, desk=desk, by=by, unit=uow, now=context.now(), entry=entry)

    key, known = await make_key(context, data, mutation="createMyApiKey", issue=issue)
    return CreateMyApiKeySuccess(key=key, api_key=known)  # type: ignore[arg-type] # the domain object
