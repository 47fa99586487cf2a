"""How does somebody who forgot the password get a new one? By mail; the answer here is the same for every address."""

import strawberry

from domain.identity.admissions import RequestKind
from domain.identity.asking import ask
from graphql_api.context import Info
from graphql_api.errors import TooManyAttempts, mutation, payload

ANSWER = "If an account has this address, a mail with a link to set a new password is on its way."


@strawberry.input(description="Whose password is forgotten.")
class RequestPasswordResetInput:
    """See domain.identity.asking."""

    email: str = strawberry.field(description="The address of the account.")


@strawberry.type(description="The request was taken in; whether there is such an account is told by mail alone.")
class RequestPasswordResetSuccess:
    """The same for every address."""

    message: str = strawberry.field(description="What happens next, for a person.")


@mutation(
    payload("RequestPasswordReset", RequestPasswordResetSuccess, TooManyAttempts),
    description="Ask for a mail with a link to set a new password.",
)
async def request_password_reset(info: Info, data: RequestPasswordResetInput) -> RequestPasswordResetSuccess:
    """Take it in."""
    context = info.context
    entry = context.audit_entry("requestPasswordReset")
    await ask(context.state.accounts, RequestKind.RESET_PASSWORD, email=data.email, entry=entry)
    return RequestPasswordResetSuccess(message=ANSWER)
