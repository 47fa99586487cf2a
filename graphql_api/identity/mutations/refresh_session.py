"""How does a client stay signed in? It trades its refresh token for the next one and a new access token."""

from datetime import datetime

import strawberry

from graphql_api.context import Info
from graphql_api.errors import InvalidCredentials, mutation, payload
from graphql_api.identity.mutations.login import origin_of, sign_operation_in
from graphql_api.identity.types import User


@strawberry.input(description="The refresh token of a session.")
class RefreshSessionInput:
    """See domain.identity.sessions."""

    refresh_token: str = strawberry.field(
        description="The newest refresh token. One that was used before ends the session, except within 10 seconds."
    )


@strawberry.type(description="The session goes on.")
class RefreshSessionSuccess:
    """The next pair of tokens."""

    access_token: str = strawberry.field(description="For `Authorization: Bearer …`; ends at `expiresAt`.")
    refresh_token: str = strawberry.field(description="For the next `refreshSession`.")
    expires_at: datetime = strawberry.field(description="When the access token ends.")
    session_expires_at: datetime = strawberry.field(description="When the session ends if it is not used again.")
    user: User = strawberry.field(description="Who is signed in.")


@mutation(
    payload("RefreshSession", RefreshSessionSuccess, InvalidCredentials),
    description="Trade a refresh token for the next one and a new access token.",
)
async def refresh_session(info: Info, data: RefreshSessionInput) -> RefreshSessionSuccess:
    """Rotate the refresh token."""
    context = info.context
    signed_in = await context.state.sign_in_desk.refresh(token=data.refresh_token, origin=origin_of(context))
    access_token, expires_at = await sign_operation_in(context, signed_in)
    return RefreshSessionSuccess(
        access_token=access_token,
        refresh_token=signed_in.refresh_token,
        expires_at=expires_at,
        session_expires_at=signed_in.session.idle_expires_at,
        user=signed_in.user,  # type: ignore[arg-type] # the domain object is the GraphQL object
    )
