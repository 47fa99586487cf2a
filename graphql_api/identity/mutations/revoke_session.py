"""How does a person end one session: a lost phone, a browser in a hotel? Administrators end anybody's."""

import strawberry

from domain.identity.revocation import Revocation
from graphql_api.context import Info
from graphql_api.errors import NotFound, mutation, payload
from graphql_api.identity.session_types import Session
from graphql_api.scalars import uuid_of


@strawberry.input(description="The session to end.")
class RevokeSessionInput:
    """See domain.identity.revocation."""

    id: strawberry.ID = strawberry.field(description="A session of yours; of anybody's for an administrator.")


@strawberry.type(description="The session has ended.")
class RevokeSessionSuccess:
    """The session."""

    session: Session = strawberry.field(description="The session that ended.")


@mutation(
    payload("RevokeSession", RevokeSessionSuccess, NotFound),
    description="End a session and with it every token and socket of it. One that ended before stays as it is.",
)
async def revoke_session(info: Info, data: RevokeSessionInput) -> RevokeSessionSuccess:
    """End it."""
    context = info.context
    session_id = uuid_of(data.id, "session", "id")
    entry = context.audit_entry("revokeSession", target_kind="session", target_id=session_id)
    revocation = Revocation(viewer=context.require_viewer(), now=context.now())
    async with context.uow() as uow:
        session = await revocation.one(session_id, unit=uow, entry=entry)
        await uow.commit()
    return RevokeSessionSuccess(session=session)  # type: ignore[arg-type] # the domain object is the GraphQL object
