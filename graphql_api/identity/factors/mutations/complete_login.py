"""How does a sign-in go on that needs a second factor? With the challenge it got, and the proof."""

import strawberry
from strawberry.scalars import JSON

from domain.identity.proving import Offered
from graphql_api.context import Info
from graphql_api.errors import InvalidCredentials, TooManyAttempts, WrongTransport, mutation, payload
from graphql_api.identity.factors.challenge import credential_of
from graphql_api.identity.factors.types import CREDENTIAL
from graphql_api.identity.mutations.login import LoginSuccess, origin_of, shown_session


@strawberry.input(description="The challenge of a sign-in, and one proof.")
class CompleteLoginInput:
    """See domain.identity.second_step."""

    challenge: str = strawberry.field(description="The `challenge` of `SecondFactorRequired`.")
    totp_code: str | None = strawberry.field(description="A code of the authenticator app.", default=None)
    recovery_code: str | None = strawberry.field(description="A recovery code; it is good once.", default=None)
    passkey: JSON | None = strawberry.field(description=CREDENTIAL, default=None)


@strawberry.type(description="A session and the tokens that use it.")
class CompleteLoginSuccess(LoginSuccess):
    """As after `login`."""


@mutation(
    payload("CompleteLogin", CompleteLoginSuccess, InvalidCredentials, TooManyAttempts, WrongTransport),
    description="Sign in with the second factor `SecondFactorRequired` asked for. A few wrong ones end the challenge.",
)
async def complete_login(info: Info, data: CompleteLoginInput) -> CompleteLoginSuccess:
    """Open a session."""
    context = info.context
    offered = Offered(
        totp_code=data.totp_code,
        recovery_code=data.recovery_code,
        passkey=None if data.passkey is None else credential_of(data.passkey, "passkey"),
    )
    signed_in = await context.state.second_step.complete(
        token=data.challenge, offered=offered, origin=origin_of(context)
    )
    return await shown_session(CompleteLoginSuccess, context, signed_in)
