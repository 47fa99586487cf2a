"""How does a person sign in over the API?"""

from dataclasses import replace
from datetime import datetime
from typing import TypeVar

import strawberry

from domain.identity.addresses import address_digest
from domain.identity.proving import Offered
from domain.identity.sign_in import Challenged, Origin, SignedIn
from domain.ids import new_id
from graphql_api.context import Context, Info
from graphql_api.errors import InvalidCredentials, TooManyAttempts, WrongTransport, mutation, payload
from graphql_api.identity.cookies import seconds_until
from graphql_api.identity.factors.challenge import SecondFactorRequired, second_factor_required
from graphql_api.identity.types import User
from persistence.sessions import viewer_of_session


@strawberry.input(description="The address and password of a person.")
class LoginInput:
    """See domain.identity.sign_in."""

    email: str = strawberry.field(description="The address the person signs in with; case does not matter.")
    password: str = strawberry.field(description="The password.")
    totp_code: str | None = strawberry.field(
        description="A code of the authenticator app; not looked at for a person who has no second factor.",
        default=None,
    )
    recovery_code: str | None = strawberry.field(
        description="A recovery code in place of `totpCode`: it stands in for the second factor, once.", default=None
    )
    device_token: str | None = strawberry.field(
        description="What an earlier sign-in of this person gave: with it others' guesses at the address do not hold "
        "this one up. A browser signed in by cookies sends it by itself.",
        default=None,
    )


@strawberry.type(description="A session and the tokens that use it.")
class LoginSuccess:
    """Shows the tokens, unless the browser gets them in cookies."""

    access_token: str = strawberry.field(
        description="For `Authorization: Bearer …`; ends at `expiresAt`. Empty with `X-Tocsin-Session: cookie`."
    )
    refresh_token: str = strawberry.field(
        description="For `refreshSession`, once: each use gives the next. Keep it where only you can read it. "
        "Empty with `X-Tocsin-Session: cookie`: it is in a cookie alone."
    )
    expires_at: datetime = strawberry.field(description="When the access token ends.")
    session_expires_at: datetime = strawberry.field(description="When the session ends if it is not used again.")
    device_token: str = strawberry.field(
        description="For `login`, the next time: it lets nobody in, and keeps others from holding you up by guessing. "
        "Empty with `X-Tocsin-Session: cookie`."
    )
    user: User = strawberry.field(description="Who is signed in.")


Success = TypeVar("Success", bound=LoginSuccess)


def origin_of(context: Context) -> Origin:
    """Where the request comes from."""
    return Origin(
        ip_address=context.ip,
        user_agent=context.user_agent,
        request_id=context.request_id or None,
        device=None if context.cookies is None else context.cookies.device,
    )


def device_token(context: Context, signed_in: SignedIn) -> str:
    """What tells this device from strangers the next time; a browser that asked for cookies gets it in one."""
    desk = context.state.sign_in_desk
    token = context.state.devices.token(address_digest(signed_in.user.email, desk.address_key), new_id())
    if context.cookies is None:
        return token
    context.cookies.issue_device(token)
    return ""


async def sign_operation_in(context: Context, signed_in: SignedIn) -> tuple[str, datetime]:
    """An access token; the rest of this operation is answered for the person who just signed in.

    A browser that asked for cookies gets the tokens in them, and empty text here.
    """
    now, session = context.now(), signed_in.session
    async with context.read() as connection:
        context.viewer = await viewer_of_session(connection, session.id, now=now)
    token, expires_at = context.state.access_tokens.sign(user_id=signed_in.user.id, session_id=session.id, now=now)
    if context.cookies is None:
        return token, expires_at
    context.cookies.issue(
        access=token,
        access_seconds=seconds_until(expires_at, now),
        refresh=signed_in.refresh_token,
        refresh_seconds=seconds_until(session.idle_expires_at, now),
    )
    return "", expires_at


def shown_refresh_token(context: Context, signed_in: SignedIn) -> str:
    """The refresh token, to whoever is not given it in a cookie."""
    return signed_in.refresh_token if context.cookies is None else ""


async def shown_session(kind: type[Success], context: Context, signed_in: SignedIn) -> Success:
    """The session as the payload of this kind shows it; every way in answers with it."""
    access_token, expires_at = await sign_operation_in(context, signed_in)
    return kind(
        access_token=access_token,
        refresh_token=shown_refresh_token(context, signed_in),
        expires_at=expires_at,
        session_expires_at=signed_in.session.idle_expires_at,
        device_token=device_token(context, signed_in),
        user=signed_in.user,  # type: ignore[arg-type] # the domain object is the GraphQL object
    )


@mutation(
    payload("Login", LoginSuccess, SecondFactorRequired, InvalidCredentials, TooManyAttempts, WrongTransport),
    description="Sign in with address and password, and the second factor of a person who has one.",
)
async def login(info: Info, data: LoginInput) -> LoginSuccess | SecondFactorRequired:
    """Open a session."""
    context = info.context
    origin = origin_of(context)
    outcome = await context.state.sign_in_desk.sign_in(
        email=data.email,
        password=data.password,
        origin=replace(origin, device=data.device_token or origin.device),
        offered=Offered(totp_code=data.totp_code, recovery_code=data.recovery_code),
    )
    if isinstance(outcome, Challenged):
        return second_factor_required(outcome)
    return await shown_session(LoginSuccess, context, outcome)
