"""How does a person unlink an account at a provider? At once, unless it is their only way in."""

import strawberry

from graphql_api.context import Info
from graphql_api.errors import NotFound, mutation, payload
from graphql_api.identity.identity_types import Identity
from graphql_api.scalars import uuid_of


@strawberry.input(description="The linked account to unlink.")
class UnlinkIdentityInput:
    """See domain.identity.federation."""

    id: strawberry.ID = strawberry.field(description="The linked account, as `me.identities` gives it.")


@strawberry.type(description="The account is linked no more.")
class UnlinkIdentitySuccess:
    """The account."""

    identity: Identity = strawberry.field(description="What was linked.")


@mutation(
    payload("UnlinkIdentity", UnlinkIdentitySuccess, NotFound),
    description="Unlink an account at a provider. The last way in is Forbidden: set a password or a passkey first.",
)
async def unlink_identity(info: Info, data: UnlinkIdentityInput) -> UnlinkIdentitySuccess:
    """Unlink it."""
    context = info.context
    identity_id = uuid_of(data.id, "linked account", "id")
    entry = context.audit_entry("unlinkIdentity", target_kind="identity", target_id=identity_id)
    viewer = context.require_viewer()
    unlinked = await context.state.federation.unlink(viewer.user_id, identity_id, entry=entry)
    return UnlinkIdentitySuccess(identity=unlinked)  # type: ignore[arg-type] # the domain object is the GraphQL object
