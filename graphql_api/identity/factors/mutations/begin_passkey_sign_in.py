"""How does a sign-in begin that needs nothing but a passkey? The browser is given a challenge for whoever is there."""

import strawberry

from graphql_api.context import Info
from graphql_api.errors import mutation, payload
from graphql_api.identity.factors.types import PasskeyChallenge, shown_challenge
from graphql_api.identity.factors.who import NothingInput


@strawberry.input(description="Nothing is needed: the device says whose passkey it is.")
class BeginPasskeySignInInput(NothingInput):
    """Nothing."""


@strawberry.type(description="What a browser is to give its passkey.")
class BeginPasskeySignInSuccess:
    """The challenge."""

    passkey: PasskeyChallenge = strawberry.field(description="For `navigator.credentials.get`.")


@mutation(
    payload("BeginPasskeySignIn", BeginPasskeySignInSuccess),
    description="Begin to sign in by a passkey alone; go on by `finishPasskeySignIn`.",
)
async def begin_passkey_sign_in(info: Info, data: BeginPasskeySignInInput) -> BeginPasskeySignInSuccess:  # noqa: ARG001 - nothing is in it
    """No address is asked, so none is told of."""
    return BeginPasskeySignInSuccess(passkey=shown_challenge(await info.context.state.second_step.begin_passkey()))
