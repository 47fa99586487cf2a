"""How does a stranger register? By a request that is answered by mail; the answer here is the same for all."""

import strawberry

from domain.identity import asking
from graphql_api.context import Info
from graphql_api.errors import TooManyAttempts, WeakPassword, WrongTransport, mutation, payload
from graphql_api.identity.account_inputs import NEW_PASSWORD

ANSWER = "If the address can be registered, a mail with a link to finish it is on its way."


@strawberry.input(description="Who wants to come in.")
class RegisterInput:
    """See domain.identity.asking.Registration."""

    email: str = strawberry.field(description="The address to sign in with; a mail goes there.")
    password: str = strawberry.field(description=f"The password to be. {NEW_PASSWORD}")
    first_name: str = strawberry.field(description="Given name.", default="")
    last_name: str = strawberry.field(description="Family name.", default="")


@strawberry.type(description="The registration was taken in; whether the address was free is told by mail alone.")
class RegisterSuccess:
    """The same for every address."""

    message: str = strawberry.field(description="What happens next, for a person.")


@mutation(
    payload("Register", RegisterSuccess, TooManyAttempts, WeakPassword, WrongTransport),
    description="Register, where this server is open to it. It is finished by the mailed link, with `verifyAddress`.",
)
async def register(info: Info, data: RegisterInput) -> RegisterSuccess:
    """Take it in."""
    context = info.context
    asked = asking.Registration(
        email=data.email, password=data.password, first_name=data.first_name, last_name=data.last_name
    )
    await asking.register(context.state.accounts, asked, entry=context.audit_entry("register"))
    return RegisterSuccess(message=ANSWER)
