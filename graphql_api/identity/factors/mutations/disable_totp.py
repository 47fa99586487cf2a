"""How does a person go without an authenticator app again?"""

import strawberry

from graphql_api.context import Info
from graphql_api.errors import NotFound, mutation, payload
from graphql_api.identity.factors.types import SecondFactors, second_factors_of_viewer
from graphql_api.identity.factors.who import NothingInput, who_asks


@strawberry.input(description="Nothing is needed: it is about the person who is signed in.")
class DisableTotpInput(NothingInput):
    """Nothing."""


@strawberry.type(description="The app no longer counts.")
class DisableTotpSuccess:
    """What is left."""

    second_factors: SecondFactors = strawberry.field(description="What you have now.")


@mutation(
    payload("DisableTotp", DisableTotpSuccess, NotFound),
    description="Forget the authenticator app. With the last second factor the recovery codes go as well; `Forbidden` "
    "when your role must have one.",
)
async def disable_totp(info: Info, data: DisableTotpInput) -> DisableTotpSuccess:  # noqa: ARG001 - nothing is in it
    """Remove the secret."""
    context, who = info.context, who_asks(info)
    entry = context.audit_entry("disableTotp", target_kind="user", target_id=who.user_id)
    await context.state.factor_desk.disable_totp(who, entry=entry)
    return DisableTotpSuccess(second_factors=await second_factors_of_viewer(context, info.field_name))
