"""How does a client stay signed in? It trades its refresh token for the next one and a new access token."""

from datetime import datetime

import strawberry

from domain import errors as domain_errors
from graphql_api.context import Info
from graphql_api.errors import InvalidCredentials, WrongTransport, mutation, payload
from graphql_api.identity.mutations.login import origin_of, shown_refresh_token, sign_operation_in
from graphql_api.identity.types import User


@strawberry.input(description="The refresh token of a session.")
class RefreshSessionInput:
    """See domain.identity.sessions."""

    refresh_token: str | None = strawberry.field(
        description="The newest refresh token. One that was used before ends the session, except within 10 seconds. "
        "Left out with `X-Tocsin-Session: cookie`: the browser's cookie has it.",
        default=None,
    )


@strawberry.type(description="The session goes on.")
class RefreshSessionSuccess:
    """The next pair of tokens."""

    access_token: str = strawberry.field(
        description="For `Authorization: Bearer …`; ends at `expiresAt`. Empty with `X-Tocsin-Session: cookie`."
    )
    refresh_token: str = strawberry.field(
        description="For the next `refreshSession`. Empty with `X-Tocsin-Session: cookie`."
    )
    expires_at: datetime = strawberry.field(description="When the access token ends.")
    session_expires_at: datetime = strawberry.field(description="When the session ends if it is not used again.")
    user: User = strawberry.field(description="Who is signed in.")


@mutation(
    payload("RefreshSession", RefreshSessionSuccess, InvalidCredentials, WrongTransport),
    description="Trade a refresh token for the next one and a new access token.",
)
async def refresh_session(info: Info, data: RefreshSessionInput) -> RefreshSessionSuccess:
    """Rotate the refresh token."""
    context = info.context
    cookies = context.cookies
    # What a page sends in its place is not looked at: a page holds no refresh token.
    token = data.refresh_token if cookies is None else cookies.refresh
    try:
        signed_in = await context.state.sign_in_desk.refresh(token=token or "", origin=origin_of(context))
    except domain_errors.InvalidCredentials:
        if cookies is not None:
            cookies.clear()
        raise
    access_token, expires_at = await sign_operation_in(context, signed_in)
    return RefreshSessionSuccess(
        access_token=access_token,
        refresh_token=shown_refresh_token(context, signed_in),
        expires_at=expires_at,
        session_expires_at=signed_in.session.idle_expires_at,
        user=signed_in.user,  # type: ignore[arg-type] # the domain object is the GraphQL object
    )
