"""How does a person add a passkey? The browser is given what a device needs to make one."""

import strawberry

from graphql_api.context import Info
from graphql_api.errors import mutation, payload
from graphql_api.identity.factors.types import PasskeyChallenge, shown_challenge
from graphql_api.identity.factors.who import NothingInput, who_asks


@strawberry.input(description="Nothing is needed: it is about the person who is signed in.")
class BeginPasskeyRegistrationInput(NothingInput):
    """Nothing."""


@strawberry.type(description="What a browser is to give the device.")
class BeginPasskeyRegistrationSuccess:
    """The challenge."""

    passkey: PasskeyChallenge = strawberry.field(description="For `navigator.credentials.create`.")


@mutation(
    payload("BeginPasskeyRegistration", BeginPasskeyRegistrationSuccess),
    description="Begin to add a passkey; go on by `finishPasskeyRegistration`.",
)
async def begin_passkey_registration(
    info: Info,
    data: BeginPasskeyRegistrationInput,  # noqa: ARG001 - nothing is in it
) -> BeginPasskeyRegistrationSuccess:
    """Ask for a new key."""
    asked = await info.context.state.factor_desk.begin_passkey(who_asks(info))
    return BeginPasskeyRegistrationSuccess(passkey=shown_challenge(asked))
