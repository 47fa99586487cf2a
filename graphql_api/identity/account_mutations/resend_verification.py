"""How does somebody get another verification mail? By asking; the answer here is the same for every address."""

import strawberry

from domain.identity.admissions import RequestKind
from domain.identity.asking import ask
from graphql_api.context import Info
from graphql_api.errors import TooManyAttempts, mutation, payload

ANSWER = "If this address is still to be verified, a mail with a new link is on its way."


@strawberry.input(description="The address to be verified.")
class ResendVerificationInput:
    """See domain.identity.asking."""

    email: str = strawberry.field(description="The address.")


@strawberry.type(description="The request was taken in; whether there was anything to verify is told by mail alone.")
class ResendVerificationSuccess:
    """The same for every address."""

    message: str = strawberry.field(description="What happens next, for a person.")


@mutation(
    payload("ResendVerification", ResendVerificationSuccess, TooManyAttempts),
    description="Ask for another mail to verify an address. The link of the mail before works no more then.",
)
async def resend_verification(info: Info, data: ResendVerificationInput) -> ResendVerificationSuccess:
    """Take it in."""
    context = info.context
    entry = context.audit_entry("resendVerification")
    await ask(context.state.accounts, RequestKind.RESEND_VERIFICATION, email=data.email, entry=entry)
    return ResendVerificationSuccess(message=ANSWER)
