"""How does a passkey prove anew who is signed in? The browser is given a challenge for the person's own passkeys."""

import strawberry

from graphql_api.context import Info
from graphql_api.errors import mutation, payload
from graphql_api.identity.factors.types import PasskeyChallenge, shown_challenge
from graphql_api.identity.factors.who import NothingInput, who_asks


@strawberry.input(description="Nothing is needed: it is about your own passkeys.")
class BeginPasskeyStepUpInput(NothingInput):
    """Nothing."""


@strawberry.type(description="What a browser is to give its passkey.")
class BeginPasskeyStepUpSuccess:
    """The challenge."""

    passkey: PasskeyChallenge = strawberry.field(description="For `navigator.credentials.get`, then for `stepUp`.")


@mutation(
    payload("BeginPasskeyStepUp", BeginPasskeyStepUpSuccess),
    description="Begin to prove by a passkey who you are; go on by `stepUp`.",
)
async def begin_passkey_step_up(info: Info, data: BeginPasskeyStepUpInput) -> BeginPasskeyStepUpSuccess:  # noqa: ARG001 - nothing is in it
    """Ask for one of the viewer's passkeys."""
    who = who_asks(info)
    asked = await info.context.state.step_up_desk.begin_passkey(user_id=who.user_id, session_id=who.session_id)
    return BeginPasskeyStepUpSuccess(passkey=shown_challenge(asked))
