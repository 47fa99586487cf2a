"""How does a passkey sign its owner in?"""

import strawberry
from strawberry.scalars import JSON

from graphql_api.context import Info
from graphql_api.errors import InvalidCredentials, WrongTransport, mutation, payload
from graphql_api.identity.factors.challenge import credential_of
from graphql_api.identity.factors.types import CREDENTIAL
from graphql_api.identity.mutations.login import LoginSuccess, origin_of, shown_session


@strawberry.input(description="A passkey's answer.")
class FinishPasskeySignInInput:
    """See domain.identity.second_step."""

    challenge: str = strawberry.field(description="The `challenge` of `beginPasskeySignIn`; it is good once.")
    credential: JSON = strawberry.field(description=CREDENTIAL)


@strawberry.type(description="A session and the tokens that use it.")
class FinishPasskeySignInSuccess(LoginSuccess):
    """As after `login`."""


@mutation(
    payload("FinishPasskeySignIn", FinishPasskeySignInSuccess, InvalidCredentials, WrongTransport),
    description="Sign in by a passkey. It counts as both factors: the device asked who holds it.",
)
async def finish_passkey_sign_in(info: Info, data: FinishPasskeySignInInput) -> FinishPasskeySignInSuccess:
    """Open a session."""
    context = info.context
    signed_in = await context.state.second_step.by_passkey(
        token=data.challenge, credential=credential_of(data.credential, "credential"), origin=origin_of(context)
    )
    return await shown_session(FinishPasskeySignInSuccess, context, signed_in)
