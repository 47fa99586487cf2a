"""How does a program sign in through a provider? A browser does it, and the program takes over by a code.

The program makes a random verifier, opens `/auth/{provider}/start?challenge=` with its S256 form, and asks for the code
that the page shows in the end. The code is of use to nobody without the verifier.
"""

import strawberry

from domain.identity.proofs import Method
from domain.identity.sign_in import Challenged
from graphql_api.context import Info
from graphql_api.errors import InvalidCredentials, WrongTransport, mutation, payload
from graphql_api.identity.factors.challenge import SecondFactorRequired, second_factor_required
from graphql_api.identity.mutations.login import LoginSuccess, origin_of, shown_session


@strawberry.input(description="The code of a page, and what only the program knows.")
class CompleteFederatedSignInInput:
    """See domain.identity.federation."""

    code: str = strawberry.field(description="The code that the page shows; good once, for two minutes.")
    verifier: str = strawberry.field(description="The text whose SHA-256, in base64url, was the `challenge`.")


@strawberry.type(description="A session and the tokens that use it.")
class CompleteFederatedSignInSuccess(LoginSuccess):
    """As after `login`."""


@mutation(
    payload(
        "CompleteFederatedSignIn",
        CompleteFederatedSignInSuccess,
        SecondFactorRequired,
        InvalidCredentials,
        WrongTransport,
    ),
    description="Take over a sign-in that a browser finished at a provider, by the code its page shows.",
)
async def complete_federated_sign_in(
    info: Info, data: CompleteFederatedSignInInput
) -> CompleteFederatedSignInSuccess | SecondFactorRequired:
    """Open a session."""
    context = info.context
    user, has_second_factor = await context.state.federation.take_over(code=data.code, verifier=data.verifier)
    proved = {Method.FEDERATED, *([Method.FEDERATED_MFA] if has_second_factor else [])}
    outcome = await context.state.sign_in_desk.admit(user, proved=frozenset(proved), origin=origin_of(context))
    if isinstance(outcome, Challenged):
        return second_factor_required(outcome)
    return await shown_session(CompleteFederatedSignInSuccess, context, outcome)
