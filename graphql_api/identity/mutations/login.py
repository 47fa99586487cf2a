"""How does a person sign in over the API?"""

from datetime import datetime

import strawberry

from domain.identity.sign_in import Origin, SignedIn
from graphql_api.context import Context, Info
from graphql_api.errors import InvalidCredentials, TooManyAttempts, mutation, payload
from graphql_api.identity.types import User
from persistence.sessions import viewer_of_session


@strawberry.input(description="The address and password of a person.")
class LoginInput:
    """See domain.identity.sign_in."""

    email: str = strawberry.field(description="The address the person signs in with; case does not matter.")
    password: str = strawberry.field(description="The password.")
    totp_code: str | None = strawberry.field(
        description="The code of the second factor; not looked at for a person who has none.", default=None
    )


@strawberry.type(description="A session and the tokens that use it.")
class LoginSuccess:
    """The only place that shows the tokens."""

    access_token: str = strawberry.field(description="For `Authorization: Bearer …`; ends at `expiresAt`.")
    refresh_token: str = strawberry.field(
        description="For `refreshSession`, once: each use gives the next. Keep it where only you can read it."
    )
    expires_at: datetime = strawberry.field(description="When the access token ends.")
    session_expires_at: datetime = strawberry.field(description="When the session ends if it is not used again.")
    user: User = strawberry.field(description="Who is signed in.")


def origin_of(context: Context) -> Origin:
    """Where the request comes from."""
    return Origin(ip_address=context.ip, user_agent=context.user_agent, request_id=context.request_id or None)


async def sign_operation_in(context: Context, signed_in: SignedIn) -> tuple[str, datetime]:
    """An access token; the rest of this operation is answered for the person who just signed in."""
    now = context.now()
    async with context.read() as connection:
        context.viewer = await viewer_of_session(connection, signed_in.session.id, now=now)
    return context.state.access_tokens.sign(user_id=signed_in.user.id, session_id=signed_in.session.id, now=now)


@mutation(
    payload("Login", LoginSuccess, InvalidCredentials, TooManyAttempts),
    description="Sign in with address and password.",
)
async def login(info: Info, data: LoginInput) -> LoginSuccess:
    """Open a session."""
    context = info.context
    signed_in = await context.state.sign_in_desk.sign_in(
        email=data.email, password=data.password, origin=origin_of(context)
    )
    access_token, expires_at = await sign_operation_in(context, signed_in)
    return LoginSuccess(
        access_token=access_token,
        refresh_token=signed_in.refresh_token,
        expires_at=expires_at,
        session_expires_at=signed_in.session.idle_expires_at,
        user=signed_in.user,  # type: ignore[arg-type] # the domain object is the GraphQL object
    )
