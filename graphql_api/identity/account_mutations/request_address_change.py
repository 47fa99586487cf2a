"""How do people ask for another address? With their password; a mail to the new address carries the link."""

import strawberry

from domain.identity import own_account
from graphql_api.context import Info
from graphql_api.errors import InvalidCredentials, NotFound, TooManyAttempts, WrongTransport, mutation, payload
from graphql_api.identity.account_inputs import CURRENT_PASSWORD, own_entry

ANSWER = "A mail with a link is on its way to the new address; the old one counts until the link is used."


@strawberry.input(description="The address you want, and the password you have.")
class RequestAddressChangeInput:
    """See domain.identity.own_account."""

    email: str = strawberry.field(description="The new address.")
    password: str = strawberry.field(description=CURRENT_PASSWORD)


@strawberry.type(description="The mail is on its way.")
class RequestAddressChangeSuccess:
    """The same whether the new address has an account or not."""

    message: str = strawberry.field(description="What happens next, for a person.")


@mutation(
    payload(
        "RequestAddressChange",
        RequestAddressChangeSuccess,
        InvalidCredentials,
        TooManyAttempts,
        NotFound,
        WrongTransport,
    ),
    description="Ask for another address. It counts once the link mailed there is used; the old address is warned.",
)
async def request_address_change(info: Info, data: RequestAddressChangeInput) -> RequestAddressChangeSuccess:
    """Check the password, then mail."""
    context = info.context
    await own_account.request_address_change(
        context.state.accounts,
        user_id=context.require_viewer().user_id,
        password=data.password,
        email=data.email,
        entry=own_entry(context, "requestAddressChange"),
    )
    return RequestAddressChangeSuccess(message=ANSWER)
