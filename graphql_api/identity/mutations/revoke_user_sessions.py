"""How does an administrator sign a person out everywhere? All of that person's sessions end."""

import strawberry

from domain.identity.revocation import Revocation
from graphql_api.context import Info
from graphql_api.errors import NotFound, mutation, payload
from graphql_api.scalars import uuid_of


@strawberry.input(description="The person to sign out.")
class RevokeUserSessionsInput:
    """See domain.identity.revocation."""

    user_id: strawberry.ID = strawberry.field(description="The person.")


@strawberry.type(description="The person's sessions have ended.")
class RevokeUserSessionsSuccess:
    """How many."""

    count: int = strawberry.field(description="How many ended now.")


@mutation(
    payload("RevokeUserSessions", RevokeUserSessionsSuccess, NotFound),
    description="End all sessions of a person, and with them their tokens and sockets. The person may sign in again.",
)
async def revoke_user_sessions(info: Info, data: RevokeUserSessionsInput) -> RevokeUserSessionsSuccess:
    """End them."""
    context = info.context
    user_id = uuid_of(data.user_id, "person", "userId")
    entry = context.audit_entry("revokeUserSessions", target_kind="user", target_id=user_id)
    revocation = Revocation(viewer=context.require_viewer(), now=context.now())
    async with context.uow() as uow:
        count = await revocation.all_of(user_id, unit=uow, entry=entry)
        await uow.commit()
    return RevokeUserSessionsSuccess(count=count)
