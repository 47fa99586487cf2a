"""How is an invitation taken back? Its link works no more."""

import strawberry

from domain.identity import administration
from graphql_api.context import Info
from graphql_api.errors import NotFound, mutation, payload
from graphql_api.scalars import uuid_of


@strawberry.input(description="The invitation to take back.")
class RevokeInvitationInput:
    """See domain.identity.administration."""

    id: strawberry.ID = strawberry.field(description="The invitation.")


@strawberry.type(description="The invitation is gone, and its link works no more.")
class RevokeInvitationSuccess:
    """What is gone."""

    id: strawberry.ID = strawberry.field(description="The invitation that was taken back.")


@mutation(
    payload("RevokeInvitation", RevokeInvitationSuccess, NotFound),
    description="Take an invitation back; its link works no more.",
)
async def revoke_invitation(info: Info, data: RevokeInvitationInput) -> RevokeInvitationSuccess:
    """Delete it."""
    context = info.context
    invitation_id = uuid_of(data.id, "invitation", "id")
    entry = context.audit_entry("revokeInvitation", target_kind="invitation", target_id=invitation_id)
    await administration.revoke_invitation(context.state.accounts, invitation_id, entry=entry)
    return RevokeInvitationSuccess(id=data.id)
