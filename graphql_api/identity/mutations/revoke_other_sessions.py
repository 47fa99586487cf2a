"""How does a person sign out everywhere else? All sessions but the one that asks end."""

import strawberry

from domain.identity.revocation import Revocation
from graphql_api.context import Info
from graphql_api.errors import mutation, payload


@strawberry.input(description="Nothing is needed: all your sessions but this one end.")
class RevokeOtherSessionsInput:
    """One field, because GraphQL knows no empty input."""

    client_mutation_id: str | None = strawberry.field(description="Comes back in the answer.", default=None)


@strawberry.type(description="The other sessions have ended.")
class RevokeOtherSessionsSuccess:
    """How many."""

    count: int = strawberry.field(description="How many ended now.")
    client_mutation_id: str | None = strawberry.field(description="What the input held.")


@mutation(
    payload("RevokeOtherSessions", RevokeOtherSessionsSuccess),
    description="End all your sessions but this one, and with them their tokens and sockets.",
)
async def revoke_other_sessions(info: Info, data: RevokeOtherSessionsInput) -> RevokeOtherSessionsSuccess:
    """End them."""
    context = info.context
    viewer = context.require_viewer()
    entry = context.audit_entry("revokeOtherSessions", target_kind="user", target_id=viewer.user_id)
    async with context.uow() as uow:
        count = await Revocation(viewer=viewer, now=context.now()).others(unit=uow, entry=entry)
        await uow.commit()
    return RevokeOtherSessionsSuccess(count=count, client_mutation_id=data.client_mutation_id)
